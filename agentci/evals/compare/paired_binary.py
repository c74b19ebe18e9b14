"""Cases that pass or fail, judged on the same cases at base and head. Standard library alone.

Knows four counts and nothing about the cases behind them. Cases of one cluster are taken as
independent here; where that is wrong, `sign_flip` over the clusters decides.
"""

from __future__ import annotations

from math import sqrt

from agentci.core.intervals import Interval, wilson


def mcnemar(*, broken: int, fixed: int) -> float:
    """Return the exact one-sided p that the head is worse: P(Bin(broken + fixed, 1/2) >= broken).

    Cases that agree say nothing and do not count. Computed in integers and rounded once.

    Args:
        broken: cases that passed at the base and fail at the head.
        fixed: cases that failed at the base and pass at the head.

    Source: McNemar 1947, Psychometrika 12(2), 153-157, in its exact form.

    Raises:
        ValueError: when a count is negative.
    """
    return _share_of_halves(broken, fixed)


def mcnemar_two_sided(*, broken: int, fixed: int) -> float:
    """Return the exact two-sided p that anything changed: twice the smaller tail, at most 1.

    Raises:
        ValueError: when a count is negative.
    """
    return min(1.0, 2 * _share_of_halves(max(broken, fixed), min(broken, fixed)))


def _share_of_halves(at_least: int, others: int) -> float:
    """Return P(Bin(at_least + others, 1/2) >= at_least)."""
    if at_least < 0 or others < 0:
        raise ValueError(f"cases cannot be negative: {at_least}, {others}")
    tosses = at_least + others
    if at_least > others:  # P(X >= b) = P(X <= c), since both sides of a coin are alike
        return _first(tosses, others + 1) / (1 << tosses)
    return ((1 << tosses) - _first(tosses, at_least)) / (1 << tosses)


def _first(tosses: int, terms: int) -> int:
    """Return the sum of the first `terms` binomial coefficients of `tosses`."""
    term, total = 1, 0
    for k in range(terms):
        total += term
        term = term * (tosses - k) // (k + 1)
    return total


def newcombe(
    *, both: int, base_only: int, head_only: int, neither: int, confidence: float = 0.95
) -> Interval:
    """Return the difference of two pass rates on the same cases, with Newcombe's interval.

    The difference is head minus base, so negative is worse: (head_only - base_only) / n. The
    interval joins the Wilson intervals (l, u) of both rates, with phi, the correlation of the two
    outcomes after a continuity correction::

        low  = d - sqrt((h - lh)^2 - 2 phi (h - lh) (ub - b) + (ub - b)^2)
        high = d + sqrt((uh - h)^2 - 2 phi (uh - h) (b - lb) + (b - lb)^2)

    Args:
        both: cases that pass at base and head.
        base_only: cases that pass at the base only: newly broken.
        head_only: cases that pass at the head only: newly fixed.
        neither: cases that fail at both.
        confidence: two-sided.

    Source: Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10. His example (20, 12, 2,
    16) is `both=20, head_only=12, base_only=2, neither=16` here: 0.0562 to 0.3292.

    Raises:
        ValueError: when a count is negative.
    """
    if min(both, base_only, head_only, neither) < 0:
        raise ValueError("cases cannot be negative")
    total = both + base_only + head_only + neither
    if total == 0:
        return Interval(0.0, -1.0, 1.0, confidence)
    head = wilson(both + head_only, total, confidence=confidence)
    base = wilson(both + base_only, total, confidence=confidence)
    head_rate, base_rate = head.hits / total, base.hits / total
    phi = _corrected_phi(both, base_only, head_only=head_only, neither=neither)
    down = _joined(head_rate - head.low, base.high - base_rate, phi=phi)
    up = _joined(head.high - head_rate, base_rate - base.low, phi=phi)
    difference = (head_only - base_only) / total
    return Interval(difference, max(-1.0, difference - down), min(1.0, difference + up), confidence)


def _corrected_phi(both: int, base_only: int, *, head_only: int, neither: int) -> float:
    """Return the correlation, with a positive one corrected towards 0 but never past it."""
    total = both + base_only + head_only + neither
    margins = (both + head_only) * (base_only + neither)
    margins *= (both + base_only) * (head_only + neither)
    if margins == 0:
        return 0.0
    cross = both * neither - base_only * head_only
    corrected = max(0.0, cross - total / 2) if cross > 0 else float(cross)
    return corrected / sqrt(margins)


def _joined(first: float, second: float, *, phi: float) -> float:
    return sqrt(max(0.0, first * first - 2 * phi * first * second + second * second))
