"""Lanes: the logical address of a caller, given by the plan and never by the schedule.

A lane is a path of segments: `code[2]/coder` is the agent `coder` in the second iteration of the
loop `code`; `fleet[calc]/review/reviewer` belongs to the item `calc` of a fan-out; `coder#1` is the
second of several samples; `code~2` is the second attempt of a step that was retried.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NewType

Lane = NewType("Lane", str)
ROOT = Lane("")


def child_lane(parent: Lane, segment: str) -> Lane:
    """Return the lane one level below `parent`."""
    return Lane(f"{parent}/{segment}" if parent else segment)


def iteration_lane(lane: Lane, index: int | str) -> Lane:
    """Return the lane of one loop iteration (counted from 1) or of one fan-out item."""
    return Lane(f"{lane}[{_escape(str(index))}]")


def sample_lane(lane: Lane, index: int) -> Lane:
    """Return the lane of the sample with `index`, counted from 0."""
    return Lane(f"{lane}#{index}")


def attempt_lane(lane: Lane, attempt: int) -> Lane:
    """Return the lane of an attempt, counted from 1; the first attempt is the lane itself."""
    return lane if attempt == 1 else Lane(f"{lane}~{attempt}")


def _escape(text: str) -> str:
    """Escape the characters that structure a lane, so that item keys cannot forge an address."""
    special = "%/[]#~"
    return "".join(f"%{ord(c):02x}" if c in special or not c.isprintable() else c for c in text)


@dataclass(slots=True)
class LaneScope:
    """The lane of the running task and how many children it has spawned so far."""

    lane: Lane
    spawned: int = field(default=0)

    def spawn(self, marker: str) -> LaneScope:
        """Return the scope of the next child: numbered by spawn order, never by completion."""
        self.spawned += 1
        return LaneScope(child_lane(self.lane, f"{marker}{self.spawned}"))


_current: ContextVar[LaneScope | None] = ContextVar("agentci_lane", default=None)


def current_scope() -> LaneScope | None:
    """Return the lane scope of the running task or thread, or None outside any lane."""
    return _current.get()


def enter_scope(scope: LaneScope) -> None:
    """Make `scope` the current one for the running task or thread."""
    _current.set(scope)
