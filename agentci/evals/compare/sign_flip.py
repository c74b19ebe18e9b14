"""Sign flips: a test of paired differences that assumes no distribution. Standard library alone.

If the change did nothing, a unit (a case, or a group of cases) could as well have had its
difference the other way round. Knows nothing of what was measured. Every sum is of integers, so the
order of the cases cannot change a bit of the answer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import shake_256
from math import gcd, lcm
from operator import add
from typing import Final

from agentci.core.seed import derive_seed
from agentci.evals.compare.clusters import Group, clustered, require_finite

_ENUMERATED: Final = 28
"""Units up to which all flips are counted: as pairs of flips of two halves, 2**14 of each."""
_COUNTABLE: Final = 4_000_000_000
"""Bit operations (about a quarter of a second) that counting the sums exactly may take."""
_FINEST: Final = 10_000
"""Largest denominator that is looked for in one difference: means of trials have small ones."""
_SCALE: Final = 1 << 40
"""What the largest difference becomes where there is no common denominator."""


@dataclass(frozen=True, slots=True)
class SignFlip:
    """How often flipped signs give a sum that is at least this bad."""

    units: int
    """Cases, or groups, whose difference is not zero: only their signs can be flipped."""
    p_worse: float
    """One-sided. Never below 1 / 2**units, nor below 1 / (draws + 1)."""
    draws: int | None
    """None where all flips were counted, else how many were drawn."""


def sign_flip(
    differences: Sequence[float],
    *,
    groups: Sequence[Group] | None = None,
    higher_is_better: bool = True,
    allowance: float = 0.0,
    seed: int = 0,
    draws: int = 10_000,
) -> SignFlip:
    """Test whether `differences` (head minus base, one a case) are for the worse.

    p = share of the 2^units ways to choose signs whose sum is as bad as what was seen, or worse. It
    is exact up to 28 units, and beyond wherever the differences have a small common denominator, as
    means of trials have; else it is drawn, as (1 + hits) / (1 + draws). Differences that are equal
    but for 1 part in 10^12 count as ties.

    Args:
        differences: of case means.
        groups: the group of each case, in the same order: signs are flipped by group.
        higher_is_better: false for cost, tokens, steps, latency.
        allowance: a size; the question is then whether cases are worse by more than it.
        seed: of the draws. The same seed and differences give the same answer, in any order.
        draws: at least 1.

    Source: Fisher 1935, The Design of Experiments, section 21; the added one of drawn p values:
    Phipson and Smyth 2010, Statistical Applications in Genetics and Molecular Biology 9(1), 39.

    Raises:
        ValueError: when `groups` has another length, a difference is not finite, or `draws` < 1.
    """
    if draws < 1:
        raise ValueError("it takes at least one draw")
    sign = 1 if higher_is_better else -1
    gains = [sign * value + allowance for value in differences]
    require_finite(gains)
    totals = [value for value in _in_integers(gains, groups) if value != 0]
    sizes = sorted(map(abs, totals))
    better = sum(value for value in totals if value > 0)
    # A choice of signs is a subset that gains, and is as bad where its sum is at most `better`.
    if len(sizes) <= _ENUMERATED:
        return SignFlip(len(sizes), _pairs_of_halves(sizes, better) / (1 << len(sizes)), None)
    fewest = min(better, sum(sizes) - better - 1)
    if len(sizes) * (len(sizes) + 8) * (fewest + 1) <= _COUNTABLE:
        return SignFlip(len(sizes), _counted(sizes, better) / (1 << len(sizes)), None)
    hits = _drawn(sizes, better, seed=seed, draws=draws)
    return SignFlip(len(sizes), (1 + hits) / (1 + draws), draws)


def _in_integers(gains: Sequence[float], groups: Sequence[Group] | None) -> list[int]:
    """Return the sum of each unit in multiples of one step, so that ties are ties."""
    largest = max(map(abs, gains), default=0.0)
    gains_once = sorted(set(gains))
    common = _common_denominator(gains_once, largest)
    scale = Fraction(common) if common else Fraction(_SCALE) / Fraction(largest)
    whole = {value: round(Fraction(value) * scale) for value in gains_once}
    totals = [sum(values) for values in clustered([whole[gain] for gain in gains], groups)]
    step = gcd(*totals) or 1
    return [total // step for total in totals]


def _common_denominator(gains: Sequence[float], largest: float) -> int | None:
    """Return what makes whole numbers of all `gains`, but for rounding; None if it is large."""
    common, rounding = 1, Fraction(largest) / 10**12
    for value in gains:
        near = Fraction(value).limit_denominator(_FINEST)
        if abs(near - Fraction(value)) > rounding:
            return None
        common = lcm(common, near.denominator)
        if common > _FINEST:
            return None
    return common


def _subset_sums(sizes: Sequence[int]) -> list[int]:
    sums = [0]
    for size in sizes:
        sums += [total + size for total in sums]
    return sums


def _pairs_of_halves(sizes: Sequence[int], most: int) -> int:
    """Return how many subsets have a sum of at most `most`."""
    half = len(sizes) // 2
    others = sorted(_subset_sums(sizes[half:]))
    return sum(bisect_right(others, most - total) for total in _subset_sums(sizes[:half]))


def _counted(sizes: Sequence[int], most: int) -> int:
    """Return how many subsets have a sum of at most `most`, by counting for each sum.

    The counts are the coefficients of the product of all (1 + x^size), which stand side by side in
    one integer, each in bits enough for the largest.
    """
    if most > sum(sizes) - most - 1:  # the complements of the other subsets are fewer
        return int((1 << len(sizes)) - _counted(sizes, sum(sizes) - most - 1))
    if most < 0:
        return 0
    width = len(sizes) + 1  # bits: a count is at most 2**len(sizes), and so is the sum of all
    counts = 1
    for size in sizes:
        if size > most:
            break
        counts = _lowest(counts + (counts << width * size), width * (most + 1))
    fields = most + 1
    while fields > 1:
        half = (fields + 1) // 2
        counts = (counts >> width * half) + _lowest(counts, width * half)
        fields = half
    return counts


def _lowest(number: int, bits: int) -> int:
    return number & ((1 << bits) - 1)


def _drawn(sizes: Sequence[int], most: int, *, seed: int, draws: int) -> int:
    """Return how many of `draws` random subsets have a sum of at most `most`.

    A byte chooses among eight units at once, by a table of their 256 sums.
    """
    blocks = [sizes[at : at + 8] for at in range(0, len(sizes), 8)]
    sums = [0] * draws
    for number, block in enumerate(blocks):
        table = _subset_sums([*block, *[0] * (8 - len(block))])
        start = derive_seed(seed, "sign-flip", str(number)).to_bytes(4, "big")
        chosen = shake_256(start).digest(draws)
        sums = list(map(add, sums, map(table.__getitem__, chosen)))
    return sum(total <= most for total in sums)
