"""A decision as JSON: `agentci/decision`, version 1, for scripts and for what is kept of a gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.gate.decision import Decision

FORMAT: Final = "agentci/decision"
VERSION: Final = 1


def decision_json(decision: Decision) -> JsonObject:
    """Return a decision with all its parts, in the order of their definition."""
    content = _plain(decision)
    assert isinstance(content, dict)
    return {"format": FORMAT, "version": VERSION, "blocks": decision.blocks, **content}


def _plain(value: object) -> JsonValue:
    """Return a value of `agentci.gate.decision` as JSON: each class by its fields."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)  # a text, or one of an enumeration's
