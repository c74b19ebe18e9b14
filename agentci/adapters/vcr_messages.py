"""Requests and answers between vcrpy's form and that of a tape.

vcrpy's answers are `{"status": {"code", "message"}, "headers": {name: [values]}, "body":
{"string": bytes}}`. Must not know lanes or recordings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from agentci.record.http.form import HttpAnswer
from agentci.record.tape import SentRequest, TapedAnswer


def sent_request(request: Any) -> SentRequest:
    """Return one of vcrpy's requests as it is sent."""
    return SentRequest(
        method=_text(request.method),
        url=_text(request.uri),
        headers=_headers(request.headers),
        body=_bytes(request.body, request.headers),
    )


def vcr_response(answer: TapedAnswer) -> dict[str, Any]:
    """Return a recorded answer as vcrpy hands it to its stubs."""
    return {
        "status": {"code": answer.status, "message": answer.reason},
        "headers": {name: [value] for name, value in answer.headers.items()},
        "body": {"string": b"".join(answer.chunks)},
    }


def http_answer(response: Mapping[str, Any], chunks: tuple[bytes, ...] = ()) -> HttpAnswer:
    """Return one of vcrpy's answers, with the boundaries of `chunks` if its body is theirs."""
    body = (response.get("body") or {}).get("string", b"") or b""
    data = body.encode() if isinstance(body, str) else bytes(body)
    status = response["status"]
    return HttpAnswer(
        status=int(status["code"]),
        headers=_headers(response["headers"]),
        chunks=chunks if b"".join(chunks) == data else (data,),
        reason=_text(status.get("message") or ""),
    )


def _headers(headers: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in dict(headers or {}).items():
        values = value if isinstance(value, list | tuple) else [value]
        found[_text(name).lower()] = ", ".join(_text(each) for each in values)
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _bytes(body: Any, headers: Any) -> bytes:
    """Return a body as bytes, whatever a client has given for it."""
    if body is None:
        return b""
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    if isinstance(body, str):
        return body.encode("utf-8")
    if hasattr(body, "read"):
        return _bytes(body.read(), headers)
    if isinstance(body, Mapping | list | tuple):
        is_form = "form" in _headers(headers).get("content-type", "")
        return (urlencode(body) if is_form else json.dumps(body, default=str)).encode()
    return b"".join(_bytes(each, headers) for each in body)
