"""Recordings of Datadog's test agent: one request and one response in a JSON file.

Binary bodies stand as text with `base64:` in front. Bodies are decoded already, whatever the
header `content-encoding` says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agentci.record.importers.exchange import (
    Body,
    Exchange,
    Foreign,
    body,
    headers,
    mapping,
    status_code,
    text,
    unbase64,
)

NAME = "single pair"
_MARK: Final = "base64:"


def detects(document: Foreign) -> bool:
    """Say whether `document` is of this format."""
    if not isinstance(document, dict):
        return False
    request = document.get("request")
    return isinstance(request, dict) and "url" in request and "response" in document


def read(document: Foreign) -> Iterator[Exchange]:
    """Yield the one exchange.

    Raises:
        MalformedError: when it lacks a field.
    """
    request = mapping(document.get("request"), "`request`")
    response = mapping(document.get("response"), "`response`")
    status = response.get("status")
    code = status.get("code") if isinstance(status, dict) else status
    reason = status.get("message") if isinstance(status, dict) else ""
    yield Exchange(
        method=text(request.get("method"), "`request.method`"),
        url=text(request.get("url"), "`request.url`"),
        request=_body(request.get("body"), "`request.body`"),
        status=status_code(code, "`response.status`"),
        response=_body(response.get("body"), "`response.body`"),
        request_headers=headers(request.get("headers")),
        response_headers=headers(response.get("headers")),
        reason=reason if isinstance(reason, str) else "",
    )


def _body(value: Foreign, name: str) -> Body:
    if isinstance(value, str) and value.startswith(_MARK):
        return Body(unbase64(value.removeprefix(_MARK), name))
    return body(value, name)
