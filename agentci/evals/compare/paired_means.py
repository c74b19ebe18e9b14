"""Means over cases, judged by paired differences, where cases may come in groups. Needs scipy.

The unit is a case: several trials of one are averaged first (`trials.case_means`). Cases of one
group (a repository, a document, a template) tend to move together; given the groups, their sums are
what is taken as independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from agentci.core.intervals import Interval
from agentci.evals.compare.clusters import Group, clustered, require_finite
from agentci.evals.compare.student import t_below, t_two_sided


@dataclass(frozen=True, slots=True)
class PairedMeans:
    """A mean difference, head minus base, and how sure it is."""

    cases: int
    groups: int | None
    """How many groups were told apart, or None where cases are independent."""
    mean: float
    standard_error: float | None
    """None where fewer than two cases (or groups) leave nothing to estimate it from. 0.0 where all
    differ by the same: no spread was seen, which with few cases is no proof that there is none."""
    df: int
    """Degrees of freedom: cases, or groups, less one."""
    interval: Interval | None
    """None where there is no standard error."""
    p_worse: float
    """One-sided: 1.0 where there is no standard error."""


def paired_means(
    differences: Sequence[float],
    *,
    higher_is_better: bool = True,
    groups: Sequence[Group] | None = None,
    allowance: float = 0.0,
    confidence: float = 0.95,
) -> PairedMeans:
    """Judge the mean of `differences` (head minus base, one a case) with Student's t.

    With n cases, SE = sqrt(sum (d_i - mean)^2 / (n - 1) / n) and n - 1 degrees of freedom. With C
    groups, SE = sqrt(C / (C - 1) * sum_g (sum_{i in g} (d_i - mean))^2) / n and C - 1. When every
    difference is the same there is no spread for t to work with; p is then what the signs alone
    say, 1/2 to the power of the number of units if they are for the worse.

    t keeps its level on average: where differences take few values it may be off by half a point.
    `sign_flip` never alarms more often than alpha where the same agent ran as often on both sides,
    so let that decide and this give the interval.

    Args:
        differences: of case means.
        higher_is_better: false for cost, tokens, steps, latency.
        groups: the group of each case, in the same order.
        allowance: a size; `p_worse` is then of being worse by more than it.
        confidence: two-sided.

    Source: Miller 2024, arXiv 2411.00640; the finite-sample factor is the common CR1 of
    Cameron and Miller 2015, Journal of Human Resources 50(2), 317-372.

    Raises:
        EnvironmentProblem: when scipy is not installed.
        ValueError: when `groups` has another length, or a difference is not finite.
    """
    require_finite(differences)
    members = clustered(differences, groups)
    count, units = len(differences), len(members)
    named = units if groups is not None else None
    mean = fsum(differences) / count if count else 0.0
    df = max(0, units - 1)
    if units < 2:
        return PairedMeans(count, named, mean, None, df, None, 1.0)
    spread = fsum((fsum(values) - len(values) * mean) ** 2 for values in members)
    error = sqrt(units / (units - 1) * spread) / count
    if error <= 1e-12 * abs(mean):  # what rounding leaves of equal differences
        error = 0.0
    half = t_two_sided(confidence, df=df) * error
    interval = Interval(mean, mean - half, mean + half, confidence)
    gain = (mean if higher_is_better else -mean) + allowance
    p_worse = _p_worse(gain, error, units=units)
    return PairedMeans(count, named, mean, error, df, interval, p_worse)


def _p_worse(gain: float, error: float, *, units: int) -> float:
    if error > 0:
        return t_below(gain / error, df=units - 1)
    return 0.5**units if gain < 0 else 1.0
