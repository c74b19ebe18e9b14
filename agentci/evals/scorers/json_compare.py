"""Compares JSON values part by part: with tolerances, parts left out, and lists in any order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from agentci.core.canonical import canonical_bytes
from agentci.core.json_types import JsonValue
from agentci.evals.scorers.pairing import largest_pairing
from agentci.evals.scorers.wording import difference, shown

MAX_LISTED: Final = 20
"""Differences that are told."""

_MAX_STEPS: Final = 200_000
_MAX_PAIRED: Final = 300


Place: TypeAlias = tuple[str | None, ...]
"""Names and indices that lead to a value; None for an index that is not known."""


class TooDifferent(Exception):
    """Comparing would take too long: lists in any order that have too little in common."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts as equal."""

    ignore: tuple[str, ...] = ()
    """JSON pointers; `*` stands for any name or index."""
    unordered: tuple[str, ...] = ()
    """JSON pointers of lists whose order does not count; `*` as above, `**` for all lists."""
    extra: bool = False
    """Whether objects may have more members than expected."""
    absolute: float = 0
    relative: float = 0


def differences(expected: JsonValue, found: JsonValue, rules: Rules) -> tuple[str, ...]:
    """Return where `found` differs, in words, at most `MAX_LISTED`.

    Raises:
        TooDifferent: see there.
        RecursionError: when a value nests too deep.
    """
    comparison = _Comparison(
        rules,
        ignore=[_parts(pointer) for pointer in rules.ignore],
        unordered=[_parts(pointer) for pointer in rules.unordered],
    )
    comparison.compare(expected, found, ())
    return tuple(comparison.found)


@dataclass(slots=True)
class _Comparison:
    rules: Rules
    ignore: Sequence[tuple[str, ...]]
    unordered: Sequence[tuple[str, ...]]
    probes: bool = False
    """Whether it only asks if something differs."""
    steps: int = 0
    """Values that were compared to find pairs."""
    found: list[str] = field(default_factory=list)

    def compare(self, expected: Any, found: Any, path: Place) -> None:
        self.steps += self.probes
        if self.steps > _MAX_STEPS:
            raise TooDifferent
        if len(self.found) >= (1 if self.probes else MAX_LISTED) or _is_at(path, self.ignore):
            return
        if _is_object(expected) and _is_object(found):
            self._compare_objects(expected, found, path)
        elif _is_list(expected) and _is_list(found):
            if "**" in self.rules.unordered or _is_at(path, self.unordered):
                self._compare_sets(expected, found, path)
            else:
                self._compare_lists(expected, found, path)
        elif not self._equal(expected, found):
            self._tell_of(path, expected, found)

    def _compare_objects(
        self, expected: Mapping[str, Any], found: Mapping[str, Any], path: Place
    ) -> None:
        names = expected if self.rules.extra else {**expected, **found}
        for name in sorted(names):
            inner = (*path, name)
            if name in expected and name in found:
                self.compare(expected[name], found[name], inner)
            elif _is_at(inner, self.ignore):
                continue
            elif name in expected:
                self._tell(inner, "expected {}, it is missing", expected[name])
            else:
                self._tell(inner, "expected nothing, got {}", found[name])

    def _compare_lists(self, expected: Sequence[Any], found: Sequence[Any], path: Place) -> None:
        if len(expected) != len(found):
            self._tell(path, "expected {} items, got {}", len(expected), len(found))
        for index, (one, other) in enumerate(zip(expected, found, strict=False)):
            self.compare(one, other, (*path, str(index)))

    def _compare_sets(self, expected: Sequence[Any], found: Sequence[Any], path: Place) -> None:
        if len(expected) != len(found):
            self._tell(path, "expected {} items, got {}", len(expected), len(found))
        rest = _Rest(expected, found)
        # with a tolerance, an item may be needed for another one than its equal
        tolerant = self.rules.absolute or self.rules.relative
        if not tolerant or max(len(expected), len(found)) > _MAX_PAIRED:
            rest = _without_equal(expected, found)
        left, right = rest.expected, rest.found
        if max(len(left), len(right)) > _MAX_PAIRED:
            raise TooDifferent
        pairs = largest_pairing(
            len(left), len(right), lambda one, other: self._fits(left[one], right[other], path)
        )
        for index, value in enumerate(left):
            if index not in pairs:
                self._tell(path, "expected {} in the list, it is missing", value)
        taken = set(pairs.values())
        for index, value in enumerate(right):
            if index not in taken:
                self._tell(path, "did not expect {} in the list", value)

    def _fits(self, expected: Any, found: Any, path: Place) -> bool:
        inner = replace(self, probes=True, found=[])
        inner.compare(expected, found, (*path, None))
        self.steps = inner.steps
        return not inner.found

    def _equal(self, expected: Any, found: Any) -> bool:
        if _is_number(expected) and _is_number(found):
            return _near(expected, found, self.rules)
        return type(expected) is type(found) and bool(expected == found)

    def _tell_of(self, path: Place, expected: Any, found: Any) -> None:
        if not self.probes and isinstance(expected, str) and isinstance(found, str):
            self._add(path, difference(expected, found))
        else:
            self._tell(path, "expected {}, got {}", expected, found)

    def _tell(self, path: Place, words: str, *values: Any) -> None:
        self._add(path, "" if self.probes else words.format(*map(shown, values)))

    def _add(self, path: Place, told: str) -> None:
        if len(self.found) < MAX_LISTED:
            place = "".join(f"/{_escaped(part)}" for part in path)
            shorter = place if len(place) <= 120 else f"...{place[-117:]}"
            self.found.append(f"`{shorter}`: {told}" if place else told)


def _near(expected: float, found: float, rules: Rules) -> bool:
    if expected == found:
        return True
    try:
        off = abs(float(found) - float(expected))
    except OverflowError:
        return False
    allowed = max(rules.absolute, rules.relative * abs(float(expected)))
    return math.isfinite(off) and off <= allowed


@dataclass(frozen=True, slots=True)
class _Rest:
    expected: Sequence[Any]
    found: Sequence[Any]


def _without_equal(expected: Sequence[Any], found: Sequence[Any]) -> _Rest:
    """Return the items that have no equal one on the other side."""
    unmatched = Counter(map(canonical_bytes, found))
    left = [value for value in expected if not _take(unmatched, value)]
    right = [value for value in reversed(found) if _take(unmatched, value)]
    return _Rest(left, right[::-1])


def _take(counts: Counter[bytes], value: Any) -> bool:
    key = canonical_bytes(value)
    if not counts[key]:
        return False
    counts[key] -= 1
    return True


def _escaped(part: str | None) -> str:
    return "*" if part is None else part.replace("~", "~0").replace("/", "~1")


def _parts(pointer: str) -> tuple[str, ...]:
    names = pointer.split("/")[1:]
    return tuple(name.replace("~1", "/").replace("~0", "~") for name in names)


def _is_at(path: Place, patterns: Sequence[tuple[str, ...]]) -> bool:
    return any(
        len(pattern) == len(path)
        and all(
            part in {"*", name} or name is None for part, name in zip(pattern, path, strict=True)
        )
        for pattern in patterns
    )


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
