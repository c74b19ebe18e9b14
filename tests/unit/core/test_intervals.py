"""Wilson intervals, against values from the literature and their own properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.intervals import two_sided_z, upper_z, wilson


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (50, 100, 0.4038, 0.5962),
    ],
)
def test_known_values(hits: int, total: int, low: float, high: float) -> None:
    share = wilson(hits, total)
    assert share.low == pytest.approx(low, abs=1e-4)
    assert share.high == pytest.approx(high, abs=1e-4)


def test_of_nothing_anything_may_be() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_lies_inside_and_more_data_says_more(case: tuple[int, int]) -> None:
    hits, total = case
    share, ten_times = wilson(hits, total), wilson(10 * hits, 10 * total)
    assert 0.0 <= share.low <= hits / total <= share.high <= 1.0
    assert ten_times.high - ten_times.low < share.high - share.low


@pytest.mark.parametrize(
    ("tail", "z"), [(0.05, 1.6448536), (0.2, 0.8416212), (0.025, 1.959964), (0.5, 0)]
)
def test_quantiles_of_the_normal_distribution(tail: float, z: float) -> None:
    assert upper_z(tail) == pytest.approx(z, abs=1e-7)
    assert two_sided_z(1 - 2 * tail if tail < 0.5 else 1e-12) == pytest.approx(z, abs=1e-7)


@pytest.mark.parametrize("tail", [0.0, 1.0, -0.1])
def test_what_is_no_share_has_no_quantile(tail: float) -> None:
    with pytest.raises(ValueError, match="quantile"):
        upper_z(tail)


def test_more_confidence_is_a_wider_interval() -> None:
    at_90, at_95, at_99 = (wilson(8, 10, confidence=share) for share in (0.9, 0.95, 0.99))
    assert at_99.low < at_95.low < at_90.low < 0.8 < at_90.high < at_95.high < at_99.high
