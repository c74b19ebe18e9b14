"""Recordings of nock, for Node.js: a list of scopes; bodies as JSON, as text, or in hexadecimal.

A JSON body replays as `JSON.stringify` writes it. A compressed body is a list of chunks in
hexadecimal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from agentci.record.importers.exchange import (
    Body,
    Exchange,
    Foreign,
    MalformedError,
    encoded,
    headers,
    items,
    mapping,
    status_code,
    text,
)

NAME = "nock"


def detects(document: Foreign) -> bool:
    """Say whether `document` is of this format."""
    return (
        isinstance(document, list)
        and bool(document)
        and all(isinstance(item, dict) and "scope" in item and "path" in item for item in document)
    )


def read(document: Foreign) -> Iterator[Exchange]:
    """Yield the exchanges in order.

    Raises:
        MalformedError: for one that lacks a field.
    """
    for item in items(document, "the file"):
        scope = mapping(item, "a scope")
        received = headers(scope.get("rawHeaders", scope.get("headers")))
        sent = headers(scope.get("reqheaders"))
        is_binary = scope.get("responseIsBinary") is True
        yield Exchange(
            method=text(scope.get("method", "GET"), "`method`"),
            url=text(scope.get("scope"), "`scope`") + text(scope.get("path"), "`path`"),
            request=_body(scope.get("body"), "`body`", sent),
            status=status_code(scope.get("status", 200), "`status`"),
            response=_unhex(scope.get("response"), "`response`")
            if is_binary
            else _body(scope.get("response"), "`response`", received),
            request_headers=sent,
            response_headers=received,
        )


def _body(value: Foreign, name: str, received: dict[str, str]) -> Body:
    if value is None or value == "":
        return Body()
    if isinstance(value, str):
        return Body(encoded(value, name))
    if isinstance(value, list) and received.get("content-encoding", "identity") != "identity":
        chunks = [_unhex(chunk, name).data for chunk in value]
        return Body(b"".join(chunks), is_text=False)
    try:
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise MalformedError(f"{name} holds what JSON has not") from None
    return Body(encoded(written, name))


def _unhex(value: Foreign, name: str) -> Body:
    try:
        return Body(bytes.fromhex(text(value, name)), is_text=False)
    except ValueError:
        raise MalformedError(f"{name} is no hexadecimal text") from None
