"""Units that are independent of each other: cases, or where cases come in groups, the groups.

Knows nothing of the tests that use them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import fsum, isfinite
from typing import TypeAlias

Group: TypeAlias = Hashable
"""Any label. A case without a group gets one of its own from the caller, such as its id."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The differences of one case or group, summed."""

    total: float
    size: int
    """Cases in it."""


def clustered(differences: Sequence[float], groups: Sequence[Group] | None) -> tuple[Unit, ...]:
    """Return the sum for each group in order of first appearance; without groups, for each case.

    Raises:
        ValueError: when `groups` has another length, or a difference is not finite.
    """
    if not all(map(isfinite, differences)):
        raise ValueError("a difference has to be a finite number")
    if groups is None:
        return tuple(Unit(value, 1) for value in differences)
    members: dict[Group, list[float]] = {}
    for value, group in zip(differences, groups, strict=True):
        members.setdefault(group, []).append(value)
    return tuple(Unit(fsum(values), len(values)) for values in members.values())
