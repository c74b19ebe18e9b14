"""What every reader of datasets gives, and what it refuses. Knows no format."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

from agentci.core.canonical import canonical_bytes
from agentci.core.digest import Digest, digest_bytes
from agentci.core.errors import Location, Problem, SpecError

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject, JsonValue

MAX_ROWS: Final = 1_000_000
MAX_DEPTH: Final = 60
"""Levels of lists and mappings in a row."""

_ESCAPED_NUL: Final = b"\\u0000"
_CONTAINERS: Final = frozenset({dict, list})


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a dataset, before anybody knows what its fields mean."""

    fields: JsonObject
    line: int
    """Where it begins, counted from 1."""
    digest: Digest
    """Of the fields; for tasks also of the files."""
    file: str
    """As the user would type it."""
    name: str | None = None
    """The id that the format itself gives: a task's folder."""
    input: JsonValue = None
    """For tasks: the instruction, where the row has no field for the input."""
    tags: tuple[str, ...] = ()
    """For tasks: what their own fields say besides the field with tags."""
    repository: str | None = None
    """For tasks: folder with the files to work on, relative to the dataset's folder."""
    extra: Mapping[str, JsonValue] = field(default_factory=dict)
    """Fields that expressions see and the digest does not cover."""


def sound_row(value: JsonValue, *, file: str, line: int) -> Row:
    """Return a parsed row.

    Raises:
        SpecError: when it is no mapping, or holds what is no JSON or cannot be passed on.
    """
    if not isinstance(value, Mapping):
        refuse("ACI-F166", f"a row has to be a mapping, not {described(value)}", file, line=line)
    return Row(value, line, row_digest(value, file=file, line=line), file)


def row_digest(value: JsonValue, *, file: str, line: int) -> Digest:
    """Return the digest of a row's fields.

    Raises:
        SpecError: for values that are no JSON, too deep, or hold the character U+0000, which
            neither commands nor files can carry.
    """
    if _depth_beyond(value, MAX_DEPTH):
        refuse("ACI-F168", f"nested deeper than {MAX_DEPTH} levels", file, line=line)
    try:
        data = canonical_bytes(value)
    except UnicodeEncodeError:
        refuse("ACI-F167", "a text holds half a surrogate pair", file, line=line)
    except (ValueError, TypeError) as error:
        refuse("ACI-F167", str(error), file, line=line)
    if _ESCAPED_NUL in data and _holds_nul(value):
        refuse("ACI-F167", "a text holds the character U+0000", file, line=line)
    return digest_bytes(data)


def refuse(
    code: str, message: str, file: str, *, line: int, hint: str | None = None, column: int = 1
) -> NoReturn:
    """Raise what is wrong at a line of a dataset."""
    raise SpecError((Problem(code, message, Location(file, line, column), hint),))


def too_many(file: str, line: int) -> NoReturn:
    """Refuse a dataset with more rows than anybody evaluates."""
    refuse("ACI-F168", f"more than {MAX_ROWS:,} rows", file, line=line, hint="split the dataset")


def described(value: JsonValue) -> str:
    """Return what a value is, for messages."""
    if value is None:
        return "empty"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, bool | int | float):
        return "true or false" if isinstance(value, bool) else "a number"
    return "a mapping" if isinstance(value, Mapping) else "a list"


def _containers(value: JsonValue) -> list[JsonValue]:
    """Return the lists and mappings right inside a value; parsed values have only these types."""
    if type(value) is dict:
        return [each for each in value.values() if type(each) in _CONTAINERS]
    if type(value) is list:
        return [each for each in value if type(each) in _CONTAINERS]
    return []


def _depth_beyond(value: JsonValue, limit: int) -> bool:
    level = _containers(value)
    depth = 1
    while level:
        depth += 1
        if depth > limit:
            return True
        level = [below for each in level for below in _containers(each)]
    return False


def _holds_nul(value: JsonValue) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_nul(name) or _holds_nul(each) for name, each in value.items())
    return isinstance(value, Sequence) and any(map(_holds_nul, value))


def finite(text: str) -> float:
    """Return the number `text`.

    Raises:
        ValueError: when it is too large for a double, so that it would become infinity.
    """
    number = float(text)
    if math.isinf(number):
        msg = f"the number `{text[:40]}` is too large"
        raise ValueError(msg)
    return number
