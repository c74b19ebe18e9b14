"""The rule that makes one of three answers of an interval and a p value. Standard library alone.

Knows no method: any interval and p of the same difference will do. What a policy makes of an answer
is decided elsewhere.
"""

from __future__ import annotations

from enum import StrEnum

from agentci.core.intervals import Interval


class Verdict(StrEnum):
    """What the evidence says."""

    REGRESSION = "regression"
    """The head is worse; that chance did this is ruled out at alpha."""
    NO_REGRESSION = "no regression"
    """If the head is worse, then by less than the margin."""
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


def judge(
    *,
    interval: Interval | None,
    p_worse: float,
    margin: float | None,
    alpha: float = 0.05,
    higher_is_better: bool = True,
) -> Verdict:
    """Return what `interval` and `p_worse` establish.

    No regression beyond the margin: the interval of head minus base ends above `-margin` (below
    `margin` where lower is better). Else a regression: `p_worse <= alpha`. Else not enough
    evidence. The margin comes first, because a drop can be beyond doubt and still be smaller than
    what the margin allows. Without a margin nothing shows the absence of a regression.

    Args:
        interval: of head minus base; None where it could not be estimated.
        p_worse: one-sided, adjusted where several values are judged at once.
        margin: the largest change for the worse that is acceptable, in units of the difference.
        alpha: share of false alarms that is accepted.
        higher_is_better: false for cost, tokens, steps, latency.

    Raises:
        ValueError: when `margin` is negative.
    """
    if margin is not None and margin < 0:
        raise ValueError("a margin is a size and cannot be negative")
    if interval is not None and margin is not None:
        worst = interval.low if higher_is_better else -interval.high
        if worst > -margin:
            return Verdict.NO_REGRESSION
    return Verdict.REGRESSION if p_worse <= alpha else Verdict.NOT_ENOUGH_EVIDENCE
