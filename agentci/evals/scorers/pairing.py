"""Pairs expectations with what was found, so that as many as possible have one of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def largest_pairing(left: int, right: int, fits: Callable[[int, int], bool]) -> Mapping[int, int]:
    """Return, for each of `left` things that has one, the partner of `right` things that fit it.

    As many as possible have a partner (a maximum bipartite matching by augmenting paths, Kuhn
    1955; at most `left` times `left` times `right` steps). `fits` is asked once for each pair.
    """
    near = [[other for other in range(right) if fits(one, other)] for one in range(left)]
    owner: dict[int, int] = {}
    for one in range(left):
        _augment(one, near, owner)
    return {one: other for other, one in sorted(owner.items())}


def _augment(start: int, near: list[list[int]], owner: dict[int, int]) -> None:
    """Find a partner for `start`, by moving others to another partner where needed."""
    came_from: dict[int, int] = {}
    pending = [start]
    while pending:
        one = pending.pop()
        for other in near[one]:
            if other in came_from:
                continue
            came_from[other] = one
            if other not in owner:
                _take_over(other, start, came_from, owner)
                return
            pending.append(owner[other])


def _take_over(last: int, start: int, came_from: Mapping[int, int], owner: dict[int, int]) -> None:
    previous = {one: other for other, one in owner.items()}
    other: int | None = last
    while other is not None:
        one = came_from[other]
        owner[other] = one
        other = None if one == start else previous[one]
