"""Units that are independent of each other: cases, or where cases come in groups, the groups.

Knows nothing of the tests that use them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import isfinite
from typing import TypeAlias, TypeVar

Group: TypeAlias = Hashable
"""Any label. A case without a group gets one of its own from the caller, such as its id."""

Value = TypeVar("Value", int, float)


def clustered(values: Sequence[Value], groups: Sequence[Group] | None) -> list[list[Value]]:
    """Return the values of each group, by its first appearance; without groups, of each case.

    Raises:
        ValueError: when `groups` has another length.
    """
    if groups is None:
        return [[value] for value in values]
    members: dict[Group, list[Value]] = {}
    for value, group in zip(values, groups, strict=True):
        members.setdefault(group, []).append(value)
    return list(members.values())


def require_finite(differences: Sequence[float]) -> None:
    """Refuse what no statistic can be made of.

    Raises:
        ValueError: when a difference is infinite or not a number.
    """
    if not all(map(isfinite, differences)):
        raise ValueError("a difference has to be a finite number")
