"""Structured answers: asking for JSON of a schema, reading it from text, and saying what is wrong.

All words are ours and do not depend on the versions of Python or of a library, because they become
part of the conversation and so of the recordings' keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from agentci.core.canonical import canonical_bytes
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.text import replace_lone_surrogates
from agentci.tools.json_schema import describe, violations

_FENCE = re.compile(
    r"^[ ]{0,3}```[ \t]*(?:json|JSON)?[ \t]*\r?\n(?P<body>.*?)\n?^[ ]{0,3}```[ \t]*\r?$",
    re.DOTALL | re.MULTILINE,
)
_OLDER_PLACE = "Illegal trailing comma"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from an answer."""

    value: JsonValue
    """The output; None where there is a problem."""
    problem: str | None = None
    """What is wrong, in words for the model."""


def system_with_schema(system: str, schema: JsonObject | None) -> str:
    """Return the instructions with the schema of the answer, for models that have no other way."""
    if schema is None:
        return system
    # the order of members is kept: it is the order in which models write them
    shown = json.dumps(schema, ensure_ascii=False, indent=2)
    wanted = (
        "When you are done, answer with one JSON value and nothing else. "
        f"It must fit this JSON Schema:\n\n```json\n{shown}\n```"
    )
    return f"{system.rstrip()}\n\n{wanted}\n" if system.strip() else f"{wanted}\n"


def read_answer(text: str, schema: JsonObject | None) -> Reading:
    """Return the output in an answer: JSON that fits `schema`, or `{"text": text}` without one.

    The JSON stands alone or in one fenced block.

    Raises:
        UsageError: when the schema itself is wrong.
    """
    if schema is None:
        return Reading({"text": replace_lone_surrogates(text)})
    reading = _read_json(text)
    if reading.problem is not None:
        return reading
    found = violations(schema, reading.value)
    if not found:
        return reading
    return Reading(None, f"it does not fit the JSON Schema:\n{describe(found)}")


def repair_request(problem: str, schema: JsonObject | None) -> str:
    """Return the message that asks for a better answer."""
    wanted = (
        "Answer again."
        if schema is None
        else "Answer again with one JSON value that fits the JSON Schema, and nothing else."
    )
    return f"Your last answer cannot be used: {problem}\n\n{wanted}"


def _read_json(text: str) -> Reading:
    whole = _parse(text)
    if whole.problem is None:
        return whole
    blocks = [match["body"] for match in _FENCE.finditer(text)]
    if not blocks:
        return whole
    if len(blocks) > 1:
        return Reading(None, f"it has {len(blocks)} fenced blocks; give one JSON value")
    return _parse(blocks[0])


def _parse(text: str) -> Reading:
    try:
        value = json.loads(
            text.strip().removeprefix("\ufeff"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_duplicates,
        )
        canonical_bytes(value).decode("utf-8")
    except json.JSONDecodeError as error:
        return Reading(None, f"it is not JSON: {_place(error)}")
    except _Refused as error:
        return Reading(None, f"it is not JSON: {error}")
    except RecursionError:
        return Reading(None, "it is not JSON: it nests too deep")
    except ValueError:
        return Reading(None, "it has text or numbers that JSON cannot carry")
    return Reading(value)


class _Refused(ValueError):
    """Something that Python's parser accepts but JSON does not mean one thing by."""


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(f"`{name}` is no JSON number")


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Refused(f"the name `{twice}` stands twice in one object")
    return value


def _place(error: json.JSONDecodeError) -> str:
    """Return where parsing stopped, the same for all versions of Python."""
    position = error.pos
    if error.msg.startswith(_OLDER_PLACE):  # Python 3.13 and later point to the comma itself
        rest = error.doc[position + 1 :]
        position += 1 + len(rest) - len(rest.lstrip(" \t\n\r"))
    before = error.doc[:position]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    return f"unexpected text at line {line}, column {column}"
