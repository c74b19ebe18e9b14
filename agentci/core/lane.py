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
    """The lane of the running task and how many children of each kind it has spawned so far."""

    lane: Lane
    owner: object = None
    """Who has opened the lane; its children belong to the same."""
    spawned: dict[str, int] = field(default_factory=dict)

    def spawn(self, marker: str) -> LaneScope:
        """Return the scope of the next child: numbered by spawn order, never by completion.

        Kinds are counted apart, so that a job that a library submits does not rename the tasks.
        """
        number = self.spawned[marker] = self.spawned.get(marker, 0) + 1
        return LaneScope(child_lane(self.lane, f"{marker}{number}"), self.owner)


@dataclass(slots=True)
class StillScope(LaneScope):
    """A scope whose children do not count: whatever a library spawns stays in the same lane."""

    def spawn(self, marker: str) -> LaneScope:  # noqa: ARG002 - as in any scope
        """Return this scope."""
        return self


_current: ContextVar[LaneScope | None] = ContextVar("agentci_lane", default=None)


def current_scope() -> LaneScope | None:
    """Return the lane scope of the running task or thread, or None outside any lane."""
    return _current.get()


def enter_scope(scope: LaneScope | None) -> None:
    """Make `scope` the current one for the running task or thread; None leaves all lanes."""
    _current.set(scope)
