"""What a suite of this size can see, told before anything is spent and beside every verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agentci.evals.compare.power import detectable_drop, detectable_mean_drop, fewest_broken
from agentci.evals.compare.trials import Spread
from agentci.gate.decision import CaseComparison, Power
from agentci.spec.policy import PolicySpec

_CHURN: Final = 0.02
"""Share of cases that are taken to change for other reasons, half of them each way."""
_COIN_FLIPS: Final = 0.1
"""Share of cases of a repeated suite that are taken to pass half of the time."""


def power_of(cases: Sequence[CaseComparison], *, trials: int, policy: PolicySpec) -> Power:
    """Return what can be seen with the cases that count, each tried `trials` times a side."""
    groups = {case.group for case in cases if case.group is not None}
    alone = sum(case.group is None for case in cases)
    units = len(groups) + alone if groups else None
    return power_before(len(cases), trials=trials, groups=units, policy=policy)


def power_before(cases: int, *, trials: int, groups: int | None, policy: PolicySpec) -> Power:
    """Return what `cases` can see, from their number alone: nothing has to have run.

    Args:
        cases: of the suite, without those in quarantine.
        trials: of each case, at both sides.
        groups: independent groups of cases, those without a group counted one each; None where no
            case has one.
        policy: gives the level of the test, the power that is wanted, and the margin.
    """
    wanted = policy.statistics
    alpha = 1 - wanted.confidence
    units = cases if groups is None else groups
    if units < fewest_broken(alpha=alpha):
        detectable = None
        assumption = f"fewer than {fewest_broken(alpha=alpha)} can never be significant"
    elif trials == 1 or groups is not None:
        detectable = detectable_drop(units, alpha=alpha, power=wanted.power, churn=_CHURN)
        assumption = f"{_CHURN:.0%} of cases change for other reasons"
        if groups is not None:
            assumption += ", and a group stands or falls as one"
    else:
        spread = _assumed(cases, trials)
        detectable = detectable_mean_drop(spread, alpha=alpha, power=wanted.power)
        assumption = f"{_COIN_FLIPS:.0%} of cases pass half of the time"
    return Power(
        cases=cases,
        trials=trials,
        groups=groups,
        detectable=detectable,
        power=wanted.power,
        margin=wanted.margin,
        enough=None
        if wanted.margin is None
        else detectable is not None and detectable <= wanted.margin,
        assumption=assumption,
    )


def _assumed(cases: int, trials: int) -> Spread:
    within = _COIN_FLIPS * 0.25
    return Spread(
        cases=cases,
        omega2=_CHURN,
        sigma2_base=within,
        sigma2_head=within,
        trials_base=trials,
        trials_head=trials,
    )
