"""Recordings of go-vcr, formats 1 and 2: with `url`, and the status as a number and a line."""

from __future__ import annotations

from collections.abc import Iterator

from agentci.record.importers.exchange import (
    Exchange,
    Foreign,
    body,
    headers,
    items,
    mapping,
    status_code,
    text,
)

NAME = "go-vcr"


def detects(document: Foreign) -> bool:
    """Say whether `document` is of this format."""
    found = document.get("interactions") if isinstance(document, dict) else None
    if not isinstance(found, list):
        return False
    if not found:
        return bool(document.get("version") == 2)
    request = found[0].get("request") if isinstance(found[0], dict) else None
    response = found[0].get("response") if isinstance(found[0], dict) else None
    return (
        isinstance(request, dict)
        and "url" in request
        and isinstance(response, dict)
        and "code" in response
    )


def read(document: Foreign) -> Iterator[Exchange]:
    """Yield the exchanges in order.

    Raises:
        MalformedError: for one that lacks a field.
    """
    for item in items(document.get("interactions"), "`interactions`"):
        pair = mapping(item, "an interaction")
        request = mapping(pair.get("request"), "`request`")
        response = mapping(pair.get("response"), "`response`")
        code = status_code(response.get("code"), "`response.code`")
        line = response.get("status")
        yield Exchange(
            method=text(request.get("method"), "`request.method`") or "GET",
            url=text(request.get("url"), "`request.url`"),
            request=body(request.get("body"), "`request.body`"),
            status=code,
            response=body(response.get("body"), "`response.body`"),
            request_headers=headers(request.get("headers")),
            response_headers=headers(response.get("headers")),
            reason=line.removeprefix(str(code)).strip() if isinstance(line, str) else "",
        )
