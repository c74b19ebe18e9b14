"""How evaluations are asked for, what watches them, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agentci.evals.keys import KeyChange
    from agentci.evals.results import SuiteResult, TrialResult
    from agentci.evals.shards import Shard
    from agentci.spec.suite import QuarantineSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalRequest:
    """Suites to evaluate."""

    start: Path
    """Where the call was made."""
    suites: tuple[str, ...] = ()
    """Names or folders; empty for all."""
    mode: str | None = None
    cases: tuple[str, ...] = ()
    """Ids, in which `*` stands for any characters; empty for all."""
    only_changed: bool = False
    """Leave out cases whose results are known."""
    redraw: bool = False
    """Ask for every answer again, whatever is recorded."""
    shard: Shard | None = None
    trials: int | None = None
    """Instead of what the suites say."""
    add_trials: int = 0
    """On top of what the suites say and what is recorded."""
    jobs: int | None = None
    sandbox: str | None = None
    max_cost: float | None = None
    """Of live calls, in the currency of the prices in the definitions."""
    max_tokens: int | None = None
    redact: bool = False
    """Record secrets as placeholders instead of refusing them."""
    note: str = ""
    """Goes into the header of new cassettes."""


@dataclass(frozen=True, slots=True)
class EvaluatedSuite:
    """A suite's result, and what a reader of it should know besides."""

    result: SuiteResult
    quarantine: tuple[QuarantineSpec, ...] = ()
    computed: int = 0
    """Trials that were carried out; the others were known."""
    changes: Mapping[str, tuple[KeyChange, ...]] = field(default_factory=dict)
    """Why cases were carried out, by their ids: parts of the key that differ from the last time;
    empty for new cases. With `only_changed` alone."""
    notes: tuple[str, ...] = ()
    """What a user should know: files that were left out."""
    left_out: int = 0
    """Cases that were not looked at: of other shards, or not asked for."""


class EvalListener(Protocol):
    """Watches an evaluation. Its methods must return quickly and not raise."""

    def suite_started(self, suite: str, *, known: int, missing: int) -> None:
        """Tell that a suite starts: how many trials are known, and how many are carried out."""

    def trial_finished(self, suite: str, case: str, result: TrialResult) -> None:
        """Tell what came of a trial that was carried out."""

    def suite_finished(self, result: SuiteResult) -> None:
        """Tell that a suite is done."""


class SilentEvalListener:
    """Nobody watches."""

    def suite_started(self, suite: str, *, known: int, missing: int) -> None:
        """Do nothing."""

    def trial_finished(self, suite: str, case: str, result: TrialResult) -> None:
        """Do nothing."""

    def suite_finished(self, result: SuiteResult) -> None:
        """Do nothing."""
