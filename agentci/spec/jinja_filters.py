"""Filters that Jinja has not, or has in a form without limits. Pure functions of JSON values."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Undefined

from agentci.spec.expression_values import (
    check_length,
    checked_size,
    join,
    look_up,
    to_json,
    to_text,
)


def _text(value: Any) -> str:
    return str(value) if isinstance(value, Undefined) else to_text(value)


def joined(values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    """Join `values`, or a field of each, with `separator`."""
    pieces = (_text(v if attribute is None else look_up(v, attribute)) for v in values)
    return join(pieces, separator)


def replace(text: Any, old: str, new: str) -> str:
    """Replace every `old` by `new`."""
    source = _text(text)
    count = source.count(old)
    check_length(len(source) + count * max(0, len(new) - len(old)))
    return source.replace(old, new)


def indent(text: Any, width: int = 4, *, first: bool = False, blank: bool = False) -> str:
    """Indent each line but the first by `width` spaces, at most 100."""
    source = _text(text)
    front = " " * min(int(width), 100)
    lines = source.split("\n")
    check_length(len(source) + len(lines) * len(front))
    return "\n".join(
        front + line if (line or blank) and (index or first) else line
        for index, line in enumerate(lines)
    )


def tojson(value: Any, indent: int | None = None) -> str:
    """Return `value` as JSON, with `indent` spaces (at most 8) per level."""
    if isinstance(value, Undefined):
        return str(value)  # raises
    width = None if indent is None else min(int(indent), 8)
    return json.dumps(to_json(value), ensure_ascii=False, indent=width)


def total(values: Iterable[Any], attribute: str | None = None, start: float = 0) -> Any:
    """Add numbers, or a field of each."""
    result: Any = start
    for value in values:
        result = checked_size(result + (value if attribute is None else look_up(value, attribute)))
        if not isinstance(result, int | float):
            raise TypeError("`sum` is for numbers")
    return result


def rounded(value: float, precision: int = 0, method: str = "common") -> float:
    """Round to `precision` digits, at most 15, `common`, `ceil` or `floor`."""
    digits = max(-15, min(int(precision), 15))
    if method == "common":
        return round(float(value), digits)
    if method not in {"ceil", "floor"}:
        raise ValueError("`round` is `common`, `ceil` or `floor`")
    factor = 10.0**digits
    return (math.ceil if method == "ceil" else math.floor)(value * factor) / factor


def keys(value: Mapping[str, Any]) -> list[str]:
    """Return the keys of a mapping."""
    return list(value)


OWN_FILTERS: dict[str, Callable[..., Any]] = {
    "indent": indent,
    "join": joined,
    "keys": keys,
    "replace": replace,
    "round": rounded,
    "string": _text,
    "sum": total,
    "tojson": tojson,
}
