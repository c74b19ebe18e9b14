"""Why a request has no recording: the nearest one in the lane, and what differs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from agentci.core.digest import short
from agentci.core.errors import CassetteMiss, Location
from agentci.core.json_types import JsonObject
from agentci.record.cassette import Cassette
from agentci.record.interaction import Address, InteractionKind
from agentci.record.stored_document import Place


@dataclass(frozen=True, slots=True)
class Missed:
    """A request that was not found."""

    address: Address
    request: JsonObject
    kind: InteractionKind
    rerecord: str
    """The command that would record it."""


def explain_miss(missed: Missed, cassette: Cassette, *, played: Collection[Place]) -> CassetteMiss:
    """Return the error that tells a user what to look at."""
    address = missed.address
    return CassetteMiss(
        f"no recording of {missed.kind} call `{short(address.key)}`"
        f" (number {address.occurrence} of its kind) in lane `{address.lane}`",
        hint=f"record it with `{missed.rerecord}`",
        location=Location(lane=address.lane),
    )
