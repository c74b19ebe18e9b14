"""Holm and Benjamini-Hochberg: R's answers, scipy as oracle, and what has to hold for any p."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from agentci.evals.compare.multiplicity import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), max_size=20)


def test_a_worked_example() -> None:
    p_values = [0.01, 0.04, 0.03, 0.005]
    assert holm(p_values) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert benjamini_hochberg(p_values) == pytest.approx((0.02, 0.04, 0.04, 0.02))


@given(P_VALUES)
def test_benjamini_hochberg_agrees_with_scipy(p_values: list[float]) -> None:
    oracle = false_discovery_control(p_values) if p_values else []
    assert benjamini_hochberg(p_values) == pytest.approx(tuple(oracle))


@given(P_VALUES)
def test_adjusted_values_are_ordered(p_values: list[float]) -> None:
    family, share = holm(p_values), benjamini_hochberg(p_values)
    for p, strict, mild in zip(p_values, family, share, strict=True):
        assert p <= mild + 1e-12
        assert mild <= strict + 1e-12
        assert strict <= min(1.0, len(p_values) * p) + 1e-12


@given(P_VALUES, st.randoms(use_true_random=False))
def test_the_order_of_the_questions_changes_nothing(
    p_values: list[float], shuffler: random.Random
) -> None:
    order = shuffler.sample(range(len(p_values)), len(p_values))
    for adjust in (holm, benjamini_hochberg):
        straight, mixed = adjust(p_values), adjust([p_values[index] for index in order])
        assert mixed == tuple(straight[index] for index in order)


def test_one_question_needs_no_adjusting() -> None:
    assert holm([0.04]) == benjamini_hochberg([0.04]) == (0.04,)
    assert holm([]) == benjamini_hochberg([]) == ()


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(p: float) -> None:
    for adjust in (holm, benjamini_hochberg):
        with pytest.raises(ValueError, match="between 0 and 1"):
            adjust([0.5, p])
