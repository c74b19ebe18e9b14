"""Where the marks of an interval stand."""

from __future__ import annotations

import pytest

from agentci.report.interval_chart import WIDTH, charts
from agentci.report.wording import is_rate
from tests.support.decisions import rich_decision

SUITE = rich_decision().suites[0]
DRAWN = list(zip(SUITE.comparisons, charts(SUITE.comparisons), strict=True))


def test_marks_stand_in_the_order_of_their_values_and_inside() -> None:
    drawn = [(each, chart) for each, chart in DRAWN if each.interval is not None]
    assert len(drawn) >= 2
    for comparison, chart in drawn:
        assert chart.low is not None
        assert chart.high is not None
        assert 0 < float(chart.low) <= float(chart.point) <= float(chart.high) < WIDTH
        left = float(chart.point) < WIDTH / 2
        assert left is (comparison.difference < 0)


def test_what_the_policy_accepts_lies_on_the_side_that_is_worse() -> None:
    for comparison, chart in DRAWN:
        if comparison.allowance is not None:
            assert chart.allowance is not None
            assert (float(chart.allowance) < WIDTH / 2) is comparison.higher_is_better
        worse_left = float(chart.worse_from) < WIDTH / 2
        assert worse_left is comparison.higher_is_better


def test_rates_share_a_scale() -> None:
    rates = [(each, chart) for each, chart in DRAWN if is_rate(each)]
    per_point = [(float(chart.point) - WIDTH / 2) / each.difference for each, chart in rates]
    assert per_point == pytest.approx([per_point[0]] * len(rates), rel=0.01)


def test_a_drawing_says_what_it_shows() -> None:
    comparison, chart = DRAWN[0]
    assert chart.label == "pass rate: -3.5 points, interval -12.6 to +5.0"
    assert chart.tone == "open"
    cost = next(chart for each, chart in DRAWN if each.name == "cost")
    assert cost.tone == "bad"
    assert comparison.difference < 0
