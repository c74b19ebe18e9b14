"""Recordings of Ruby's VCR: `http_interactions`, bodies with the name of their encoding."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentci.record.importers.exchange import (
    Body,
    Exchange,
    Foreign,
    body,
    encoded,
    headers,
    items,
    mapping,
    status_code,
    text,
)

NAME = "Ruby VCR"
_CODED = re.compile(
    r"(?:iso-8859-\d{1,2}|windows-\d{3,4}|shift_jis|euc-(?:jp|kr)|gbk?|big5|koi8-r)"
)


def detects(document: Foreign) -> bool:
    """Say whether `document` is of this format."""
    return isinstance(document, dict) and isinstance(document.get("http_interactions"), list)


def read(document: Foreign) -> Iterator[Exchange]:
    """Yield the exchanges in order.

    Raises:
        MalformedError: for one that lacks a field.
    """
    for item in items(document.get("http_interactions"), "`http_interactions`"):
        pair = mapping(item, "an interaction")
        request = mapping(pair.get("request"), "`request`")
        response = mapping(pair.get("response"), "`response`")
        status = mapping(response.get("status"), "`response.status`")
        reason = status.get("message")
        yield Exchange(
            method=text(request.get("method"), "`request.method`"),
            url=text(request.get("uri"), "`request.uri`"),
            request=_body(request.get("body"), "`request.body`"),
            status=status_code(status.get("code"), "`response.status.code`"),
            response=_body(response.get("body"), "`response.body`"),
            request_headers=headers(request.get("headers")),
            response_headers=headers(response.get("headers")),
            reason=reason if isinstance(reason, str) else "",
        )


def _body(value: Foreign, name: str) -> Body:
    """Return a body; Ruby's texts stand in the file in UTF-8 and name what they were."""
    content = value.get("string") if isinstance(value, dict) else None
    encoding = value.get("encoding") if isinstance(value, dict) else None
    if isinstance(content, str) and isinstance(encoding, str):
        coded = _CODED.fullmatch(encoding.lower())
        if coded is not None:
            return Body(_recoded(content, name, coded[0]))
    return body(value, name)


def _recoded(content: str, name: str, encoding: str) -> bytes:
    try:
        return encoded(content, name, encoding=encoding)
    except LookupError:
        return encoded(content, name)
