"""How scorers show texts and values to people: in one line, cut around what differs."""

from __future__ import annotations

import json
from typing import Final

from agentci.core.json_types import JsonValue
from agentci.evals.scorers.answers import text_of

SHOWN: Final = 80
"""Characters of a text that an explanation shows."""

_BEFORE: Final = 20


def shown(value: JsonValue) -> str:
    """Return a value in one line: texts in quotes, the rest as JSON, cut at the end."""
    return quoted(value) if isinstance(value, str) else cut(text_of(value))


def quoted(text: str, start: int = 0) -> str:
    """Return the part of `text` around the position `start`, in quotes, in one line."""
    begin = max(0, start - _BEFORE)
    part = text[begin : begin + SHOWN]
    left = "..." if begin else ""
    right = "..." if begin + SHOWN < len(text) else ""
    return f"{left}{json.dumps(part, ensure_ascii=False)}{right}"


def cut(text: str, limit: int = SHOWN) -> str:
    """Return `text` in one line of at most `limit` characters."""
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit and len(text) <= 4 * limit else f"{line[: limit - 3]}..."


def difference(expected: str, found: str) -> str:
    """Say what was expected and what came, both from shortly before the first difference."""
    start = first_difference(expected, found)
    place = f" (from character {start + 1})" if start > _BEFORE else ""
    return f"expected {quoted(expected, start)}, got {quoted(found, start)}{place}"


def first_difference(one: str, other: str) -> int:
    """Return the index of the first character that differs; the shorter length where none does."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # comparing halves is a hundred times as fast as a loop over characters
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def listed(names: tuple[str, ...] | list[str], limit: int = 3) -> str:
    """Return the first names in backticks, and how many more there are."""
    parts = [f"`{cut(name)}`" for name in names[:limit]]
    more = len(names) - limit
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")
