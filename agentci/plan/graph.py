"""The order of sibling steps: needs, cycles, ancestors, and which trees a step starts from.

Works on ids and needs alone; what the steps do is unknown here. All orders are stable: where the
needs leave a choice, the order in which the steps are written decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TypeAlias

from agentci.spec.pipeline import StepBase

Needs: TypeAlias = Mapping[str, tuple[str, ...]]
"""The needs of each step by id, steps in the order in which they are written."""


def resolve_needs(steps: Sequence[StepBase]) -> Needs:
    """Return the needs of each sibling; a step that names none needs the step above it."""
    found: dict[str, tuple[str, ...]] = {}
    above: tuple[str, ...] = ()
    for step in steps:
        found[step.id] = above if step.needs is None else step.needs
        above = (step.id,)
    return found


def find_cycle(needs: Needs) -> tuple[str, ...] | None:
    """Return the steps of a cycle, the first one repeated at the end, or None.

    Of several cycles the one that is met first in written order is returned, always the same.
    """
    done: set[str] = set()
    for start in needs:
        cycle = _cycle_from(start, needs=needs, done=done)
        if cycle is not None:
            return cycle
    return None


def _cycle_from(start: str, *, needs: Needs, done: set[str]) -> tuple[str, ...] | None:
    """Walk depth first without recursion, so that a long chain of steps cannot overflow."""
    path: list[str] = []
    on_path: set[str] = set()
    todo: list[tuple[str, bool]] = [(start, False)]
    while todo:
        step, leaving = todo.pop()
        if leaving:
            on_path.discard(path.pop())
            done.add(step)
        elif step in on_path:
            return (*path[path.index(step) :], step)
        elif step not in done and step in needs:
            path.append(step)
            on_path.add(step)
            todo.append((step, True))
            todo.extend((need, False) for need in reversed(needs[step]))
    return None


def topological_order(needs: Needs) -> tuple[str, ...]:
    """Return the steps so that each comes after its needs; of those ready, the first written.

    Raises:
        ValueError: when the needs have a cycle. `check_bundle` reports it with its place first.
    """
    cycle = find_cycle(needs)
    if cycle is not None:
        raise ValueError(f"steps need each other: {' -> '.join(cycle)}")
    position = {step: index for index, step in enumerate(needs)}
    waiting = {step: {need for need in needs[step] if need in needs} for step in needs}
    needed_by: dict[str, list[str]] = {step: [] for step in needs}
    for step, above in waiting.items():
        for need in above:
            needed_by[need].append(step)
    ready = [(position[step], step) for step in needs if not waiting[step]]
    order: list[str] = []
    while ready:
        _, step = heappop(ready)
        order.append(step)
        for later in needed_by[step]:
            waiting[later].discard(step)
            if not waiting[later]:
                heappush(ready, (position[later], later))
    return tuple(order)


def ancestors(needs: Needs) -> Mapping[str, frozenset[str]]:
    """Return for each step all steps that come before it, through its needs and theirs."""
    found: dict[str, frozenset[str]] = {}
    for step in topological_order(needs):
        above = [need for need in needs[step] if need in needs]
        found[step] = frozenset(above).union(*(found[need] for need in above))
    return {step: found[step] for step in needs}


def heads(needs: Needs, steps: Iterable[str]) -> tuple[str, ...]:
    """Return those of `steps` that no other of them comes after, in written order.

    Their trees together hold the work of all `steps`.
    """
    above = ancestors(needs)
    wanted = frozenset(steps)
    return tuple(
        step for step in needs if step in wanted and not any(step in above[w] for w in wanted)
    )


@dataclass(frozen=True, slots=True)
class TreeMerge:
    """One three-way merge on the way to the tree that a step starts from."""

    theirs: str
    """The step whose tree is merged into what was merged so far."""
    base: tuple[str, ...]
    """The steps whose trees, merged, are the base; empty: the tree that the block started from."""


@dataclass(frozen=True, slots=True)
class TreeOrigin:
    """How the tree of a set of steps is made: take the tree of `first`, then do the `merges`."""

    first: str | None
    """None where there are no steps: the tree that the block started from."""
    merges: tuple[TreeMerge, ...] = ()


def tree_origin(needs: Needs, steps: Iterable[str]) -> TreeOrigin:
    """Return how to get the tree with the work of all `steps`, merged in written order.

    For the needs of a step this is the tree that it starts from; for all steps of a block, the
    tree that the block ends with. Steps whose work another one already contains are left out.
    """
    tops = heads(needs, steps)
    if not tops:
        return TreeOrigin(None)
    merges = [
        TreeMerge(theirs, merge_base(needs, tops[:index], theirs=theirs))
        for index, theirs in enumerate(tops)
        if index
    ]
    return TreeOrigin(tops[0], tuple(merges))


def merge_base(needs: Needs, ours: Iterable[str], *, theirs: str) -> tuple[str, ...]:
    """Return the nearest common ancestors of `ours` together and `theirs`, in written order.

    Empty means that they have only the start of the block in common. Several mean that the base
    is the merge of their trees (`tree_origin` of them), as git does for criss-cross histories.
    """
    above = ancestors(needs)
    left: frozenset[str] = frozenset()
    for step in ours:
        left |= above[step] | {step}
    return heads(needs, left & (above[theirs] | {theirs}))
