"""What a model's own words about a mistake are made of. Knows no model and no document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from agentci.core.json_types import JsonValue


@dataclass(frozen=True, slots=True)
class Explained:
    """What is wrong with a value, in words."""

    code: str
    message: str
    hint: str | None = None
    key: str | None = None
    """The key of the value at which to point, or None for the value itself."""


ExplainUnion: TypeAlias = Callable[[JsonValue], Explained]
"""Words why a value is none of the alternatives of a tagged union."""
