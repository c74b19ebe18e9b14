"""Attempts that ended without an answer: recorded, so that a replay takes the same turn.

A provider that did not answer, or a timeout, leaves a call without a response. When the step is
then tried again and succeeds, a replay has to know that the first attempt is to be passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from agentci.record.interaction import Address, Interaction
from agentci.record.keys import interaction_key

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject
    from agentci.core.lane import Lane
    from agentci.record.session import RecordingSession

LostReason: TypeAlias = Literal["provider", "timeout"]


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """Notes and finds lost attempts in the lanes of one run."""

    session: RecordingSession

    def lost(self, lane: Lane) -> bool:
        """Say whether the attempt at `lane` was recorded as lost; counts all of it as played."""
        address = self.session.reserve(lane, interaction_key(_request(lane)))
        if self.session.lookup(address) is None:
            return False
        self.session.mark_lane_played(lane)
        return True

    def note(self, lane: Lane, reason: LostReason) -> None:
        """Record that the attempt at `lane` was lost and another one follows."""
        if not self.session.can_record:
            return
        request = _request(lane)
        address = Address(lane, interaction_key(request), 1)
        self.session.append(Interaction(address, "command", request, {"lost": reason}))


def _request(lane: Lane) -> JsonObject:
    return {"attempt": str(lane)}
