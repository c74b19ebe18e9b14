"""Wilson intervals, against values from the literature and their own properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.intervals import wilson


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
