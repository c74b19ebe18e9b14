"""Paired t: scipy as oracle, a clustered error by hand, what has to hold for any differences."""

from __future__ import annotations

import random
import sys
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from agentci.core.errors import EnvironmentProblem
from agentci.evals.compare.paired_means import paired_means

DIFFERENCES = st.lists(
    st.integers(-100, 100).map(lambda hundredths: hundredths / 100), min_size=2, max_size=40
)


@given(DIFFERENCES)
def test_cases_agree_with_scipy(differences: list[float]) -> None:
    result = paired_means(differences)
    if result.standard_error == 0:
        return
    oracle = ttest_1samp(differences, 0, alternative="less")
    low, high = ttest_1samp(differences, 0).confidence_interval(0.95)
    assert result.interval is not None
    assert result.p_worse == pytest.approx(oracle.pvalue, rel=1e-6)
    assert (result.interval.low, result.interval.high) == pytest.approx((low, high), abs=1e-9)
    assert result.df == len(differences) - 1


def test_a_clustered_error_by_hand() -> None:
    """Sums of what is left of the mean, -1/6: -5/3, 1/3, 4/3; squared 42/9; times 3/2 is 7."""
    result = paired_means([-1, -1, 0, 0, 0, 1], groups=["a", "a", "b", "b", "c", "c"])
    assert result.standard_error == pytest.approx(sqrt(7) / 6)
    assert (result.cases, result.groups, result.df) == (6, 3, 2)
    assert result.interval is not None
    assert result.interval.high - result.mean == pytest.approx(4.302653 * sqrt(7) / 6)


@given(DIFFERENCES)
def test_groups_of_one_are_cases(differences: list[float]) -> None:
    alone = paired_means(differences)
    grouped = paired_means(differences, groups=range(len(differences)))
    assert grouped.groups == len(differences)
    assert (grouped.standard_error, grouped.p_worse, grouped.interval) == (
        alone.standard_error,
        alone.p_worse,
        alone.interval,
    )


@given(DIFFERENCES)
def test_copies_of_a_case_in_its_group_are_no_evidence(differences: list[float]) -> None:
    once = paired_means(differences)
    thrice = paired_means(differences * 3, groups=list(range(len(differences))) * 3)
    assert thrice.standard_error == pytest.approx(once.standard_error, abs=1e-12)
    assert thrice.p_worse == pytest.approx(once.p_worse, abs=1e-9)


@given(DIFFERENCES, st.randoms(use_true_random=False))
def test_the_order_of_cases_changes_nothing(
    differences: list[float], shuffler: random.Random
) -> None:
    rows = [(value, index % 4) for index, value in enumerate(differences)]
    shuffled = shuffler.sample(rows, len(rows))
    first, second = (
        paired_means([value for value, _ in some], groups=[group for _, group in some])
        for some in (rows, shuffled)
    )
    assert first == second


@given(DIFFERENCES)
def test_where_less_is_better_the_sign_turns(differences: list[float]) -> None:
    up = paired_means([-value for value in differences], higher_is_better=True)
    down = paired_means(differences, higher_is_better=False)
    assert (down.mean, down.p_worse) == pytest.approx((-up.mean, up.p_worse))


def test_an_allowance_asks_for_more_than_being_worse() -> None:
    rise = [0.30, 0.35, 0.40, 0.38, 0.32, 0.36]
    worse, by_a_tenth, by_all = (
        paired_means(rise, higher_is_better=False, allowance=allowance).p_worse
        for allowance in (0.0, 0.1, 0.35)
    )
    assert worse < by_a_tenth < 0.001
    assert by_all > 0.1


@pytest.mark.parametrize(("differences", "groups"), [([], None), ([-1], None), ([-1, -1], "aa")])
def test_one_unit_establishes_nothing(differences: list[float], groups: str | None) -> None:
    result = paired_means(differences, groups=groups)
    assert (result.standard_error, result.interval, result.p_worse) == (None, None, 1.0)


def test_equal_differences_are_judged_by_their_signs() -> None:
    assert paired_means([-0.1] * 4).p_worse == 0.5**4
    assert paired_means([0.1] * 4).p_worse == paired_means([0.0] * 4).p_worse == 1.0
    assert paired_means([-0.1] * 4).standard_error == 0.0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        paired_means([0.0, value])


def test_groups_of_other_cases_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        paired_means([0.0, 1.0], groups=["a"])


def test_without_scipy_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(EnvironmentProblem) as caught:
        paired_means([0.1, 0.2])
    assert caught.value.code == "ACI-E420"
    assert "agentci-pipelines[stats]" in (caught.value.hint or "")
