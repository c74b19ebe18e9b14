"""A foreign exchange as an interaction of ours, without its address.

Calls of a model in a known dialect become the kind `model`, so that they replay through the
gateway; everything else is the kind `http`. Knows no foreign format.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.http.content import parse_json_body
from agentci.record.http.encodings import UndecodableError, decode_content
from agentci.record.http.form import (
    CREDENTIALS,
    HttpAnswer,
    canonical_url,
    http_request,
    infer_content_type,
    store_answer,
)
from agentci.record.http.multipart import boundary_of
from agentci.record.importers.call_ids import original_ids
from agentci.record.importers.dialects import model_request
from agentci.record.importers.exchange import Body, Exchange, MalformedError

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+*-]+(?:\s*;.*)?", re.DOTALL)
_CREDENTIAL = re.compile(rf"[?&](?:{'|'.join(sorted(CREDENTIALS))})=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Recording:
    """One interaction before it has its address."""

    kind: Literal["model", "http"]
    request: JsonObject
    response: JsonObject
    notes: JsonObject
    url: str
    """Where the request went, without credentials."""
    size: int
    """Bytes of the response body, content encodings undone."""


def to_recording(exchange: Exchange, *, keep_headers: tuple[str, ...] = ()) -> Recording:
    """Return the interaction that `exchange` is.

    `keep_headers` are headers of answers, in small letters, that are kept besides the few that
    always are.

    Raises:
        MalformedError: when its address is none.
        EnvironmentProblem: when the package for an encoding is not installed.
    """
    notes: dict[str, JsonValue] = {}
    content_type = _media_type(exchange.request_headers)
    request_body = _request_body(exchange, content_type)
    try:
        url = canonical_url(exchange.url)
        parsed = parse_json_body(request_body)
        request = model_request(exchange.method, url, parsed)
        kind: Literal["model", "http"] = "http" if request is None else "model"
        if request is None:
            request = http_request(
                exchange.method, url, body=request_body, content_type=content_type
            )
        elif isinstance(parsed, Mapping):
            ids = original_ids(parsed, request.get("body"))
            notes |= {"call_ids": ids} if ids else {}
    except ValueError as error:
        raise MalformedError(str(error)) from None
    if _CREDENTIAL.search(exchange.url):
        notes["left_out"] = "credentials in the address"
    answer = _answer(exchange, notes)
    size = sum(len(chunk) for chunk in answer.chunks)
    response = store_answer(answer, keep_headers=keep_headers)
    return Recording(kind, request, response, notes, url, size)


def _answer(exchange: Exchange, notes: dict[str, JsonValue]) -> HttpAnswer:
    headers = dict(exchange.response_headers)
    data = exchange.response.data
    try:
        decoded = decode_content(
            data, headers.get("content-encoding", ""), is_text=exchange.response.is_text
        )
        data = decoded.data
        headers.pop("content-encoding", None)
        if decoded.undone:
            notes["decoded"] = ", ".join(decoded.undone)
    except UndecodableError as error:
        notes["not_decoded"] = str(error)
    content_type = _media_type(headers)
    if content_type:
        headers["content-type"] = content_type
    else:
        headers.pop("content-type", None)
        inferred = infer_content_type(data)
        if inferred is not None:
            headers["content-type"] = inferred
            notes["inferred"] = "content-type"
    return HttpAnswer(exchange.status, headers, (data,), exchange.reason)


def _media_type(headers: Mapping[str, str]) -> str:
    """Return the header `content-type`, or nothing where a placeholder stands in its place."""
    value = headers.get("content-type", "").strip()
    return value if _MEDIA_TYPE.fullmatch(value) else ""


def _request_body(exchange: Exchange, content_type: str) -> bytes:
    sent: Body = exchange.request
    encoding = exchange.request_headers.get("content-encoding", "")
    try:
        data = decode_content(sent.data, encoding, is_text=sent.is_text).data
    except UndecodableError:
        data = sent.data
    if content_type.startswith("multipart/") and sent.is_text and not data.startswith(b"--"):
        return _unwrapped(data, content_type)
    return data


def _unwrapped(data: bytes, content_type: str) -> bytes:
    """Return a multipart body that was written in base64 to keep it in a text file."""
    boundary = boundary_of(content_type, b"")
    try:
        plain = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return data
    start = f"--{boundary}".encode()
    return plain if boundary and plain.startswith(start) else data
