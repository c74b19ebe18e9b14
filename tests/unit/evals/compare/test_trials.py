"""Trials: estimators against enumeration, variance against a simulation, rules by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.evals.compare.trials import (
    case_means,
    false_alarm_bound,
    is_flaky,
    pass_at_k,
    pass_hat_k,
    spread,
    surely_broken,
)

COUNTED = st.integers(1, 8).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))
)


@given(COUNTED)
def test_the_estimators_are_shares_of_all_choices_of_trials(counts: tuple[int, int, int]) -> None:
    n, c, k = counts
    choices = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, choices)) / len(choices))
    assert pass_hat_k(n, c, k) == pytest.approx(sum(map(all, choices)) / len(choices))


@given(COUNTED)
def test_one_of_one_trial_is_the_pass_rate(counts: tuple[int, int, int]) -> None:
    n, c, k = counts
    assert pass_at_k(n, c, 1) == pass_hat_k(n, c, 1) == c / n
    assert pass_hat_k(n, c, k) <= c / n <= pass_at_k(n, c, k)


@pytest.mark.parametrize("counts", [(3, 4, 1), (3, -1, 1), (3, 1, 4), (3, 1, 0), (0, 0, 1)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int]) -> None:
    for estimator in (pass_at_k, pass_hat_k):
        with pytest.raises(ValueError, match="says nothing"):
            estimator(*counts)


def test_a_flaky_case_passes_and_fails() -> None:
    assert [is_flaky(3, passed) for passed in range(4)] == [False, True, True, False]


def test_only_all_to_nothing_breaks_a_case() -> None:
    assert surely_broken([True] * 3, [False] * 3)
    assert not surely_broken([True] * 3, [False, False, True])
    assert not surely_broken([True, False], [False, False])
    assert not surely_broken([], [False])
    assert not surely_broken([True], [])


def test_the_bound_on_false_alarms() -> None:
    assert false_alarm_bound(base_trials=5, head_trials=5) == 0.25**5
    assert false_alarm_bound(base_trials=5, head_trials=5, cases=20) == pytest.approx(
        0.0194, abs=1e-4
    )
    assert false_alarm_bound(base_trials=5, head_trials=5, cases=0) == 0
    with pytest.raises(ValueError, match="each side"):
        false_alarm_bound(base_trials=0, head_trials=5)


@given(st.integers(1, 8), st.integers(1, 8), st.floats(0, 1))
def test_no_pass_rate_exceeds_the_bound(base: int, head: int, rate: float) -> None:
    bound = false_alarm_bound(base_trials=base, head_trials=head)
    assert rate**base * (1 - rate) ** head <= bound + 1e-12


def test_means_over_trials() -> None:
    assert case_means([[1, 0, 1], [0.5]]) == (2 / 3, 0.5)
    with pytest.raises(ValueError, match="no mean"):
        case_means([[1], []])


def test_spread_by_hand() -> None:
    """Within the base 1/3 and 1/2 over 3 degrees; differences -1/3 and 1 have variance 8/9."""
    found = spread([[1, 0, 0], [0, 1]], [[0, 0], [1.5, 1.5]])
    assert found is not None
    assert found.sigma2_base == pytest.approx((2 / 3 + 1 / 2) / 3)
    assert found.sigma2_head == 0.0
    assert (found.trials_base, found.trials_head) == pytest.approx((2.4, 2))
    assert found.omega2 == pytest.approx(8 / 9 - found.sigma2_base / 2.4)
    assert found.of_mean == pytest.approx(8 / 9 / 2)


def test_spread_needs_trials_and_cases() -> None:
    assert spread([[1], [0]], [[1, 1], [0, 0]]) is None
    assert spread([[1, 0]], [[1, 1]]) is None
    assert spread([], []) is None
    with pytest.raises(ValueError, match="same cases"):
        spread([[1]], [])


def test_spread_finds_what_was_put_in() -> None:
    generator = np.random.default_rng(11)
    true = generator.normal(0, 0.3, (4000, 1))
    base = generator.normal(0, 0.5, (4000, 3))
    head = true + generator.normal(0, 0.2, (4000, 5))
    found = spread(base.tolist(), head.tolist())
    assert found is not None
    assert found.sigma2_base == pytest.approx(0.25, rel=0.05)
    assert found.sigma2_head == pytest.approx(0.04, rel=0.05)
    assert found.omega2 == pytest.approx(0.09, rel=0.1)


def test_a_spread_is_never_negative() -> None:
    found = spread([[1, 0], [1, 0]], [[0, 1], [0, 1]])
    assert found is not None
    assert found.omega2 == 0.0
