"""The few filters of Jinja that `agentci.spec.simple_expressions` knows, read from Python's syntax.

They are those that prompts use most, with constant arguments. All others are left to Jinja.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any, Literal

from agentci.spec.expression_values import join


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter with its argument."""

    name: Literal["default", "join", "length"]
    separator: str = ""

    def apply(self, value: Any) -> Any:
        """Return the filter's result.

        Raises:
            TypeError: when `value` is not one that the filter takes here.
            ValueError: when the result is too large.
        """
        if self.name == "default":
            return value  # what is missing has no value here: that case is left to Jinja
        if self.name == "length":
            return len(value)
        if not isinstance(value, list):
            raise TypeError("`join` is for lists")
        return join(value, self.separator)


def filter_of(node: ast.expr) -> Filter | None:
    """Return the filter that is written as `node` behind a `|`, or None."""
    match node:
        case ast.Name(id="length" | "count"):
            return Filter("length")
        case ast.Name(id="join"):
            return Filter("join")
        case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=value)], keywords=[]):
            if name == "join" and isinstance(value, str):
                return Filter("join", value)
            return Filter("default") if name in {"default", "d"} else None
        case _:
            return None
