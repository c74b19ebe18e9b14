"""What an evaluation finds: scores of trials, trials of cases, cases of a suite.

Values only, with their JSON form, which is what caches, locks, shards and reports keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from agentci.core.digest import Digest
from agentci.core.json_types import JsonObject, JsonValue

TrialStatus: TypeAlias = Literal["judged", "not_judged", "error"]
"""`judged`: it has an answer and scores, also where the answer is that the target failed;
`not_judged`: a request has no recording; `error`: the harness itself failed (a scorer crashed,
a provider refused the key), which says nothing about the case and is never a pass."""

METRICS: tuple[str, ...] = ("cost", "tokens", "steps", "latency")
"""Measured for every trial, as recorded: cost in the models' currency, input and output tokens,
model calls, and the seconds that its recorded calls took together. They are the target's alone.
For all of them less is better."""

JUDGE_METRICS: tuple[str, ...] = ("judge_cost", "judge_tokens")
"""What the judges of a trial took. Reported, and never compared: it says nothing of the target."""


@dataclass(frozen=True, slots=True)
class Score:
    """What one scorer says of one answer."""

    value: float
    """From 0 to 1."""
    passed: bool
    explanation: str = ""
    """For people: why, in a line."""
    details: JsonObject = field(default_factory=dict)
    """What the scorer measured, for reports."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One answer to one case."""

    trial: int
    """Counted from 1."""
    status: TrialStatus
    key: Digest
    """Of everything that can change this result."""
    reason: str = ""
    """Why it is not judged, or what failed."""
    scores: Mapping[str, Score] = field(default_factory=dict)
    """By the scorer's name; scorers whose `when` is false are missing."""
    passed: bool = False
    """Whether every scorer that gates passed. Only of judged trials."""
    failing: tuple[str, ...] = ()
    """The scorers that gate and did not pass, in the order of the suite."""
    output: JsonValue = None
    """What was scored."""
    output_digest: Digest | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    """By the names in `METRICS` and `JUDGE_METRICS`; a value that nobody recorded is missing."""
    run_digest: Digest | None = None
    """Of the target's run."""
    recordings: Digest | None = None
    """Of the recordings that it was replayed from; None where it needed none. Equal recordings at
    base and head mean that a difference is no sampling noise."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """All trials of one case."""

    case: str
    """The case's id, unique in the suite."""
    row: Digest
    """Of the row of the dataset."""
    trials: tuple[TrialResult, ...]
    """In order of their number."""
    group: str | None = None
    tags: tuple[str, ...] = ()
    """Sorted."""
    required: bool = False
    line: int | None = None
    """In the dataset's file, counted from 1."""
    file: str | None = None
    """The dataset's file, relative to the project, with `/`."""

    @property
    def judged(self) -> bool:
        """Whether every trial has been judged."""
        return bool(self.trials) and all(trial.status == "judged" for trial in self.trials)

    @property
    def passes(self) -> int:
        """Number of trials that passed."""
        return sum(trial.passed for trial in self.trials)

    @property
    def pass_rate(self) -> float:
        """Share of trials that passed; the case's mean, the unit of every statistic."""
        return self.passes / len(self.trials) if self.trials else 0.0

    @property
    def flaky(self) -> bool:
        """Whether some trials passed and others did not."""
        return 0 < self.passes < len(self.trials)


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """A suite, evaluated at one state of the repository."""

    suite: str
    """The suite's path in the project: its folder, with `/`."""
    name: str
    trials: int
    """Asked for, per case."""
    digests: Mapping[str, Digest]
    """What it was made of, by part: `suite`, `target`, `prompts`, `models`, `tools`, `dataset`,
    `scorers`, `cassettes`."""
    cases: tuple[CaseResult, ...]
    """In order of their ids."""
    live: bool = False
    """Whether answers were drawn anew, so that they carry sampling noise."""
