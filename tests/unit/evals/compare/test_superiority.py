"""The rule of three answers, and that no two of them can be had at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.intervals import Interval
from agentci.evals.compare.superiority import Verdict, judge


def _interval(low: float, high: float) -> Interval:
    return Interval((low + high) / 2, low, high, 0.95)


@pytest.mark.parametrize(
    ("low", "high", "p", "margin", "verdict"),
    [
        (-0.18, -0.06, 0.0001, 0.05, Verdict.REGRESSION),
        (-0.01, 0.02, 0.6, 0.05, Verdict.NO_REGRESSION),
        (-0.08, 0.03, 0.2, 0.05, Verdict.NOT_ENOUGH_EVIDENCE),
        (-0.03, -0.01, 0.001, 0.05, Verdict.NO_REGRESSION),
        (-0.05, 0.01, 0.2, 0.05, Verdict.NOT_ENOUGH_EVIDENCE),
        (-0.01, 0.02, 0.6, None, Verdict.NOT_ENOUGH_EVIDENCE),
        (-0.18, -0.06, 0.05, None, Verdict.REGRESSION),
        (0.01, 0.2, 0.99, 0.0, Verdict.NO_REGRESSION),
    ],
)
def test_the_answers(
    low: float, high: float, p: float, margin: float | None, verdict: Verdict
) -> None:
    there = judge(interval=_interval(low, high), p_worse=p, margin=margin)
    mirrored = judge(
        interval=_interval(-high, -low), p_worse=p, margin=margin, higher_is_better=False
    )
    assert there == mirrored == verdict


def test_without_an_interval_only_p_speaks() -> None:
    verdicts = [judge(interval=None, p_worse=p, margin=0.05) for p in (0.01, 0.06)]
    assert verdicts == [Verdict.REGRESSION, Verdict.NOT_ENOUGH_EVIDENCE]


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_wider_margin_never_makes_a_regression(
    low: float, width: float, p: float, margin: float, more: float
) -> None:
    interval = _interval(low, low + width)
    tight = judge(interval=interval, p_worse=p, margin=margin)
    loose = judge(interval=interval, p_worse=p, margin=margin + more)
    assert loose in {tight, Verdict.NO_REGRESSION}


def test_a_negative_margin_is_refused() -> None:
    with pytest.raises(ValueError, match="margin"):
        judge(interval=None, p_worse=0.5, margin=-0.01)
