"""How several expectations of one scorer become one score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agentci.core.json_types import JsonObject
from agentci.evals.results import Score
from agentci.evals.scorers.wording import cut

_SHOWN = 3
_LINE = 400


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation and whether it holds."""

    holds: bool
    problem: str
    """For people, where it does not hold."""


def score_of_checks(checks: Sequence[Check], details: JsonObject | None = None) -> Score:
    """Return the share of checks that hold; passed where all of them do.

    There has to be at least one.
    """
    failed = [check.problem for check in checks if not check.holds]
    told = "; ".join(failed[:_SHOWN])
    more = f"; and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    return Score(
        (len(checks) - len(failed)) / len(checks),
        passed=not failed,
        explanation=cut(told, _LINE) + more,
        details={
            **(details or {}),
            "checks": len(checks),
            "failed": [cut(problem, _LINE) for problem in failed[:100]],
        },
    )
