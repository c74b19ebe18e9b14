"""Multipart bodies as their parts: what counts is what was sent, not the boundary of the day.

Knows nothing of forms or files beyond the headers of a part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.http.content import damaged, load_content, store_content

BOUNDARY: Final = "agentci-boundary"
"""The boundary of a body that is put together again."""

_BOUNDARY = re.compile(r"""boundary=(?:"([^"]{1,200})"|([^\s;,"]{1,200}))""", re.IGNORECASE)
_FIRST_LINE = re.compile(rb"--([^\r\n]{1,200}?)\r\n")


def boundary_of(content_type: str, body: bytes) -> str | None:
    """Return the boundary of a multipart body, from its header or its first line, or None."""
    if content_type.lower().startswith("multipart/"):
        found = _BOUNDARY.search(content_type)
        if found is not None:
            return found[1] or found[2]
    elif content_type:
        return None
    first = _FIRST_LINE.match(body)
    if first is None or not body.rstrip().endswith(b"--" + first[1] + b"--"):
        return None
    return first[1].decode("latin-1")


def store_parts(body: bytes, boundary: str) -> Sequence[JsonObject] | None:
    """Return the parts of a body with their headers, or None where it is not well formed."""
    mark = b"\r\n--" + boundary.encode("latin-1", "replace")
    preamble, *pieces = (b"\r\n" + body).split(mark)
    if preamble or not pieces or pieces.pop().strip() != b"--":
        return None
    parts: list[JsonObject] = []
    for piece in pieces:
        head, separator, content = piece.partition(b"\r\n\r\n")
        headers = _headers(head)
        if not separator or headers is None:
            return None
        parts.append({"headers": headers, **store_content(content)})
    return parts


def load_parts(parts: JsonValue) -> bytes:
    """Return a multipart body of `parts`, with the boundary `BOUNDARY`.

    Raises:
        FormatError: when `parts` are not such a record.
    """
    if not isinstance(parts, Sequence) or isinstance(parts, str):
        raise damaged("its parts are no list")
    out: list[bytes] = []
    for part in parts:
        headers = part.get("headers") if isinstance(part, Mapping) else None
        if not isinstance(part, Mapping) or not isinstance(headers, Mapping):
            raise damaged("a part has no headers")
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        out.append(f"--{BOUNDARY}\r\n{lines}\r\n".encode() + load_content(part) + b"\r\n")
    return b"".join([*out, f"--{BOUNDARY}--\r\n".encode()])


def _headers(head: bytes) -> dict[str, str] | None:
    headers: dict[str, str] = {}
    try:
        lines = head.decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        return None
    for line in lines:
        name, separator, value = line.partition(":")
        if line and not separator:
            return None
        if line:
            headers[name.strip().lower()] = value.strip()
    return headers
