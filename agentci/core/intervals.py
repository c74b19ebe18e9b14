"""How sure a share is that was counted on a sample. Pure."""

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


def wilson(hits: int, total: int) -> Share:
    """Return the share `hits` of `total` with its Wilson interval; of nothing, anything may be."""
    if total == 0:
        return Share(0, 0, 0.0, 1.0)
    share, z2 = hits / total, _Z * _Z
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z / (1 + z2 / total) * sqrt(share * (1 - share) / total + z2 / (4 * total * total))
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == total else min(1.0, middle + half)
    return Share(hits, total, low, high)
