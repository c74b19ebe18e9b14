"""A request as the difference to an earlier one of its lane, so that a message is stored once.

Knows that a request has a `body` whose lists grow as a conversation goes on, and nothing else of
wire formats.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeGuard

from agentci.core.json_types import JsonObject, JsonValue

_BODY: Final = "body"
_WORTH = 200  # characters saved, below which a reader is better served by the whole request
_FIRST = (
    "dialect", "method", "path", "model", "tool", "version", "type", "role", "id", "call_id",
    "tool_call_id", "tool_use_id", "name", "description",
)  # fmt: skip
_LAST = ("system", "systemInstruction", "instructions", "tools", "messages", "contents", "input")
_RANK = {name: rank for rank, name in enumerate(_FIRST, start=-len(_FIRST))} | {
    name: rank for rank, name in enumerate(_LAST, start=1)
}


@dataclass(frozen=True, slots=True)
class Delta:
    """What a request adds to its parent."""

    request: JsonObject
    """Fields that differ from the parent's, in `body` field by field; of a list that goes on,
    the new items alone."""
    keeps: Mapping[str, int] = field(default_factory=dict)
    """Lists in `body` that start with so many of the parent's items."""
    drops: tuple[str, ...] = ()
    """Fields of the parent's `body` that this request does not have."""


@dataclass(frozen=True, slots=True, order=True)
class Overlap:
    """How much of a request stands in another one; compares by kept items, then by fields."""

    kept: int = 0
    equal: int = 0


def overlap(request: JsonObject, parent: JsonObject) -> Overlap:
    """Return how much of `request` is in `parent`: items of lists that go on, then equal fields.

    Cheap, and for choosing only: `shrink` decides exactly.
    """
    body, base = request.get(_BODY), parent.get(_BODY)
    if not isinstance(body, Mapping) or not isinstance(base, Mapping):
        return Overlap(0, int(request == parent))
    kept = equal = 0
    for name, value in body.items():
        old = base.get(name)
        if _is_list(value) and _is_list(old):
            kept += _common(value, old)
        equal += value == old
    return Overlap(kept, equal)


def items(request: JsonObject) -> int:
    """Return how many items the lists in `body` have: no overlap keeps more."""
    body = request.get(_BODY)
    values = body.values() if isinstance(body, Mapping) else ()
    return sum(len(value) for value in values if _is_list(value))


def shrink(request: JsonObject, parent: JsonObject) -> Delta | None:
    """Return `request` as a delta to `parent`, or None where that is not worth it."""
    if _same(request, parent):
        return Delta({})
    body, base = request.get(_BODY), parent.get(_BODY)
    if not isinstance(body, Mapping) or not isinstance(base, Mapping):
        return None
    if any(name not in request for name in parent):
        return None
    new: dict[str, JsonValue] = {
        name: value
        for name, value in request.items()
        if name != _BODY and not (name in parent and _same(value, parent[name]))
    }
    fields: dict[str, JsonValue] = {}
    keeps: dict[str, int] = {}
    saved = 0
    for name, value in body.items():
        old = base.get(name)
        if name in base and _same(value, old):
            saved += _weight(value)
            continue
        count = _strictly_common(value, old)
        if count and _is_list(value):
            keeps[name] = count
            saved += _weight(value[:count])
            fields[name] = value[count:]
        else:
            fields[name] = value
    if saved < _WORTH:
        return None
    drops = tuple(sorted(name for name in base if name not in body))
    return Delta({**new, _BODY: fields} if fields else new, keeps, drops)


def restore(delta: Delta, parent: JsonObject) -> JsonObject:
    """Return the whole request that `shrink` was given.

    Raises:
        ValueError: when `parent` is not the request that the delta was made for.
    """
    if not (delta.request or delta.keeps or delta.drops):
        return parent
    body, base = delta.request.get(_BODY, {}), parent.get(_BODY, {})
    if not isinstance(body, Mapping) or not isinstance(base, Mapping):
        msg = "`body` is not a mapping"
        raise ValueError(msg)  # noqa: TRY004 - the value of a file is wrong, not a caller's type
    fields = {name: value for name, value in base.items() if name not in delta.drops}
    fields.update(body)
    for name, count in delta.keeps.items():
        kept, added = base.get(name), body.get(name, [])
        if not _is_list(kept) or not _is_list(added) or len(kept) < count:
            msg = f"`keeps` counts {count} items of `{name}`, which the parent does not have"
            raise ValueError(msg)
        fields[name] = [*kept[:count], *added]
    whole = {**parent, **delta.request}
    return {**whole, _BODY: fields} if _BODY in whole else whole


def frozen_lists(request: JsonObject) -> JsonObject:
    """Return `request` with lists of its own in `body`, since a caller's may go on growing."""
    body = request.get(_BODY)
    if not isinstance(body, Mapping):
        return request
    lists = {name: list(value) for name, value in body.items() if _is_list(value)}
    return {**request, _BODY: {**body, **lists}}


def arrange(value: JsonValue) -> JsonValue:
    """Return `value` with its keys in reading order: who and what first, conversations last.

    The order is the same whatever order the keys came in, so a request always has the same text.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: (_RANK.get(name, 0), name))
        return {name: arrange(value[name]) for name in names}
    if _is_list(value):
        return [arrange(item) for item in value]
    return value


def _is_list(value: JsonValue) -> TypeGuard[Sequence[JsonValue]]:
    kind = type(value)
    if kind is list or kind is dict or kind is str:  # nearly all; the general check costs more
        return kind is list
    return isinstance(value, Sequence) and not isinstance(value, str)


def _common(items: Sequence[JsonValue], others: Sequence[JsonValue]) -> int:
    count = 0
    for item, other in zip(items, others, strict=False):
        if item != other:
            break
        count += 1
    return count


def _strictly_common(value: JsonValue, old: JsonValue) -> int:
    if not _is_list(value) or not _is_list(old):
        return 0
    count = _common(value, old)
    while count and not _same(value[:count], old[:count]):
        count -= 1
    return count


def _same(value: JsonValue, other: JsonValue) -> bool:
    """Say whether two values are the same JSON; `==` alone takes True for 1."""
    if isinstance(value, str) or value is other:
        return value == other
    return value == other and _text(value) == _text(other)


def _text(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=dict)


def _weight(value: JsonValue) -> int:
    total = 0
    for item in value if _is_list(value) else (value,):
        total += len(_text(item))
        if total >= _WORTH:
            break
    return total
