"""What a suite can see: the reference table, scipy as oracle, formulas against each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from agentci.evals.compare.paired_binary import mcnemar
from agentci.evals.compare.power import (
    cases_needed,
    detectable_drop,
    detectable_mean_drop,
    detectable_shift,
    fewest_broken,
    has_power,
    mcnemar_power,
)
from agentci.evals.compare.trials import Spread

SPREAD = Spread(
    cases=60, omega2=0.02, sigma2_base=0.2, sigma2_head=0.15, trials_base=5, trials_head=5
)


@pytest.mark.parametrize(("alpha", "fixed", "fewest"), [(0.05, 0, 5), (0.01, 0, 7), (0.05, 2, 9)])
def test_the_fewest_broken_cases(alpha: float, fixed: int, fewest: int) -> None:
    assert fewest_broken(alpha=alpha, fixed=fixed) == fewest
    assert mcnemar(broken=fewest, fixed=fixed) <= alpha < mcnemar(broken=fewest - 1, fixed=fixed)


@pytest.mark.parametrize(
    ("n", "points"),
    [
        (20, (31.5, 35.8, 40.0)),
        (50, (13.0, 16.8, 20.0)),
        (100, (6.8, 9.5, 12.3)),
        (200, (3.5, 5.8, 7.8)),
        (500, (1.5, 3.3, 4.5)),
        (1000, (0.8, 2.3, 3.0)),
        (2000, (0.5, 1.5, 2.0)),
    ],
)
def test_the_table_of_detectable_drops(n: int, points: tuple[float, ...]) -> None:
    """As simulated with 4,000 draws for each step of a quarter of a point."""
    for churn, expected in zip((0.0, 0.02, 0.05), points, strict=True):
        drop = detectable_drop(n, churn=churn)
        assert drop is not None
        assert 100 * drop == pytest.approx(expected, abs=0.7 if n == 20 else 0.35)


def _power_by_enumeration(n: int, broken: float, fixed: float) -> float:
    """Sum over every outcome of n cases."""
    total = 0.0
    for b in range(n + 1):
        for c in range(n + 1 - b):
            if mcnemar(broken=b, fixed=c) <= 0.05:
                total += binom.pmf(b, n, broken) * binom.pmf(c, n - b, fixed / (1 - broken))
    return float(total)


@pytest.mark.parametrize(
    ("n", "broken", "fixed"), [(12, 0.4, 0.0), (20, 0.35, 0.05), (30, 0.2, 0.2), (30, 0.05, 0.3)]
)
def test_power_is_the_sum_over_all_outcomes(n: int, broken: float, fixed: float) -> None:
    power = mcnemar_power(n, broken_rate=broken, fixed_rate=fixed)
    assert power == pytest.approx(_power_by_enumeration(n, broken, fixed), rel=1e-9)


def test_power_at_the_ends() -> None:
    assert mcnemar_power(4, broken_rate=1.0) == 0.0
    assert mcnemar_power(5, broken_rate=1.0) == 1.0
    assert mcnemar_power(100, broken_rate=0.0) == 0.0
    assert mcnemar_power(100, broken_rate=0.0, fixed_rate=0.5) == pytest.approx(0, abs=1e-12)
    assert mcnemar_power(0, broken_rate=0.5) == 0.0


@given(st.integers(1, 400), st.floats(0, 0.4), st.floats(0, 0.2), st.floats(0, 0.4))
def test_a_larger_loss_is_never_harder_to_see(
    n: int, loss: float, churn: float, more: float
) -> None:
    smaller, larger = (
        mcnemar_power(n, broken_rate=rate + churn, fixed_rate=churn)
        for rate in (loss, min(loss + more, 1 - 2 * churn))
    )
    assert 0 <= smaller <= larger + 1e-9
    assert larger <= 1 + 1e-9


@given(st.integers(6, 300), st.sampled_from([0.0, 0.02, 0.05]))
def test_the_detectable_drop_is_where_power_begins(n: int, churn: float) -> None:
    drop = detectable_drop(n, churn=churn)
    assert (drop is None) == (not has_power(n, drop=1.0, churn=churn))
    if drop is not None:
        assert has_power(n, drop=drop, churn=churn)
        assert not has_power(n, drop=drop - 1e-5, churn=churn)


def test_three_cases_see_nothing() -> None:
    assert detectable_drop(3) is None
    assert not has_power(3, drop=1.0)


def test_the_formula_for_means() -> None:
    """60 cases, 5 trials: (1.645 + 0.842)^2 * (0.02 + 0.04 + 0.03) / 60 is 0.0963 squared."""
    assert detectable_mean_drop(SPREAD) == pytest.approx(0.09630, abs=1e-4)
    assert detectable_shift(1.0) == pytest.approx(2.4865, abs=1e-4)
    assert cases_needed(SPREAD, drop=0.09631) == 60
    assert cases_needed(SPREAD, drop=0.05) == 223


@given(st.floats(0.01, 0.5), st.integers(1, 20))
def test_cases_needed_are_enough_and_no_fewer(drop: float, trials: int) -> None:
    wanted = replace(SPREAD, trials_base=trials, trials_head=trials)
    cases = cases_needed(wanted, drop=drop)
    assert detectable_mean_drop(replace(wanted, cases=cases)) <= drop * (1 + 1e-9)
    if cases > 1:
        assert detectable_mean_drop(replace(wanted, cases=cases - 1)) > drop * (1 - 1e-9)


def test_more_trials_help_until_only_cases_do() -> None:
    drops = [
        detectable_mean_drop(replace(SPREAD, trials_base=k, trials_head=k)) for k in (1, 3, 5, 100)
    ]
    assert drops == sorted(drops, reverse=True)
    assert drops[-1] > detectable_shift((SPREAD.omega2 / SPREAD.cases) ** 0.5)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="churn"):
        detectable_drop(50, churn=0.5)
    with pytest.raises(ValueError, match="share"):
        fewest_broken(alpha=0.0)
    with pytest.raises(ValueError, match="quantile"):
        detectable_shift(1.0, alpha=1.0)
    with pytest.raises(ValueError, match="rates"):
        mcnemar_power(10, broken_rate=0.8, fixed_rate=0.3)
    with pytest.raises(ValueError, match="larger than nothing"):
        cases_needed(SPREAD, drop=0.0)


@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize("churn", [0.0, 0.02, 0.05])
def test_simulated_comparisons_find_what_power_promises(n: int, churn: float) -> None:
    drop = detectable_drop(n, churn=churn)
    assert drop is not None
    generator = np.random.default_rng(n)
    rates = [drop + churn, churn, 1 - drop - 2 * churn]
    drawn, times = np.unique(generator.multinomial(n, rates, 10_000), axis=0, return_counts=True)
    found = sum(
        int(count)
        for (broken, fixed, _), count in zip(drawn.tolist(), times, strict=True)
        if mcnemar(broken=broken, fixed=fixed) <= 0.05
    )
    assert found / 10_000 == pytest.approx(0.8, abs=0.03)
