"""Several trials of each case: means, spread between and within cases, and rules for single cases.

Trials of one case are never rows of their own: the case is what was sampled. Standard library
alone; knows nothing of what a trial did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, fsum


def case_means(trials: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Return the mean over the trials of each case.

    Raises:
        ValueError: when a case has no trial.
    """
    if not all(trials):
        raise ValueError("a case without a trial has no mean")
    return tuple(fsum(values) / len(values) for values in trials)


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the variance of paired differences of case means comes from.

    Var(mean difference) = (omega2 + sigma2_base / trials_base + sigma2_head / trials_head) / cases.
    """

    cases: int
    omega2: float
    """Between cases: of the true differences. At least 0."""
    sigma2_base: float
    """Within a case: of single trials at the base."""
    sigma2_head: float
    trials_base: float
    """Of a case; their harmonic mean where cases have different numbers."""
    trials_head: float

    @property
    def of_mean(self) -> float:
        """The variance of the mean difference."""
        within = self.sigma2_base / self.trials_base + self.sigma2_head / self.trials_head
        return (self.omega2 + within) / self.cases


def spread(base: Sequence[Sequence[float]], head: Sequence[Sequence[float]]) -> Spread | None:
    """Split the variance of the paired differences into what lies between and within cases.

    sigma^2 is pooled over cases, with k - 1 degrees of freedom for each; omega^2 is the variance of
    the differences of case means, less what the trials explain of it. None where nothing can be
    estimated: fewer than two cases, or a side on which no case has two trials.

    Args:
        base: the trials of each case.
        head: the trials of the same cases, in the same order.

    Source: Miller 2024, arXiv 2411.00640, section on resampling.

    Raises:
        ValueError: when the sides differ in length, or a case has no trial.
    """
    if len(base) != len(head):
        raise ValueError("base and head have to be the same cases")
    means = zip(case_means(base), case_means(head), strict=True)
    differences = [after - before for before, after in means]
    sigma2_base, sigma2_head = _within(base), _within(head)
    if len(differences) < 2 or sigma2_base is None or sigma2_head is None:
        return None
    trials_base, trials_head = _harmonic(base), _harmonic(head)
    between = _variance(differences) - sigma2_base / trials_base - sigma2_head / trials_head
    return Spread(
        cases=len(differences),
        omega2=max(0.0, between),
        sigma2_base=sigma2_base,
        sigma2_head=sigma2_head,
        trials_base=trials_base,
        trials_head=trials_head,
    )


def _squares(values: Sequence[float]) -> float:
    mean = fsum(values) / len(values)
    return fsum((value - mean) ** 2 for value in values)


def _variance(values: Sequence[float]) -> float:
    return _squares(values) / (len(values) - 1)


def _within(trials: Sequence[Sequence[float]]) -> float | None:
    df = sum(len(values) - 1 for values in trials)
    return fsum(map(_squares, trials)) / df if df else None


def _harmonic(trials: Sequence[Sequence[float]]) -> float:
    return len(trials) / fsum(1 / len(values) for values in trials)


def pass_at_k(n: int, c: int, k: int) -> float:
    """Return the chance that at least one of `k` trials passes: 1 - C(n - c, k) / C(n, k).

    Unbiased, from `n` trials of which `c` passed. Source: Chen et al. 2021, arXiv 2107.03374.

    Raises:
        ValueError: unless 0 <= c <= n and 1 <= k <= n.
    """
    _check_counts(n, c, k=k)
    ways = comb(n, k)
    return (ways - comb(n - c, k)) / ways


def pass_hat_k(n: int, c: int, k: int) -> float:
    """Return the chance that all of `k` trials pass, pass^k: C(c, k) / C(n, k).

    Unbiased, from `n` trials of which `c` passed. Source: Yao et al. 2024 (tau-bench),
    arXiv 2406.12045.

    Raises:
        ValueError: unless 0 <= c <= n and 1 <= k <= n.
    """
    _check_counts(n, c, k=k)
    return comb(c, k) / comb(n, k)


def is_flaky(n: int, c: int) -> bool:
    """Say whether a case passes in some of its `n` trials and fails in others: 0 < c < n.

    Raises:
        ValueError: unless 0 <= c <= n and n >= 1.
    """
    _check_counts(n, c, k=1)
    return 0 < c < n


def surely_broken(base: Sequence[bool], head: Sequence[bool]) -> bool:
    """Say whether a case passed in every trial at the base and passes in none at the head.

    The only rule for a single case that chance seldom meets; `false_alarm_bound` says how seldom.
    """
    return bool(base) and bool(head) and all(base) and not any(head)


def false_alarm_bound(*, base_trials: int, head_trials: int, cases: int = 1) -> float:
    """Return how often chance breaks any of `cases` by the rule of `surely_broken`, at most.

    An unchanged case that passes with probability p meets it with p^a (1 - p)^b, which is largest
    at p = a / (a + b): 0.1 percent for 5 and 5 trials. The bound takes every case as such a one:
    1 - (1 - largest)^cases.

    Raises:
        ValueError: when there is no trial on a side, or `cases` is negative.
    """
    if base_trials < 1 or head_trials < 1 or cases < 0:
        raise ValueError("it takes at least one trial on each side")
    share = base_trials / (base_trials + head_trials)
    largest = share**base_trials * (1 - share) ** head_trials
    return float(1 - (1 - largest) ** cases)


def _check_counts(n: int, c: int, *, k: int) -> None:
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"{c} passed of {n} trials says nothing of {k}")
