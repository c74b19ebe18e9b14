"""JSON in an answer as promptfoo finds it: read as JavaScript reads it, or cut out of other text.

promptfoo's `contains-json` (read in version 0.121.20) tries every `{` up to the brace that closes
it, or with the missing braces added at the end, and reads the part as YAML, in which `//` begins a
comment. Numbers are doubles, as in JavaScript.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NoReturn

from agentci.core.errors import AgentciError, StepFailed
from agentci.core.json_types import JsonObject, JsonValue

LIMIT: Final = 1_000_000
"""Characters of an answer in which JSON is looked for."""

_LONGEST: Final = 100_000
_WORK: Final = 20_000_000
"""Characters that are read in all: an answer full of braces would take hours otherwise."""
_MOST: Final = 200
"""Objects in one answer: each is held against a schema, maybe in a process of its own."""

_REFUSED: Final = ("not valid YAML", "a second document", "the alias ")
"""What our reader says of what promptfoo's refuses as well."""
_LETTER: Final = re.compile(r"[a-zA-Z]")


def parse_as_javascript(text: str) -> JsonValue:
    """Return what `JSON.parse` gives; all numbers are floats.

    Raises:
        ValueError: when it is no JSON.
    """
    try:
        value: JsonValue = json.loads(
            text, parse_int=float, parse_float=float, parse_constant=_no_constant
        )
    except RecursionError:
        message = "it nests too deep"
        raise ValueError(message) from None
    return value


def as_javascript(value: JsonValue) -> JsonValue:
    """Return `value` with all numbers as floats, to be compared with what was parsed."""
    if isinstance(value, str | bool) or value is None:
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, Mapping):
        return {name: as_javascript(each) for name, each in value.items()}
    return [as_javascript(each) for each in value]


def is_same(one: JsonValue, other: JsonValue) -> bool:
    """Say whether two values are deeply equal in JavaScript: true is not 1."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    return type(one) is type(other) and one == other


def json_parts(text: str) -> Iterator[JsonObject | Sequence[JsonValue]]:
    """Yield the objects that stand in `text`.

    Raises:
        StepFailed: when looking for them would take too long, or promptfoo's reader of YAML may
            see something else than ours.
    """
    start, work, count = text.find("{"), 0, 0
    while start >= 0:
        end = _end_of_object(text, start)
        work += end.position - start
        if work > _WORK or count >= _MOST:
            raise StepFailed(
                "the answer has too many braces to look for JSON in it",
                code="ACI-S514",
                hint="pick the part to judge with the target's `output`",
            )
        value = _read(text[start : end.position] + "}" * end.missing)
        after = start + 1
        if value is not None:
            count += 1
            yield value
            after = end.position
        start = text.find("{", after)


class _End:
    __slots__ = ("missing", "position")

    def __init__(self, position: int, missing: int) -> None:
        self.position = position
        self.missing = missing


_BRACE: Final = re.compile(r"[{}]")


def _end_of_object(text: str, start: int) -> _End:
    """Return where the object that begins at `start` ends, and how many braces it lacks."""
    last = min(start + _LONGEST, len(text))
    depth = 0
    for brace in _BRACE.finditer(text, start, last):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return _End(brace.end(), 0)
    return _End(last, depth)


def _read(part: str) -> JsonObject | Sequence[JsonValue] | None:
    """Return the list or object in `part`, or None where it is neither."""
    try:
        value = parse_as_javascript(part)
    except ValueError:
        value = _read_yaml(part)
    return value if isinstance(value, Mapping | list | tuple) else None


def _read_yaml(part: str) -> JsonValue:
    # only answers that are no plain JSON get here
    from agentci.spec.yaml_document import parse_document  # noqa: PLC0415

    text = "\n".join(_with_hashes(line) for line in part.split("\n"))
    try:
        value = parse_document(text.encode("utf-8", "surrogatepass"), "answer").value
    except AgentciError as error:
        if error.message.startswith(_REFUSED):
            return None
        raise StepFailed(
            f"the answer holds YAML that readers disagree about: {error.message}",
            code="ACI-S515",
            hint="pick the part to judge with the target's `output`",
        ) from error
    return as_javascript(value)


def _with_hashes(line: str) -> str:
    """Return `line` with `//` outside of quotes as the beginning of a YAML comment."""
    quote = ""
    for index, char in enumerate(line):
        before, after = line[index - 1 : index], line[index + 1 : index + 2]
        if quote:
            escaped = (index - len(line[:index].rstrip("\\"))) % 2
            in_word = quote == "'" and bool(_LETTER.match(after))
            if char == quote and not escaped and not in_word:
                quote = ""
        elif char == '"' or (char == "'" and not _LETTER.match(before)):
            quote = char
        elif char == "/" and after == "/" and "://" not in _word_to(line, index + 2):
            rest = line[index:].lstrip("/")
            slashes = len(line) - index - len(rest)
            return line[:index] + "#" * (slashes // 2) + rest
    return line


def _word_to(line: str, end: int) -> str:
    return re.split(r"\s", line[:end])[-1]


def _no_constant(name: str) -> NoReturn:
    message = f"`{name}` is no JSON"
    raise ValueError(message)
