"""Keys: what makes two requests the same request.

A key is the digest of the whole canonical request. Only the ids of tool calls are renamed, because
a provider draws them at random; they are renamed at the places where a wire format has them, never
inside texts or arguments. Knows the shapes of wire formats, not the dialects themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from agentci.core.canonical import canonical_bytes
from agentci.core.digest import Digest, digest_bytes, digest_json
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.wire import WireRequest

KEY_VERSION: Final = 1
"""Raised when the same request gets another key; `agentci cassette rekey` then brings recordings
along. Cassettes name theirs in the header, unless it is 1."""

_ITEM_POINTER = "item_reference"
_REDACTED = b"<redacted:"  # as in `record.secrets.placeholder`


def interaction_key(request: JsonObject) -> Digest:
    """Return the key of a canonical request; which numbers its placeholders have does not matter.

    Raises:
        ValueError: when the request holds a number or text that JSON cannot carry.
    """
    data = canonical_bytes(request)
    if _REDACTED in data:
        from agentci.record.secrets.placeholder import renumbered  # noqa: PLC0415 - rarely needed

        return digest_json(renumbered(request))
    return digest_bytes(data)


def canonical_request(dialect: str, wire: WireRequest) -> JsonObject:
    """Return the request that is hashed and stored for a model call.

    `dialect` names the wire format and its version. Headers are no part of it.
    """
    return {
        "dialect": dialect,
        "method": wire.method,
        "path": wire.path,
        "body": rename_call_ids(wire.body),
    }


def rename_call_ids(body: JsonObject) -> JsonObject:
    """Return `body` with the ids of tool calls replaced by `call-1`, `call-2`, by appearance.

    Nothing else changes; parts without ids are shared with `body`, not copied.
    """
    names = _Names()
    changes: dict[str, JsonValue] = {}
    for name, rename in (("messages", _message), ("input", _input_item), ("contents", _content)):
        items = _objects(body.get(name))
        if items is not None:
            changes[name] = [rename(item, names) for item in items]
    return {**body, **changes} if names else body


class _Names(dict[str, str]):
    """Ids as they appeared, and their new names."""

    def __missing__(self, call_id: str) -> str:
        name = self[call_id] = f"call-{len(self) + 1}"
        return name


_Rename: TypeAlias = Callable[[JsonValue, _Names], JsonValue]


def _objects(value: JsonValue) -> Sequence[JsonValue] | None:
    if type(value) is list:  # these two are nearly all; the general check costs much more
        return value
    if type(value) is str:
        return None
    return value if isinstance(value, Sequence) and not isinstance(value, str) else None


def _renamed(item: JsonObject, field: str, names: _Names) -> JsonObject:
    call_id = item.get(field)
    return {**item, field: names[call_id]} if isinstance(call_id, str) and call_id else item


def _each(holder: JsonObject, field: str, rename: _Rename, names: _Names) -> JsonObject:
    items = _objects(holder.get(field))
    if items is None:
        return holder
    renamed = [rename(item, names) for item in items]
    if all(new is old for new, old in zip(renamed, items, strict=True)):
        return holder
    return {**holder, field: renamed}


def _message(message: JsonValue, names: _Names) -> JsonValue:
    """Rename in a message of Chat Completions or of Anthropic Messages."""
    if type(message) is not dict and not isinstance(message, Mapping):
        return message
    if "tool_calls" in message:
        message = _each(message, "tool_calls", _call, names)
    if "tool_call_id" in message:
        message = _renamed(message, "tool_call_id", names)
    return _each(message, "content", _block, names)


def _call(call: JsonValue, names: _Names) -> JsonValue:
    return _renamed(call, "id", names) if isinstance(call, Mapping) else call


def _block(block: JsonValue, names: _Names) -> JsonValue:
    """Rename in a content block of Anthropic Messages."""
    if not isinstance(block, Mapping):
        return block
    kind = block.get("type")
    if not isinstance(kind, str):
        return block
    if kind.endswith("tool_use"):
        return _renamed(block, "id", names)
    return _renamed(block, "tool_use_id", names) if kind.endswith("tool_result") else block


def _input_item(item: JsonValue, names: _Names) -> JsonValue:
    """Rename in an input item of Responses; `id` of an item is as random as that of its call."""
    if not isinstance(item, Mapping) or item.get("type") == _ITEM_POINTER:
        return item
    return _renamed(_renamed(item, "call_id", names), "id", names)


def _content(content: JsonValue, names: _Names) -> JsonValue:
    """Rename in a turn of Gemini."""
    return _each(content, "parts", _part, names) if isinstance(content, Mapping) else content


def _part(part: JsonValue, names: _Names) -> JsonValue:
    if not isinstance(part, Mapping):
        return part
    for field in ("functionCall", "functionResponse"):
        call = part.get(field)
        if isinstance(call, Mapping):
            part = {**part, field: _renamed(call, "id", names)}
    return part
