"""Recordings of vcrpy since version 1, in YAML or JSON; also with `parsed_body` in place of a body.

vcrpy 2 to 4 wrote the responses of httpx with `status_code` and `content`, as vcrpy still reads.
`parsed_body` is what pydantic-ai's serializer writes for JSON; it replays as `json.dumps` of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from agentci.record.importers.exchange import (
    Body,
    Exchange,
    Foreign,
    MalformedError,
    body,
    encoded,
    headers,
    items,
    mapping,
    status_code,
    text,
)

NAME = "vcrpy v1"
_PARSED = "parsed_body"


def detects(document: Foreign) -> bool:
    """Say whether `document` is of this format."""
    found = document.get("interactions") if isinstance(document, dict) else None
    if not isinstance(found, list) or not found:
        return found == [] and document.get("version", 1) == 1
    request = found[0].get("request") if isinstance(found[0], dict) else None
    return isinstance(request, dict) and "uri" in request


def read(document: Foreign) -> Iterator[Exchange]:
    """Yield the exchanges in order.

    Raises:
        MalformedError: for one that lacks a field.
    """
    for item in items(document.get("interactions"), "`interactions`"):
        pair = mapping(item, "an interaction")
        yield read_pair(
            mapping(pair.get("request"), "`request`"), mapping(pair.get("response"), "`response`")
        )


def read_pair(request: Foreign, response: Foreign) -> Exchange:
    """Return the exchange of a request and a response as vcrpy writes them.

    Raises:
        MalformedError: when one lacks a field.
    """
    if "status_code" in response:
        response = {
            **response,
            "status": {"code": response["status_code"]},
            "body": response.get("content"),
        }
    status = mapping(response.get("status"), "`response.status`")
    reason = status.get("message")
    return Exchange(
        method=text(request.get("method"), "`request.method`"),
        url=text(request.get("uri"), "`request.uri`"),
        request=_body(request, "`request.body`"),
        status=status_code(status.get("code"), "`response.status.code`"),
        response=_body(response, "`response.body`"),
        request_headers=headers(request.get("headers")),
        response_headers=headers(response.get("headers")),
        reason=reason if isinstance(reason, str) else "",
    )


def _body(message: Foreign, name: str) -> Body:
    parsed = message.get(_PARSED)
    if parsed is None:
        return body(message.get("body"), name)
    try:
        return Body(encoded(json.dumps(parsed), name))
    except (TypeError, ValueError, RecursionError):
        raise MalformedError(f"{name} holds what JSON has not") from None
