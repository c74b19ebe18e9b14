"""The answers that a step used, as its record keeps them: address and digest of the response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from agentci.core.digest import Digest
from agentci.core.lane import Lane
from agentci.record.interaction import Address

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject
    from agentci.record.session import RecordingSession


def evidence_in(session: RecordingSession, lane: Lane) -> tuple[JsonObject, ...]:
    """Return the answers that were used in `lane` and below it."""
    return tuple(
        {
            "lane": each.address.lane,
            "key": each.address.key,
            "occurrence": each.address.occurrence,
            "response": each.response,
        }
        for each in session.evidence(lane)
    )


def count_as_played(session: RecordingSession, evidence: Iterable[JsonObject]) -> None:
    """Count the answers of a resumed or cached step as played."""
    session.mark_played(
        Address(Lane(str(each["lane"])), Digest(str(each["key"])), cast("int", each["occurrence"]))
        for each in evidence
    )
