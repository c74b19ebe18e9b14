"""Reading a lock file's JSON, which only agentci writes: strictly, whatever a merge left in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NoReturn

from agentci.core.json_types import JsonObject, JsonValue


class MergeConflict(ValueError):
    """The file has an unresolved merge conflict."""


def parse_lock(data: bytes) -> JsonObject:
    """Return the mapping that a lock file holds.

    Raises:
        MergeConflict: when git has left both sides in it.
        ValueError: when it is no JSON object, or has a key twice; the message says what is wrong.
    """
    if data.startswith(b"<<<<<<<") or b"\n<<<<<<<" in data:
        raise MergeConflict("the file has an unresolved merge conflict")
    try:
        content = json.loads(data, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise ValueError("not a valid lock file: it is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"not a valid lock file: {error}") from error
    if not isinstance(content, Mapping):
        _refuse("a lock file has to hold a mapping")
    return content


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("a key is written twice")
    return found


def _constant(text: str) -> NoReturn:
    _refuse(f"`{text}` is not JSON")


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)
