"""The tapes that are in use in this process, and which of them a call belongs to.

A call belongs to the tape that its task or thread has been started under; where that is not known
(a thread of its own, a test runner's task), to the one that was put in last. Must not know how
calls are intercepted.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Final

from agentci.adapters import spawn_lanes
from agentci.core.lane import Lane, LaneScope, current_scope
from agentci.record.session import is_below
from agentci.record.tape import Call, SentRequest, Tape


@dataclass(eq=False, slots=True)
class Reel:
    """A tape in use."""

    tape: Tape
    before_request: Any = None
    """From a request in vcrpy's form to one to look for, or to None where it is not taped."""
    before_response: Any = None
    """From an answer in vcrpy's form to one to keep, or to None where it is not kept."""
    scope: LaneScope = field(init=False)
    intakes: list[Any] = field(default_factory=list)
    """Answers that are being read."""
    is_open: bool = True

    def __post_init__(self) -> None:
        self.scope = LaneScope(self.tape.lane, self)

    def issue(self, sent: SentRequest) -> Call:
        """Issue a call from the lane of the running task or thread."""
        __tracebackhide__ = True
        scope = current_scope()
        lane = self.tape.lane
        if scope is not None and scope.owner is self and is_below(scope.lane, lane):
            lane = Lane(scope.lane)
        return self.tape.issue(sent, lane)


class Reels:
    """The reels that are in use; the last one is innermost."""

    def __init__(self) -> None:
        self._reels: list[Reel] = []
        self.lock = RLock()

    def put_in(self, reel: Reel) -> bool:
        """Use `reel` from now on; say whether it is the only one."""
        with self.lock:
            self._reels.append(reel)
            return len(self._reels) == 1

    def take_out(self, reel: Reel) -> bool:
        """Use `reel` no more; say whether none is left."""
        with self.lock:
            reel.is_open = False
            self._reels.remove(reel)
            return not self._reels

    def scope(self) -> LaneScope | None:
        """Return the scope of the running task or thread, whether or not it has inherited one."""
        scope = current_scope()
        if scope is None or (isinstance(scope.owner, Reel) and not scope.owner.is_open):
            reels = self._reels
            return reels[-1].scope if reels else None
        return scope

    def current(self) -> Reel | None:
        """Return the reel that a call of the running task or thread belongs to."""
        scope = self.scope()
        if scope is not None and isinstance(scope.owner, Reel):
            return scope.owner
        reels = self._reels  # the lane is of somebody else, say a run's
        return reels[-1] if reels else None


REELS: Final = Reels()
"""Those of this process."""


def still() -> AbstractContextManager[None]:
    """Let what a client library spawns while the block runs not count in the caller's lane."""
    return spawn_lanes.still(REELS.scope)
