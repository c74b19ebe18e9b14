"""The methods on simulated comparisons: unchanged agents are let through, changed ones are found.

Each draw is one comparison, judged by the same calls that a gate makes. Exact tests alarm in at
most 5 percent of 1,000; Student's t is right on average only, so it is held to 5 percent within
what 10,000 draws can tell.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import nct
from scipy.stats import t as student

from agentci.evals.compare.multiplicity import holm
from agentci.evals.compare.paired_binary import mcnemar, newcombe
from agentci.evals.compare.paired_means import paired_means
from agentci.evals.compare.power import detectable_mean_drop
from agentci.evals.compare.sign_flip import sign_flip
from agentci.evals.compare.superiority import Verdict, judge
from agentci.evals.compare.trials import Spread, case_means

Numbers = NDArray[np.float64]
Method = Callable[[list[float]], float]
ALPHA = 0.05
COMPARISONS = 1_000


def _mcnemar(differences: list[float]) -> float:
    return mcnemar(broken=differences.count(-1.0), fixed=differences.count(1.0))


def _t(differences: list[float]) -> float:
    return paired_means(differences).p_worse


def _flips(differences: list[float]) -> float:
    return sign_flip(differences).p_worse


def _alarms(method: Method, differences: Numbers) -> int:
    """Return how many comparisons (rows) are blocked."""
    return sum(method(row) <= ALPHA for row in differences.tolist())


def _usual_rates(generator: np.random.Generator, cases: int) -> Numbers:
    """Pass rates of cases: most pass or fail nearly always, a third now and then."""
    sure = generator.choice([0.02, 0.97], size=cases, p=[0.2, 0.8])
    return np.where(generator.random(cases) < 0.3, generator.uniform(0.2, 0.8, cases), sure)


def _resampled(generator: np.random.Generator, comparisons: int, *, k: int) -> Numbers:
    """Differences of case means where base and head are the same agent, k trials each."""
    rates, size = _usual_rates(generator, 60), (comparisons, 60)
    return np.asarray((generator.binomial(k, rates, size) - generator.binomial(k, rates, size)) / k)


@pytest.mark.parametrize(("method", "k"), [(_mcnemar, 1), (_flips, 1), (_flips, 3), (_flips, 5)])
def test_an_unchanged_agent_is_seldom_blocked(method: Method, k: int) -> None:
    differences = _resampled(np.random.default_rng(2026), COMPARISONS, k=k)
    assert 0 < _alarms(method, differences) <= ALPHA * COMPARISONS


@pytest.mark.parametrize("k", [1, 3, 5])
def test_students_t_keeps_its_level_on_average(k: int) -> None:
    differences = _resampled(np.random.default_rng(2026), 10_000, k=k)
    assert _alarms(_t, differences) / 10_000 == pytest.approx(ALPHA, abs=0.01)


def test_trials_taken_for_cases_alarm_far_too_often() -> None:
    """Five trials of a case at one side share what the case got there; its mean is one value."""
    generator = np.random.default_rng(2026)
    shocks = generator.normal(0, 1, (COMPARISONS, 30, 1))
    trials = shocks + generator.normal(0, 0.5, (COMPARISONS, 30, 5))
    by_case = [list(case_means(comparison)) for comparison in trials.tolist()]
    pooled = trials.reshape(COMPARISONS, 150)
    assert _alarms(_t, np.asarray(by_case)) <= 0.065 * COMPARISONS
    assert _alarms(_t, pooled) > 0.15 * COMPARISONS


def _clustered(generator: np.random.Generator, comparisons: int) -> Numbers:
    """Unchanged cases, ten to each of 20 clusters, that break and mend together."""
    shared = generator.choice([-1.0, 0.0, 1.0], size=(comparisons, 20), p=[0.15, 0.7, 0.15])
    together = generator.random((comparisons, 200)) < 0.8
    return np.asarray(np.where(together, np.repeat(shared, 10, axis=1), 0.0))


def test_cases_that_break_together_are_no_evidence_by_the_dozen() -> None:
    groups = [case // 10 for case in range(200)]
    differences = _clustered(np.random.default_rng(2026), COMPARISONS)
    more = _clustered(np.random.default_rng(2027), 4 * COMPARISONS)

    flips = _alarms(lambda row: sign_flip(row, groups=groups).p_worse, differences)
    t = _alarms(lambda row: paired_means(row, groups=groups).p_worse, more)

    assert 0 < flips <= ALPHA * COMPARISONS
    assert t / (4 * COMPARISONS) == pytest.approx(ALPHA, abs=0.015)
    assert _alarms(_mcnemar, differences) > 0.25 * COMPARISONS, "which is why groups are declared"


def test_flips_that_are_drawn_alarm_no_more_often() -> None:
    rows = np.random.default_rng(2026).normal(0, 1, (COMPARISONS, 40)).tolist()
    found = [sign_flip(row, seed=seed, draws=199) for seed, row in enumerate(rows)]
    assert {result.draws for result in found} == {199}
    assert 0 < sum(result.p_worse <= ALPHA for result in found) <= ALPHA * COMPARISONS


def test_twenty_slices_together_alarm_no_more_often_than_one() -> None:
    slices = np.random.default_rng(2026).random((10_000, 20)).tolist()
    plain = sum(min(p_values) <= ALPHA for p_values in slices)
    adjusted = sum(min(holm(p_values)) <= ALPHA for p_values in slices)
    assert plain / 10_000 == pytest.approx(1 - 0.95**20, abs=0.015)
    assert adjusted / 10_000 == pytest.approx(1 - 0.9975**20, abs=0.007)


def test_the_absence_of_a_regression_is_seldom_claimed_of_one() -> None:
    """A true loss of exactly the margin: the interval's end is wrong in about 2.5 percent."""
    generator = np.random.default_rng(2026)
    counts = generator.multinomial(200, [0.7, 0.07, 0.02, 0.21], COMPARISONS).tolist()
    verdicts = [
        judge(
            interval=newcombe(both=both, base_only=broken, head_only=fixed, neither=neither),
            p_worse=mcnemar(broken=broken, fixed=fixed),
            margin=0.05,
        )
        for both, broken, fixed, neither in counts
    ]
    assert verdicts.count(Verdict.NO_REGRESSION) <= 0.035 * COMPARISONS
    assert verdicts.count(Verdict.REGRESSION) > 0.6 * COMPARISONS


TRIALS = 5


def _lost(generator: np.random.Generator, n: int, *, flaky: int) -> tuple[Numbers, float]:
    """Return comparisons of `n` cases, of which some pass by chance, and the power of theory.

    The loss is what theory finds in 80 percent of comparisons. It hits the flaky cases alone, and
    the variance that this makes between cases lowers the power that theory promises.
    """
    share = flaky / n
    usual = Spread(n, 0.0, share / 4, share / 4, trials_base=TRIALS, trials_head=TRIALS)
    loss = detectable_mean_drop(usual) / share
    base, head = (
        generator.binomial(TRIALS, 0.5 + half, (COMPARISONS, flaky)) / TRIALS
        for half in (loss / 2, -loss / 2)
    )
    within = share * 2 * (1 - loss * loss) / 4 / TRIALS
    error = ((within + loss * loss * share * (1 - share)) / n) ** 0.5
    steady = np.zeros((COMPARISONS, n - flaky))
    power = nct.cdf(student.ppf(ALPHA, n - 1), n - 1, -loss * share / error)
    return np.hstack([head - base, steady]), float(power)


@pytest.mark.parametrize(("n", "flaky"), [(50, 50), (200, 100), (1000, 100)])
@pytest.mark.parametrize("method", [_t, _flips])
def test_a_lower_mean_is_found_as_often_as_theory_says(method: Method, n: int, flaky: int) -> None:
    differences, theory = _lost(np.random.default_rng(n), n, flaky=flaky)
    assert theory == pytest.approx(0.8, abs=0.03)
    assert _alarms(method, differences) / COMPARISONS == pytest.approx(theory, abs=0.03)
