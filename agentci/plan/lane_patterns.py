"""Which recorded lanes a plan has, and where in its order. Pure; knows nothing of recordings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentci.core.lane import ROOT, Lane, iteration_lane
from agentci.plan.planner import PlanNode, walk_nodes
from agentci.spec.pipeline import LoopStep, StepBase

_ANY_ITEM: Final = r"\[[^\[\]]+\]"
_ATTEMPT: Final = r"(?:~[0-9]+)?"
_BELOW: Final = r"(?:[/\[#~].*)?"
_NUMBER: Final = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class _Expected:
    pattern: re.Pattern[str]
    position: int
    step: StepBase


class PlannedLanes:
    """The lanes in which a run of a plan may ask for something."""

    def __init__(self, nodes: Sequence[PlanNode]) -> None:
        """Take the lanes of a plan; its loops and known items bound which repeats there are."""
        repeats = dict(_repeats(nodes))
        self._expected = [
            _Expected(pattern, position, node.step)
            for position, node in enumerate(walk_nodes(nodes))
            for pattern in _patterns(node, repeats)
        ]

    def has(self, lane: Lane) -> bool:
        """Say whether the plan has `lane`."""
        return self._position(lane) is not None

    def step_of(self, lane: Lane) -> StepBase | None:
        """Return the innermost step that `lane` belongs to, or None where the plan has none."""
        found = [each.step for each in self._expected if each.pattern.fullmatch(lane)]
        return found[-1] if found else None

    def order(self, lane: Lane) -> tuple[object, ...]:
        """Return a key that sorts lanes in plan order, those that the plan does not have last."""
        return (not self.has(lane), tuple(self._segments(lane)), natural(lane))

    def _segments(self, lane: Lane) -> Iterator[tuple[object, ...]]:
        """Yield, from the outermost step inwards, where it stands and which repeat it is."""
        segments = lane.split("/")
        for number, segment in enumerate(segments, start=1):
            position = self._position(Lane("/".join(segments[:number])))
            yield (-1 if position is None else position, natural(segment))

    def _position(self, lane: Lane) -> int | None:
        found = (each.position for each in self._expected if each.pattern.fullmatch(lane))
        return next(found, None)


def natural(lane: str) -> tuple[tuple[str, int, str], ...]:
    """Return a key that sorts `fix[2]` before `fix[10]`."""
    parts = _NUMBER.split(lane)
    pairs = zip(parts[::2], [*parts[1::2], ""], strict=True)
    return tuple((text, int(number or 0), number) for text, number in pairs)


def _patterns(node: PlanNode, repeats: Mapping[str, str]) -> Iterator[re.Pattern[str]]:
    own = _regex(node.lane_pattern, repeats)
    if node.agent_lanes:
        # the step's own lane has notes on attempts that were lost
        for lane in (node.lane_pattern, *node.agent_lanes):
            yield re.compile(_regex(lane, repeats))
    elif node.children:
        yield re.compile(own + rf"(?:{_ANY_ITEM})?")
    else:
        yield re.compile(own + _BELOW)


def _regex(lane: str, repeats: Mapping[str, str]) -> str:
    out: list[str] = []
    done = ""
    for index, part in enumerate(re.split(r"(\[\*\]|/)", lane)):
        if part == "[*]":
            out.append(repeats.get(done, _ANY_ITEM))
        elif index and part == "/":
            out.append("/")
        else:
            # an agent's lane has no attempts of its own, and a pattern that allows them harms not
            out.append(re.escape(part) + _ATTEMPT if part else "")
        done += part
    return "".join(out)


def _repeats(nodes: Sequence[PlanNode]) -> Iterator[tuple[str, str]]:
    """Yield the lane of each step that repeats others, with a pattern for its repeats."""
    for node in walk_nodes(nodes):
        if isinstance(node.step, LoopStep):
            numbers = "|".join(str(number) for number in range(1, node.step.loop.max + 1))
            yield node.lane_pattern, rf"\[(?:{numbers})\]"
        elif node.items is not None:
            suffixes = (re.escape(iteration_lane(ROOT, key)) for key in node.items)
            yield node.lane_pattern, f"(?:{'|'.join(suffixes)})"
