"""One HTTP exchange of a foreign recording, and safe access to the fields that it is read from.

Knows no format. A field that is missing or of another type is a `MalformedError` that names it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Foreign: TypeAlias = Any
"""A value of a foreign file: JSON, or YAML with bytes."""


class MalformedError(ValueError):
    """A recording is not what its format promises; the message names the field."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a message."""

    data: bytes = b""
    is_text: bool = True
    """Whether it stood in the file as text, so that no content encoding is left on it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its response, as the file has them."""

    method: str
    url: str
    request: Body
    status: int
    response: Body
    request_headers: Mapping[str, str] = field(default_factory=dict)
    """Names in small letters. They decide how a body is read, and are not kept."""
    response_headers: Mapping[str, str] = field(default_factory=dict)
    """Names in small letters."""
    reason: str = ""


def mapping(value: Foreign, name: str) -> Mapping[str, Foreign]:
    """Return `value` as a mapping.

    Raises:
        MalformedError: when it is none; `name` says what it should have been.
    """
    if not isinstance(value, Mapping):
        raise MalformedError(f"{name} is no mapping")
    return value


def items(value: Foreign, name: str) -> Sequence[Foreign]:
    """Return `value` as a list. Raises `MalformedError` like `mapping`."""
    if not isinstance(value, list):
        raise MalformedError(f"{name} is no list")
    return value


def text(value: Foreign, name: str) -> str:
    """Return `value` as a text. Raises `MalformedError` like `mapping`."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, str):
        raise MalformedError(f"{name} is no text")
    return value


def status_code(value: Foreign, name: str) -> int:
    """Return `value` as the status of a response. Raises `MalformedError` like `mapping`."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 100 <= value <= 999:
        raise MalformedError(f"{name} is no status")
    return value


def headers(value: Foreign) -> dict[str, str]:
    """Return headers by name in small letters, however they are listed; what is none is left out.

    Takes a mapping to texts or lists of texts, a list of pairs, or names and values in turn.
    """
    pairs: list[tuple[Foreign, Foreign]] = []
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list) and all(isinstance(item, list) for item in value):
        pairs = [(item[0], item[1]) for item in value if len(item) == 2]
    elif isinstance(value, list):
        pairs = list(zip(value[::2], value[1::2], strict=False))
    found: dict[str, str] = {}
    for name, content in pairs:
        values = content if isinstance(content, list) else [content]
        texts = [text(item, "a header") for item in values if isinstance(item, str | bytes)]
        if isinstance(name, str) and texts:
            found[name.lower()] = ", ".join(texts)
    return found


def body(value: Foreign, name: str) -> Body:
    """Return a body that stands as text, as bytes, as pieces, or in a mapping with one of these.

    Raises:
        MalformedError: when it is anything else.
    """
    if value is None:
        return Body()
    if isinstance(value, str):
        return Body(encoded(value, name))
    if isinstance(value, bytes):
        return Body(value, is_text=False)
    if isinstance(value, list):
        pieces = [body(piece, name) for piece in value if not isinstance(piece, list)]
        if len(pieces) == len(value):
            joined = b"".join(piece.data for piece in pieces)
            return Body(joined, is_text=all(piece.is_text for piece in pieces))
    if isinstance(value, Mapping):
        if "base64_string" in value:
            return Body(unbase64(text(value["base64_string"], name), name), is_text=False)
        content = value.get("string")
        if not isinstance(content, Mapping | list):
            return body(content, name)
    raise MalformedError(f"{name} is neither text nor bytes")


def encoded(value: str, name: str, *, encoding: str = "utf-8") -> bytes:
    """Return the bytes of a text.

    Raises:
        MalformedError: when the encoding does not have its characters.
    """
    try:
        return value.encode(encoding)
    except UnicodeEncodeError:
        raise MalformedError(f"{name} has a character that `{encoding}` has not") from None


def unbase64(value: str, name: str) -> bytes:
    """Return the bytes of base64 text, line breaks allowed.

    Raises:
        MalformedError: when it is no base64.
    """
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise MalformedError(f"{name} is no base64") from None
