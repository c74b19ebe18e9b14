"""Attempts that ended without an answer: recorded, so that a replay takes the same turn.

A provider that did not answer, or a timeout, leaves a call without a response. When the step is
then tried again and succeeds, a replay has to know that the first attempt is to be passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from agentci.core.digest import Digest
from agentci.core.lane import Lane
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import interaction_key

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject
    from agentci.record.session import RecordingSession

LostReason: TypeAlias = Literal["provider", "timeout"]


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """Notes and finds lost attempts in the lanes of one run."""

    session: RecordingSession

    def lost(self, lane: Lane) -> LostReason | None:
        """Return why the attempt at `lane` was recorded as lost, or None where it was not.

        The answers that it had got before count as used, as they did when it was recorded.
        """
        address = self.session.reserve(lane, interaction_key(_request(lane)))
        recorded = self.session.lookup(address)
        if recorded is None:
            return None
        for name, key in cast("Sequence[Sequence[str]]", recorded.response["answers"]):
            self.session.lookup(self.session.reserve(Lane(name), Digest(key)))
        return cast("LostReason", recorded.response["lost"])

    def note(self, lane: Lane, reason: LostReason) -> None:
        """Record that the attempt at `lane` was lost, with the answers that it had got."""
        if not self.session.can_record:
            return
        answers = [[each.address.lane, each.address.key] for each in self.session.evidence(lane)]
        request = _request(lane)
        address = Address(lane, interaction_key(request), 1)
        response: JsonObject = {"lost": reason, "answers": answers}
        self.session.append(Interaction(address, "command", request, response))


def _request(lane: Lane) -> JsonObject:
    return {"attempt": str(lane)}
