"""An interaction: one request and its response, and the address under which it is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from agentci.core.digest import Digest
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane

InteractionKind: TypeAlias = Literal["model", "tool", "command", "approval", "http"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where an interaction stands: found by who asked, what was asked, and the how manieth time."""

    lane: Lane
    key: Digest
    """Digest of the canonical request."""
    occurrence: int
    """Counts equal keys in one lane from 1, reserved when the request is issued."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request and its response."""

    address: Address
    kind: InteractionKind
    request: JsonObject
    """The canonical request, complete: `address.key` is its digest (see `record.keys`)."""
    response: JsonObject
    """As the kind defines it. Large and binary values stand as `Blob` references."""
    notes: Mapping[str, JsonValue] = field(default_factory=dict)
    """What a reader should know and no key covers: whether the seed was sent, what was masked."""
    provenance: Mapping[str, JsonValue] = field(default_factory=dict)
    """When and from where it was recorded. No digest covers it."""
