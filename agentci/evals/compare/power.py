"""What a suite can see: the smallest loss that a test finds often enough. Standard library alone.

To be told before anything is spent: a suite of 20 cases misses a loss of 30 points one time in
five. Knows nothing of suites beyond how many cases and trials they have.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, exp, lgamma, log, log1p, sqrt
from typing import Final

from agentci.core.intervals import upper_z
from agentci.evals.compare.paired_binary import mcnemar
from agentci.evals.compare.trials import Spread

_SPAN: Final = 9.0
"""Standard deviations of a binomial that are summed; what lies beyond is below 1e-15."""
_STEPS: Final = 22
"""Halvings of the range in which a loss is looked for: to less than a millionth."""


def fewest_broken(*, alpha: float = 0.05, fixed: int = 0) -> int:
    """Return how many cases have to break, while `fixed` are mended, for McNemar's p <= alpha.

    Without mended cases 5 at 0.05 and 7 at 0.01, however many cases the suite has. The same number
    of groups has to be worse before their sign flips can say so.

    Raises:
        ValueError: when `alpha` is not between 0 and 1.
    """
    _check_share(alpha)
    broken = fixed
    while mcnemar(broken=broken, fixed=fixed) > alpha:
        broken += 1
    return broken


def mcnemar_power(
    n: int, *, broken_rate: float, fixed_rate: float = 0.0, alpha: float = 0.05
) -> float:
    """Return how often McNemar's exact one-sided test finds a change in `n` cases.

    Exact but for tails below 1e-15: with m the cases that differ, of which a share q is broken,
    power = sum over m of P(Bin(n, broken + fixed) = m) P(Bin(m, q) >= fewest broken of m).

    Args:
        n: cases.
        broken_rate: share of all cases that the change breaks.
        fixed_rate: share of all cases that it mends.
        alpha: level of the test.

    Raises:
        ValueError: when a rate or `alpha` is not possible.
    """
    _check_share(alpha)
    rate = broken_rate + fixed_rate
    if n < 0 or min(broken_rate, fixed_rate) < 0 or rate > 1 + 1e-9:
        raise ValueError("cases and rates are not negative, and rates are at most 1 together")
    if broken_rate == 0:
        return 0.0 if fixed_rate == 0 else _found(n, min(1.0, rate), share=0.0, alpha=alpha)
    return _found(n, min(1.0, rate), share=broken_rate / rate, alpha=alpha)


def _found(n: int, rate: float, *, share: float, alpha: float) -> float:
    low, high = _span(n, rate)
    needed = _needed(1 << high.bit_length(), alpha)
    return sum(
        _mass(n, differing, rate) * _at_least(needed[differing], differing, share)
        for differing in range(max(low, 1), high + 1)
        if needed[differing] <= differing
    )


@lru_cache(maxsize=4)
def _needed(most: int, alpha: float) -> tuple[int, ...]:
    """Return for each number of differing cases up to `most` how many have to be broken.

    With one case more, the number stays or grows by one: the tail of m + 1 tosses from b on is
    twice that of m, and C(m, b - 1).
    """
    needed = [1]  # of no toss at all; more than there are says never
    tail, edge = 0, 1  # sum of C(m, j) from j = needed on; C(m, needed - 1)
    for tosses in range(most):
        least = needed[-1]
        tail, edge = 2 * tail + edge, edge * (tosses + 1) // (tosses + 2 - least)
        if tail / (1 << tosses + 1) > alpha:
            following = edge * (tosses + 2 - least) // least
            tail, edge, least = tail - following, following, least + 1
        needed.append(least)
    return tuple(needed)


def _span(n: int, share: float) -> tuple[int, int]:
    """Return the range of Bin(n, share) outside of which next to nothing lies."""
    middle, half = n * share, _SPAN * sqrt(n * share * (1 - share)) + 20
    return max(0, int(middle - half)), min(n, ceil(middle + half))


def _mass(n: int, k: int, share: float) -> float:
    """Return P(Bin(n, share) = k)."""
    if share in {0.0, 1.0}:
        return float(k == n * share)
    ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return exp(ways + k * log(share) + (n - k) * log1p(-share))


def _at_least(least: int, n: int, share: float) -> float:
    """Return P(Bin(n, share) >= least), summed from `least` on by the ratio of neighbours."""
    if share in {0.0, 1.0}:
        return float(n * share >= least)
    low, high = _span(n, share)
    if least <= low:
        return 1.0
    total = term = _mass(n, least, share)
    odds = share / (1 - share)
    for k in range(least, high):
        term *= (n - k) / (k + 1) * odds
        total += term
    return min(1.0, total)


@lru_cache(maxsize=64)
def detectable_drop(
    n: int, *, alpha: float = 0.05, power: float = 0.8, churn: float = 0.0
) -> float | None:
    """Return the smallest loss of pass rate that McNemar finds in `n` cases as often as `power`.

    A fraction: 0.05 is five points. None where not even the largest loss that churn leaves room for
    is found. `churn` is the share of cases that are mended while as many others break, for reasons
    that have nothing to do with the loss: broken = loss + churn, mended = churn.

    Raises:
        ValueError: when `alpha`, `power` or `churn` is not possible.
    """
    low, high = 0.0, 1 - 2 * churn
    if not has_power(n, drop=high, alpha=alpha, power=power, churn=churn):
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        found = has_power(n, drop=middle, alpha=alpha, power=power, churn=churn)
        low, high = (low, middle) if found else (middle, high)
    return high


def has_power(
    n: int, *, drop: float, alpha: float = 0.05, power: float = 0.8, churn: float = 0.0
) -> bool:
    """Say whether McNemar finds a loss of `drop` (a fraction) in `n` cases as often as `power`.

    A drop for which `churn` leaves no room counts as the largest for which it does.

    Raises:
        ValueError: when `alpha`, `power` or `churn` is not possible.
    """
    _check_share(power)
    if not 0 <= churn < 0.5:
        raise ValueError(
            "churn goes both ways, so it is at least 0 and less than half of the cases"
        )
    broken = min(drop, 1 - 2 * churn) + churn
    return mcnemar_power(n, broken_rate=broken, fixed_rate=churn, alpha=alpha) >= power


def detectable_shift(standard_error: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest shift of a mean that is found as often as `power`, whichever the method.

    (z_alpha + z_beta) times the standard error, one-sided. Student's t needs a little more where
    there are few cases or groups: some 5 percent at 20.

    Raises:
        ValueError: when `alpha` or `power` is not between 0 and 1.
    """
    return (upper_z(alpha) + upper_z(1 - power)) * standard_error


def detectable_mean_drop(spread: Spread, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest loss of a mean over cases that is found with the trials of `spread`.

    The formula of `cases_needed`, solved for delta. `dataclasses.replace` gives the spread for
    other numbers of cases or trials.

    Raises:
        ValueError: when `alpha` or `power` is not between 0 and 1.
    """
    return detectable_shift(sqrt(spread.of_mean), alpha=alpha, power=power)


def cases_needed(spread: Spread, *, drop: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Return how many cases find a loss of `drop` in a mean as often as `power`.

    n = (z_alpha + z_beta)^2 (omega^2 + sigma_A^2 / k_A + sigma_B^2 / k_B) / delta^2, one-sided.

    Source: Miller 2024, arXiv 2411.00640, section on power, with z_alpha for its z_(alpha/2).

    Raises:
        ValueError: when `alpha` or `power` is not between 0 and 1, or `drop` is not positive.
    """
    if drop <= 0:
        raise ValueError("a loss to be found is larger than nothing")
    of_one_case = spread.of_mean * spread.cases
    return ceil((detectable_shift(sqrt(of_one_case), alpha=alpha, power=power) / drop) ** 2)


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise ValueError(f"{share} is no share between 0 and 1")
