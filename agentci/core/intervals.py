"""How sure a share is that was counted on a sample, and the shape of every interval. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

_Z: Final = 1.959963984540054
"""Of 95 percent, two-sided."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of a sample, with the interval that has the true share in 95 of 100 cases."""

    hits: int
    total: int
    low: float
    """0 to 1."""
    high: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What was estimated, and the range that has the true value as often as `confidence` says."""

    estimate: float
    low: float
    high: float
    confidence: float
    """0 to 1, two-sided: what is left out is halved between the two ends."""


def wilson(hits: int, total: int, *, confidence: float = 0.95) -> Share:
    """Return the share `hits` of `total` with its Wilson interval; of nothing, anything may be."""
    if total == 0:
        return Share(0, 0, 0.0, 1.0)
    z = two_sided_z(confidence)
    share, z2 = hits / total, z * z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = z / (1 + z2 / total) * sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == total else min(1.0, middle + half)
    return Share(hits, total, low, high)


def two_sided_z(confidence: float) -> float:
    """Return how many standard errors a normal value stays within as often as `confidence` says.

    Raises:
        ValueError: when `confidence` is not between 0 and 1.
    """
    return _Z if confidence == 0.95 else upper_z((1 - confidence) / 2)


def upper_z(tail: float) -> float:
    """Return the normal quantile that a share of `tail` lies above, as 1.645 for 0.05.

    Raises:
        ValueError: when `tail` is not between 0 and 1.
    """
    if not 0 < tail < 1:
        raise ValueError(f"a share of {tail} has no quantile: it has to lie between 0 and 1")
    from statistics import NormalDist  # noqa: PLC0415 - takes 10 ms, and most starts need none

    return -NormalDist().inv_cdf(tail)
