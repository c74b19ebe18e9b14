"""Large and binary texts of an interaction, kept as objects and not in the cassette.

A text moves out when nobody would read it in a review: base64 data and other opaque runs of
characters, and texts of more than a few pages. Knows nothing of cassettes or of wire formats.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from agentci.core.digest import Digest, parse_digest
from agentci.core.errors import FormatError
from agentci.core.json_types import JsonValue
from agentci.record.object_store import ObjectStore
from agentci.record.yaml_read import BLOB_FIELD, BlobReference

OPAQUE_LIMIT: Final = 2_048
"""Characters of base64 or another opaque run from which on a text becomes an object."""
TEXT_LIMIT: Final = 65_536
"""Characters from which on any text becomes an object."""

_OPAQUE = re.compile(r"(?P<prefix>data:[\w.+/;=-]{0,120},)?(?P<data>[A-Za-z0-9+/_-]+={0,2})")


Put: TypeAlias = Callable[[bytes], Digest]


def move_out(value: JsonValue, put: Put) -> JsonValue:
    """Return `value` with large and binary texts given to `put` and replaced by references.

    Parts without such texts are shared with `value`, not copied.
    """
    if isinstance(value, str):
        return _reference(value, put) if len(value) >= OPAQUE_LIMIT else value
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        changed = {
            name: moved
            for name, item in value.items()
            if (moved := move_out(item, put)) is not item
        }
        return {**value, **changed} if changed else value
    items = [move_out(item, put) for item in value]
    same = all(new is old for new, old in zip(items, value, strict=True))
    return value if same else items


def move_in(value: JsonValue, objects: ObjectStore) -> JsonValue:
    """Return `value` with the references of `move_out` replaced by their texts.

    Raises:
        FormatError: when an object is missing, or a reference is not one of ours.
        SafetyRefusal: when an object was changed.
    """
    if isinstance(value, BlobReference):
        return _text(value, objects)
    if isinstance(value, Mapping):
        return {name: move_in(item, objects) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [move_in(item, objects) for item in value]
    return value


def _reference(text: str, put: Put) -> JsonValue:
    opaque = _OPAQUE.fullmatch(text)
    if opaque is None and len(text) < TEXT_LIMIT:
        return text
    if opaque is not None:
        data = _decoded(opaque["data"])
        if data is not None:
            prefix = {"prefix": opaque["prefix"]} if opaque["prefix"] else {}
            return BlobReference(
                {BLOB_FIELD: put(data), "bytes": len(data), "encoding": "base64", **prefix}
            )
    try:
        data = text.encode()
    except UnicodeEncodeError:  # a lone surrogate; the cassette itself can hold it
        return text
    return BlobReference({BLOB_FIELD: put(data), "bytes": len(data)})


def _decoded(text: str) -> bytes | None:
    """Return the bytes of base64 text, where encoding them gives exactly that text again."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def _text(reference: BlobReference, objects: ObjectStore) -> str:
    try:
        data = objects.get(parse_digest(str(reference[BLOB_FIELD])))
        if reference.get("encoding") == "base64":
            return str(reference.get("prefix", "")) + base64.b64encode(data).decode()
        return data.decode()
    except ValueError as error:
        raise FormatError(
            f"`{BLOB_FIELD}` does not name an object of text: {error}",
            code="ACI-F121",
            hint="restore the cassette from version control, or record again",
        ) from None
