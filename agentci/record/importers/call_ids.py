"""The ids of tool calls as they were before a key renamed them, so that an export can restore them.

Knows that renaming changes texts and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agentci.core.json_types import JsonObject, JsonValue

_FIELDS: Final = frozenset({"id", "call_id", "tool_call_id", "tool_use_id"})


def original_ids(original: JsonValue, renamed: JsonValue) -> dict[str, str]:
    """Return the ids of `original` by the names that they have in `renamed`."""
    found: dict[str, str] = {}
    _collect(original, renamed, found)
    return found if restore_ids(renamed, found) == original else {}


def restore_ids(value: JsonValue, ids: JsonObject) -> JsonValue:
    """Return `value` with the names in `ids` replaced by what they stood for."""
    if isinstance(value, Mapping):
        return {
            name: ids[item]
            if name in _FIELDS and isinstance(item, str) and item in ids
            else restore_ids(item, ids)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [restore_ids(item, ids) for item in value]
    return value


def _collect(original: JsonValue, renamed: JsonValue, found: dict[str, str]) -> None:
    if original is renamed:
        return
    if isinstance(original, Mapping) and isinstance(renamed, Mapping):
        for name, item in original.items():
            _collect(item, renamed.get(name), found)
    elif isinstance(original, list) and isinstance(renamed, list):
        for before, after in zip(original, renamed, strict=False):
            _collect(before, after, found)
    elif isinstance(original, str) and isinstance(renamed, str) and original != renamed:
        found[renamed] = original
