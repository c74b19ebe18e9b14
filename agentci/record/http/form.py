"""The form of the kind `http`: the request that is keyed, the response that is kept, and back.

A request is the same if its method, its address without credentials, and its body are the same;
headers never count, nor does how JSON was spaced or how parts were bounded. A response keeps its
status, the few headers that a client acts on, and its body with the boundaries of a stream. This
must not know who recorded it.
"""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.wire import WireResponse
from agentci.record.http import event_stream
from agentci.record.http.content import damaged, load_content, parse_json_body, store_content
from agentci.record.http.multipart import boundary_of, load_parts, store_parts

DIALECT: Final = "http/1"
"""Names this form, and its version, in every key."""

KEPT_HEADERS: Final = (
    "content-type",
    "location",
    "mcp-session-id",
    "retry-after",
    "retry-after-ms",
    "x-amzn-errortype",
    "x-goog-upload-status",
    "x-goog-upload-url",
    "x-should-retry",
)
"""What clients act on. All other headers vary from call to call, or name an account."""

CREDENTIALS: Final = frozenset(
    {"access_token", "api-key", "api_key", "apikey", "key", "sig", "x-amz-credential",
     "x-amz-security-token", "x-amz-signature"}
)  # fmt: skip
"""Query fields that say who asks, not what is asked; small letters."""

_PORTS = {"http": 80, "https": 443}
_SSE = "text/event-stream"
_LINES = frozenset(
    {"application/jsonl", "application/stream+json", "application/x-ndjson", "application/ndjson"}
)
_SSE_EVENT = re.compile(r".*?(?:\r\n\r\n|\n\n|\r\r)|.+", re.DOTALL)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A response as it came, content encodings undone where they can be."""

    status: int
    headers: Mapping[str, str]
    """Names in small letters. Only `KEPT_HEADERS` are stored, and `content-encoding`, which says
    that the body could not be decoded and is still encoded."""
    chunks: tuple[bytes, ...]
    """As they arrived; one chunk where a recorder has joined them."""
    reason: str = ""
    """The phrase beside the status; empty for the usual one."""


def canonical_url(url: str) -> str:
    """Return `url` without what does not tell requests apart: default port, fragment, credentials.

    Raises:
        ValueError: when it is empty, or cannot be taken apart.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    if parts.port is not None and parts.port != _PORTS.get(parts.scheme):
        host = f"{host}:{parts.port}"
    path = parts.path or ("/" if host else "")
    if not host and not path:
        message = f"`{url[:80]}` is no address"
        raise ValueError(message)
    fields = [
        field
        for field in parts.query.split("&")
        if field and field.partition("=")[0].lower() not in CREDENTIALS
    ]
    return urlunsplit((parts.scheme, host, path, "&".join(fields), ""))


def http_request(method: str, url: str, *, body: bytes = b"", content_type: str = "") -> JsonObject:
    """Return the canonical request of the kind `http`; its digest is the key.

    Content encodings are undone already.

    Raises:
        ValueError: when `url` is no address.
    """
    request = {"dialect": DIALECT, "method": method.upper(), "url": canonical_url(url)}
    if not body:
        return request
    boundary = boundary_of(content_type, body)
    parts = store_parts(body, boundary) if boundary is not None else None
    if parts is not None:
        return {**request, "parts": parts}
    value = parse_json_body(body)
    return {**request, **(store_content(body) if value is None else {"body": value})}


def request_body(request: JsonObject) -> bytes:
    """Return a body that `http_request` gives this request for.

    Raises:
        FormatError: when `request` is not such a request.
    """
    if "parts" in request:
        return load_parts(request["parts"])
    return load_content(request) if set(request) - {"dialect", "method", "url"} else b""


def store_answer(
    answer: HttpAnswer, *, keep_headers: tuple[str, ...] = (), bounded: bool = False
) -> JsonObject:
    """Return a response as a recording keeps it. Nothing of the body is lost.

    `keep_headers` are names, in small letters, that are kept besides `KEPT_HEADERS`. With
    `bounded`, a stream's only chunk is as it arrived, and not several that a recorder has joined.
    """
    names = (*KEPT_HEADERS, *keep_headers)
    headers = {name: answer.headers[name] for name in names if name in answer.headers}
    stored: dict[str, JsonValue] = {"status": answer.status, "headers": headers}
    if answer.reason and answer.reason != _phrase(answer.status):
        stored["reason"] = answer.reason
    if "content-encoding" in answer.headers:
        stored["encoding"] = answer.headers["content-encoding"]
    return {**stored, **_content(answer, bounded=bounded)}


def load_answer(stored: JsonObject) -> WireResponse:
    """Return the response that `store_answer` was given, with the boundaries of its stream.

    Raises:
        FormatError: when `stored` is not such a record.
    """
    status, headers = stored.get("status"), stored.get("headers")
    if not isinstance(status, int) or not isinstance(headers, Mapping):
        raise damaged("it has no status or no headers")
    texts = {name: value for name, value in headers.items() if isinstance(value, str)}
    encoding = stored.get("encoding")
    if isinstance(encoding, str):
        texts["content-encoding"] = encoding
    return WireResponse(status, texts, _chunks(stored))


def reason_of(stored: JsonObject) -> str:
    """Return the phrase beside the status of a stored response."""
    reason, status = stored.get("reason"), stored.get("status")
    return reason if isinstance(reason, str) else _phrase(status if isinstance(status, int) else 0)


def infer_content_type(data: bytes) -> str | None:
    """Return the media type of a body that has lost its header, where the body itself tells."""
    if data.startswith((b"data:", b"event:", b"id:", b": ")):
        return _SSE
    if data.startswith((b"{", b"[")) and "body" in store_content(data):
        return "application/json"
    if data.startswith(b"\x00") and event_stream.split_messages(data):
        return event_stream.MEDIA_TYPE
    return None


def _content(answer: HttpAnswer, *, bounded: bool) -> JsonObject:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = b"".join(answer.chunks)
    if media_type == event_stream.MEDIA_TYPE:
        messages = event_stream.split_messages(body)
        if messages is not None:
            return {"events": [event_stream.store_message(message) for message in messages]}
    if media_type == _SSE or media_type in _LINES:
        pattern = _SSE_EVENT if media_type == _SSE else _LINE
        try:
            if bounded or len(answer.chunks) > 1:
                return {"chunks": _texts(answer.chunks)}
            return {"chunks": pattern.findall(body.decode("utf-8"))}
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(body).decode("ascii")}
    return store_content(body)


def _texts(chunks: Iterable[bytes]) -> list[str]:
    """Decode chunk by chunk; a character cut in two goes to the chunk that completes it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    texts = [decoder.decode(chunk) for chunk in chunks]
    decoder.decode(b"", final=True)
    return [text for text in texts if text]


def _chunks(stored: JsonObject) -> tuple[bytes, ...]:
    events, chunks = stored.get("events"), stored.get("chunks")
    if isinstance(events, Sequence) and not isinstance(events, str):
        return tuple(
            event_stream.load_message(event if isinstance(event, Mapping) else {})
            for event in events
        )
    if isinstance(chunks, Sequence) and not isinstance(chunks, str):
        return tuple(str(chunk).encode("utf-8") for chunk in chunks)
    return (load_content(stored),)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
