"""McNemar and Newcombe: published examples, scipy as oracle, what has to hold for any counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from agentci.evals.compare.paired_binary import mcnemar, mcnemar_two_sided, newcombe

COUNTS = st.integers(0, 60)


def test_agrestis_approval_ratings() -> None:
    """Categorical Data Analysis, table of approval of the prime minister: 150 against 86."""
    assert mcnemar_two_sided(broken=150, fixed=86) == pytest.approx(3.716e-5, rel=1e-3)


def test_where_nothing_differs_nothing_is_worse() -> None:
    assert mcnemar(broken=0, fixed=0) == mcnemar_two_sided(broken=0, fixed=0) == 1.0


@pytest.mark.parametrize(("broken", "p"), [(4, 0.0625), (5, 0.03125), (7, 0.0078125)])
def test_without_mended_cases_p_halves_with_each_broken_one(broken: int, p: float) -> None:
    assert mcnemar(broken=broken, fixed=0) == p


@given(COUNTS, COUNTS)
def test_mcnemar_agrees_with_scipy(broken: int, fixed: int) -> None:
    if broken + fixed == 0:
        return
    for p, side in [
        (mcnemar(broken=broken, fixed=fixed), "greater"),
        (mcnemar_two_sided(broken=broken, fixed=fixed), "two-sided"),
    ]:
        oracle = binomtest(broken, broken + fixed, 0.5, alternative=side).pvalue
        assert p == pytest.approx(oracle, rel=1e-9)


@given(COUNTS, COUNTS)
def test_one_more_broken_case_is_never_less_evidence(broken: int, fixed: int) -> None:
    p = mcnemar(broken=broken, fixed=fixed)
    assert 0 < p <= 1
    assert mcnemar(broken=broken + 1, fixed=fixed) <= p <= mcnemar(broken=broken, fixed=fixed + 1)


def test_thousands_of_differing_cases_neither_overflow_nor_vanish() -> None:
    assert mcnemar(broken=5000, fixed=5000) == pytest.approx(0.504, abs=1e-3)
    assert 0 < mcnemar(broken=600, fixed=400) < 1e-9


@pytest.mark.parametrize("counts", [(-1, 0), (0, -1)])
def test_negative_counts_are_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        mcnemar(broken=counts[0], fixed=counts[1])
    with pytest.raises(ValueError, match="negative"):
        newcombe(both=5, base_only=counts[0], head_only=counts[1], neither=5)


def test_newcombes_published_example() -> None:
    """Statistics in Medicine 17 (1998), 2635-2650, method 10."""
    interval = newcombe(both=20, head_only=12, base_only=2, neither=16)
    assert interval.estimate == pytest.approx(0.2)
    assert round(interval.low, 4) == 0.0562
    assert round(interval.high, 4) == 0.3292


def test_newcombe_without_any_agreement_to_correct() -> None:
    """By hand: half of ten pass on each side, no case on both, so that phi is -1."""
    interval = newcombe(both=0, base_only=5, head_only=5, neither=0)
    wilson_half = 0.5 - 0.23659  # of 5 in 10
    assert interval.high == -interval.low == pytest.approx(2 * wilson_half, abs=1e-4)


def test_of_no_cases_anything_may_be() -> None:
    interval = newcombe(both=0, base_only=0, head_only=0, neither=0)
    assert (interval.low, interval.high) == (-1.0, 1.0)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_the_interval_holds_the_difference_and_swapping_the_sides_mirrors_it(
    both: int, base_only: int, head_only: int, neither: int
) -> None:
    there = newcombe(both=both, base_only=base_only, head_only=head_only, neither=neither)
    back = newcombe(both=both, base_only=head_only, head_only=base_only, neither=neither)
    failing = newcombe(both=neither, base_only=base_only, head_only=head_only, neither=both)
    assert -1 <= there.low <= there.estimate <= there.high <= 1
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert (there.low, there.high) == pytest.approx((failing.low, failing.high))


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_more_confidence_is_a_wider_interval(
    both: int, base_only: int, head_only: int, neither: int
) -> None:
    counts = {"both": both, "base_only": base_only, "head_only": head_only, "neither": neither}
    narrow, wide = (newcombe(**counts, confidence=share) for share in (0.9, 0.99))
    assert wide.low - 1e-12 <= narrow.low
    assert narrow.high <= wide.high + 1e-12
