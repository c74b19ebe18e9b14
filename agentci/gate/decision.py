"""The decision of the gate, as a value. Every output is printed from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from agentci.core.digest import Digest
from agentci.core.intervals import Interval
from agentci.core.json_types import JsonValue
from agentci.evals.compare.superiority import Verdict


class CaseChange(StrEnum):
    """How a case of head compares with the same case of the base."""

    NEWLY_BROKEN = "newly broken"
    NEWLY_FIXED = "newly fixed"
    STILL_FAILING = "still failing"
    STILL_PASSING = "still passing"
    TEXT_CHANGED = "changed text only"
    """Passes as before, with another answer."""
    LESS_OFTEN = "passes less often"
    """Of several trials fewer pass, but the rule for single cases is not met."""
    MORE_OFTEN = "passes more often"
    NOT_JUDGED = "not judged"
    NEW = "new"
    REMOVED = "removed"


ReasonKind: TypeAlias = Literal[
    "required_broken",
    "newly_broken",
    "not_judged",
    "harness_error",
    "nothing_judged",
    "removed",
    "new_failing",
    "statistic",
    "metric",
    "slice",
    "no_power",
    "not_enough_evidence",
    "quarantine_expired",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that the policy says about what was found."""

    kind: ReasonKind
    blocks: bool
    message: str
    """In words, complete by itself."""
    cases: tuple[str, ...] = ()
    """Ids of the cases it is about, sorted."""
    exit_code: int = 1
    """Where it blocks: 1 regression, 2 policy without power, 4 not judged, 6 harness error."""


@dataclass(frozen=True, slots=True)
class Side:
    """One case at base or head."""

    status: Literal["judged", "not_judged", "error"]
    passes: int
    trials: int
    scores: Mapping[str, float] = field(default_factory=dict)
    """Mean over trials, by scorer."""
    failing: tuple[str, ...] = ()
    """Scorers that gate and that failed in any trial, sorted."""
    explanation: str = ""
    """Of the first failing scorer, or why it was not judged."""
    output: JsonValue = None
    """Of the first failing trial, else of the first."""
    output_digest: Digest | None = None
    """Of all trials' outputs together."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Mean over trials."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why a case does not block for the time being."""

    owner: str
    reason: str
    expires: str
    expired: bool


@dataclass(frozen=True, slots=True)
class CaseComparison:
    """One case, at both sides."""

    case: str
    change: CaseChange
    base: Side | None
    head: Side | None
    sampled: bool = False
    """Whether its answers were drawn anew between the sides, so that chance has a part in it."""
    required: bool = False
    quarantine: Quarantine | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()
    file: str | None = None
    """Of the dataset, relative to the project."""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measured value, paired over the cases that both sides judged."""

    name: str
    """`pass rate`, a metric's or a scorer's name."""
    slice: str | None
    """The tag whose cases it is about, or None for all."""
    cases: int
    groups: int | None
    """Number of groups where they are taken into account."""
    base: float
    """Mean over cases."""
    head: float
    difference: float
    """Head minus base."""
    interval: Interval | None
    """Of the difference, head minus base."""
    p: float | None
    """One-sided: how likely such a change for the worse is by chance."""
    p_adjusted: float | None
    """After Holm, over everything that is tested in this suite."""
    method: str
    """In words, for example `exact McNemar, Newcombe interval`."""
    verdict: Verdict | None
    """None where the policy names nothing to hold it against, and no regression is established."""
    allowance: float | None = None
    """What the policy accepts, as a size in the unit of the difference."""
    higher_is_better: bool = True
    broken: int | None = None
    """For pass rates of single trials: cases that passed at the base and fail at head."""
    fixed: int | None = None


@dataclass(frozen=True, slots=True)
class Power:
    """What a suite of this size can see."""

    cases: int
    trials: int
    groups: int | None
    detectable: float | None
    """Smallest drop of the pass rate that is found with `power`; None where none can be."""
    power: float
    margin: float | None
    enough: bool | None
    """Whether a drop of `margin` would be found; None without a margin."""
    assumption: str
    """In words: what was assumed about churn or variance."""


@dataclass(frozen=True, slots=True)
class SuiteDecision:
    """One suite, judged."""

    suite: str
    """Path of its folder in the project."""
    name: str
    verdict: Verdict
    exit_code: int
    """Of this suite alone."""
    reasons: tuple[Reason, ...]
    """Those that block first."""
    cases: tuple[CaseComparison, ...]
    """In order of their ids."""
    comparisons: tuple[Comparison, ...]
    """The pass rate of all cases first."""
    power: Power
    live: bool
    base_source: str
    """Of the base's results: `agentci.lock`, `cache`, `replayed`, `live`, or `none`."""
    pass_at_k: Mapping[str, float] = field(default_factory=dict)
    """Of head, with repeats: `pass@k` and `pass^k`, by name."""
    flaky: tuple[str, ...] = ()
    """Cases of head of whose trials only some pass."""

    def counted(self, change: CaseChange) -> int:
        """Return how many cases have changed like this."""
        return sum(case.change is change for case in self.cases)


@dataclass(frozen=True, slots=True)
class Decision:
    """All suites, judged."""

    verdict: Verdict
    """The worst of the suites."""
    exit_code: int
    base: str | None
    """Commit id that head was compared with."""
    head: str
    """Commit id, with `+` where files differ from it."""
    suites: tuple[SuiteDecision, ...]
    """In order of their paths."""
    policy: Digest
    """Of all policies in force."""
    notes: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether the merge has to wait."""
        return self.exit_code != 0
