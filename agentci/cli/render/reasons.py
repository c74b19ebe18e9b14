"""Cases that have one reason in common, so that it is told once, whatever the number of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class SameReason(Generic[_T]):
    """Things with one reason, in the order in which they came."""

    reason: str
    members: list[_T] = field(default_factory=list)


def by_reason(things: Iterable[_T], reason: Callable[[_T], str]) -> tuple[SameReason[_T], ...]:
    """Return `things` in groups with the same reason, in order of the first of each group.

    Things without a reason stay where they are, each by itself.
    """
    groups: list[SameReason[_T]] = []
    known: dict[str, SameReason[_T]] = {}
    for each in things:
        text = reason(each)
        group = known.get(text)
        if group is None:
            group = SameReason(text)
            groups.append(group)
            if text:
                known[text] = group
        group.members.append(each)
    return tuple(groups)
