"""The items of a fan-out: their order, their names in lanes, and the combinations of a matrix."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import cast

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import StepFailed
from agentci.core.json_types import JsonValue
from agentci.spec.expressions import evaluate, resolve
from agentci.spec.pipeline import ForeachBody

_WORD = re.compile(r"[\w.-]{1,64}")
_MAX_ITEMS = 10_000
_MAX_KEY = 100

ITEM_ERRORS = frozenset({"ACI-S140", "ACI-S141", "ACI-S142", "ACI-S143"})
"""Codes of errors that lie in the items, not in the evaluation of an expression."""


@dataclass(frozen=True, slots=True)
class ForeachItem:
    """One item of a fan-out."""

    key: str
    """Its name in the lane, unique in the fan-out; a bare position counts from 0."""
    value: JsonValue
    """What expressions see as `item`."""


def expand_items(body: ForeachBody, scope: Mapping[str, JsonValue]) -> tuple[ForeachItem, ...]:
    """Return the items in order; of a matrix the last axis varies fastest.

    Raises:
        StepFailed: when an expression does not give a list (ACI-S140), two items have one key
            (ACI-S141), there are too many items (ACI-S142), or a key is empty or too long
            (ACI-S143).
        SpecError: when an expression cannot be evaluated.
    """
    values = _values(body, scope)
    if len(values) > _MAX_ITEMS:
        raise StepFailed(
            f"the fan-out has {len(values)} items; at most {_MAX_ITEMS} are allowed",
            code="ACI-S142",
        )
    seen: dict[str, int] = {}
    items: list[ForeachItem] = []
    for position, value in enumerate(values):
        key = _key(body, position, value=value, scope=scope)
        if not 0 < len(key) <= _MAX_KEY:
            raise StepFailed(
                f"item {position} of the fan-out has a key of {len(key)} characters",
                code="ACI-S143",
                hint=f"give `key:` an expression of 1 to {_MAX_KEY} characters",
            )
        if key in seen:
            raise StepFailed(
                f"items {seen[key]} and {position} of the fan-out have the same key `{key}`",
                code="ACI-S141",
                hint="give `key:` an expression that differs for every item",
            )
        seen[key] = position
        items.append(ForeachItem(key, value))
    return tuple(items)


def _values(body: ForeachBody, scope: Mapping[str, JsonValue]) -> Sequence[JsonValue]:
    if body.matrix is None:
        return _as_list("items", body.items, scope=scope)
    axes = {name: _as_list(name, axis, scope=scope) for name, axis in body.matrix.items()}
    size = 1
    for axis in axes.values():
        size *= len(axis)
    if size > _MAX_ITEMS:
        raise StepFailed(
            f"the matrix has {size} combinations; at most {_MAX_ITEMS} are allowed",
            code="ACI-S142",
        )
    return [dict(zip(axes, combination, strict=True)) for combination in product(*axes.values())]


def _as_list(name: str, value: object, *, scope: Mapping[str, JsonValue]) -> Sequence[JsonValue]:
    found = resolve(cast("JsonValue", value), scope)
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise StepFailed(
            f"`{name}` of the fan-out is not a list but `{_shown(found)}`",
            code="ACI-S140",
            hint="use an expression that gives a list",
        )
    return found


def _key(
    body: ForeachBody, position: int, *, value: JsonValue, scope: Mapping[str, JsonValue]
) -> str:
    if body.key is not None:
        found = evaluate(body.key, {**scope, "item": value})
        return found if isinstance(found, str) else canonical_bytes(found).decode()
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return canonical_bytes(value).decode()
    if body.matrix is not None and isinstance(value, Mapping):
        return _matrix_key(position, value)
    return str(position)


def _matrix_key(position: int, value: Mapping[str, JsonValue]) -> str:
    parts = [
        part if isinstance(part, str) else canonical_bytes(part).decode() for part in value.values()
    ]
    # a word has no comma, so two combinations can never get the same key
    return ",".join(parts) if all(_WORD.fullmatch(part) for part in parts) else str(position)


def _shown(value: JsonValue) -> str:
    return canonical_bytes(value).decode(errors="replace")[:80]
