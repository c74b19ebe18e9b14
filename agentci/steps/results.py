"""What steps and blocks of steps return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from agentci.core.errors import CassetteMiss
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.core.messages import Usage
from agentci.steps.commits import MadeCommit

Outcome: TypeAlias = Literal[
    "done",
    "skipped",
    "approved",
    "exhausted",
    "failed",
    "timed_out",
    "limit_turns",
    "limit_tokens",
    "limit_cost",
    "invalid_output",
    "refused",
    "truncated",
    "denied",
    "waiting",
    "halted",
    "missed",
]

Source: TypeAlias = Literal["executed", "replayed", "recorded", "cached", "resumed", "skipped"]
"""Where a result came from: a step that ran, one whose answers all came from cassettes, one that
asked a live endpoint, one from the action cache, one that an earlier part of this run finished."""

PASSING: frozenset[Outcome] = frozenset({"done", "skipped", "approved"})
"""Outcomes after which a pipeline goes on by itself."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step kind returns."""

    outcome: Outcome
    output: JsonValue
    message: str = ""
    """For people, where the outcome needs an explanation. No digest covers it."""
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    notes: Mapping[str, JsonValue] = field(default_factory=dict)
    """What reports should show (seeds that were ignored, masked values). No digest covers it."""
    children: tuple[StepRecord, ...] = ()
    """Records of the steps inside, in plan order."""
    passing: bool | None = None
    """Overrides whether the pipeline goes on, for outcomes that a definition may accept."""
    commits: tuple[MadeCommit, ...] | None = None
    """From a step with others inside: the commits that what follows it can see."""
    misses: tuple[CassetteMiss, ...] = ()
    """Of a step that `missed`: its requests without a recording."""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A finished step of a run."""

    lane: Lane
    step: str
    """Id of the step."""
    kind: str
    outcome: Outcome
    output: JsonValue
    tree: str
    """Git tree id after the step."""
    interactions: tuple[JsonObject, ...] = ()
    """Address and response digest of each recorded answer that the step used, by lane."""
    children: tuple[StepRecord, ...] = ()
    passed: bool = True
    message: str = ""
    source: Source = "executed"
    seconds: float = 0.0
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    notes: Mapping[str, JsonValue] = field(default_factory=dict)
    commits: tuple[MadeCommit, ...] | None = None
    """As in the result; None where the step itself says what it committed, if anything."""
    misses: tuple[CassetteMiss, ...] = ()
    """As in the result, without those of steps inside."""

    def canonical(self) -> JsonObject:
        """Return the part that the run digest covers, children in a flat list apart."""
        return {
            "lane": self.lane,
            "step": self.step,
            "kind": self.kind,
            "outcome": self.outcome,
            "output": self.output,
            "tree": self.tree,
            "interactions": list(self.interactions),
        }

    def from_source(self, source: Source) -> StepRecord:
        """Return the same record, marked with where it came from."""
        return replace(self, source=source)


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What a block of sibling steps returns."""

    records: tuple[StepRecord, ...]
    """In plan order; steps that never started are missing."""
    stopped: StepRecord | None = None
    """The first record in plan order that did not pass, or None when all passed."""
    commits: tuple[MadeCommit, ...] = ()
    """The commits that what follows the block can see."""

    @property
    def outputs(self) -> dict[str, JsonValue]:
        """The output of each step by id."""
        return {record.step: record.output for record in self.records}

    @property
    def usage(self) -> Usage:
        """Tokens of all steps together."""
        total = Usage()
        for record in self.records:
            total += record.usage
        return total

    @property
    def cost(self) -> float:
        """Cost of all steps together."""
        return sum(record.cost for record in self.records)


def misses_in(records: Iterable[StepRecord]) -> tuple[CassetteMiss, ...]:
    """Return the requests of `records`, and of those inside them, without a recording."""
    return tuple(
        miss for record in records for miss in (*misses_in(record.children), *record.misses)
    )


def scope_entry(record: StepRecord) -> JsonObject:
    """Return what expressions see of a finished step as `steps.<id>`."""
    return {"output": record.output, "outcome": record.outcome, "tree": record.tree}
