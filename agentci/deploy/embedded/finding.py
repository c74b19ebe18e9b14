"""What is wrong inside of a text that is JSON. Knows no kind of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

Models: TypeAlias = Callable[[str], Mapping[str, Any]]
"""Returns the shapes of an AWS service by name, as botocore has them in `service-2.json`."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong, inside of a text."""

    path: Path
    message: str
    hint: str | None = None


def shown(path: Path) -> str:
    """Return a path as people write it: `[0].portMappings[1].protocol`."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(parts).removeprefix(".")


def kind_of(value: object) -> str:
    """Return what a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
