"""What the agents of a case said at both sides, for formats that show it. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from agentci.gate.decision import Decision


@dataclass(frozen=True, slots=True)
class Transcript:
    """The recordings of a case as text, at both sides."""

    base: str | None
    """None where it is not known."""
    head: str | None


Transcripts: TypeAlias = Mapping[tuple[str, str], Transcript]
"""By the path of the suite and the id of the case."""


@dataclass(frozen=True, slots=True)
class Report:
    """A decision, and what is known beside it."""

    decision: Decision
    transcripts: Transcripts = field(default_factory=dict)
