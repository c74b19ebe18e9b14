"""Sign flips: enumeration by hand, scipy as oracle, and the ways of counting against each other."""

from __future__ import annotations

import random
from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.evals.compare.paired_binary import mcnemar
from agentci.evals.compare.sign_flip import _counted, _pairs_of_halves, sign_flip

FIFTHS = st.lists(st.integers(-5, 5).map(lambda fifths: fifths / 5), max_size=9)
REALS = st.lists(
    st.floats(-1, 1, allow_subnormal=False).filter(lambda x: abs(x) > 1e-6), max_size=9
)


def _by_hand(values: list[float]) -> float:
    """All flips, one by one; sums that are equal but for rounding are ties."""
    seen = sum(values) + 1e-9
    flips = list(product((1, -1), repeat=len(values)))
    worse = sum(sum(s * v for s, v in zip(f, values, strict=True)) <= seen for f in flips)
    return worse / len(flips)


@given(FIFTHS | REALS)
def test_every_flip_is_counted(differences: list[float]) -> None:
    result = sign_flip(differences)
    assert result.draws is None
    assert result.p_worse == _by_hand([value for value in differences if value])


def test_fishers_darwin_data() -> None:
    """The Design of Experiments, section 21: 863 of 32,768 flips are as large as what he saw."""
    darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    result = sign_flip(darwin, higher_is_better=False)
    assert result.p_worse == 863 / 32768


@pytest.mark.parametrize(("broken", "fixed"), [(5, 0), (12, 3), (40, 25), (25, 40), (0, 40)])
def test_of_cases_that_pass_or_fail_it_is_mcnemar(broken: int, fixed: int) -> None:
    differences = [-1.0] * broken + [1.0] * fixed + [0.0] * 30
    result = sign_flip(differences)
    assert (result.units, result.draws) == (broken + fixed, None)
    assert result.p_worse == pytest.approx(mcnemar(broken=broken, fixed=fixed), rel=1e-12)


@given(st.lists(st.integers(1, 10), min_size=1, max_size=20), st.integers(-5, 220))
def test_counting_pairs_and_counting_sums_agree(sizes: list[int], most: int) -> None:
    assert _pairs_of_halves(sorted(sizes), most) == _counted(sorted(sizes), most)


def test_draws_come_near_the_exact_answer_and_never_reach_nothing() -> None:
    generator = random.Random(7)
    tenths = [generator.randint(-10, 9) / 10 for _ in range(60)]
    exact = sign_flip(tenths)
    # Irrational steps have no common denominator, so that flips have to be drawn.
    drawn = sign_flip([value + 1e-7 * generator.random() for value in tenths])
    assert (exact.draws, drawn.draws) == (None, 10_000)
    assert drawn.p_worse == pytest.approx(exact.p_worse, abs=0.02)
    hopeless = sign_flip([0.5, *(-generator.uniform(1, 2) for _ in range(200))])
    assert (hopeless.draws, hopeless.p_worse) == (10_000, 1 / 10_001)


def test_draws_count_ties_as_just_as_bad() -> None:
    """Of 20 ones and 20 roots of two, as many of each are the same sum: 3 percent of flips."""
    differences = [1.0] * 12 + [-1.0] * 8 + [2**0.5] * 9 + [-(2**0.5)] * 11
    gained = 12 + 9 * 2**0.5 + 1e-9
    ways = sum(
        comb(20, ones) * comb(20, roots)
        for ones in range(21)
        for roots in range(21)
        if ones + roots * 2**0.5 <= gained
    )
    found = sign_flip(differences, draws=40_000)
    assert found.draws == 40_000
    assert found.p_worse == pytest.approx(ways / 2**40, abs=0.01)


def test_the_seed_decides_the_draws() -> None:
    generator = random.Random(3)
    values = [generator.gauss(0, 1) for _ in range(80)]
    first, again, other = (sign_flip(values, seed=seed, draws=500) for seed in (1, 1, 2))
    assert first == again
    assert first.p_worse != other.p_worse


def test_drawn_answers_are_the_same_on_every_machine() -> None:
    values = [sign * n**0.5 for n, sign in zip(range(1, 61), [1, -1, -1, 1, -1] * 12, strict=True)]
    assert sign_flip(values, seed=42).p_worse == 600 / 10_001


@given(FIFTHS, st.randoms(use_true_random=False))
def test_the_order_of_cases_changes_nothing(values: list[float], shuffler: random.Random) -> None:
    rows = [(value, index % 3) for index, value in enumerate(values)]
    shuffled = shuffler.sample(rows, len(rows))
    first, second = (
        sign_flip([value for value, _ in some], groups=[group for _, group in some])
        for some in (rows, shuffled)
    )
    assert first == second


def test_the_order_of_drawn_cases_changes_nothing_either() -> None:
    generator = random.Random(5)
    values = [generator.gauss(-0.1, 1) for _ in range(50)]
    shuffled = generator.sample(values, len(values))
    assert sign_flip(values, draws=300) == sign_flip(shuffled, draws=300)


def test_a_group_is_one_unit() -> None:
    assert sign_flip([-1.0] * 12, groups="aaaabbbbcccc").p_worse == 0.5**3
    assert sign_flip([-1.0] * 12).p_worse == 0.5**12


def test_thirds_that_sum_to_a_whole_are_ties() -> None:
    assert sign_flip([1 / 3, 1 / 3, 1 / 3, -1.0]).p_worse == _by_hand([1, 1, 1, -3])
    assert sign_flip([0.1, 0.2, -0.3]).p_worse == _by_hand([1, 2, -3])


def test_the_unit_of_measurement_changes_nothing() -> None:
    small = [float(value) for value in [3, -1, -4, 1, -5, 9, -2, -6] * 5]
    large = sign_flip([1e9 * value for value in small])
    assert large == sign_flip(small)
    assert large.draws is None


def test_small_differences_are_not_nothing() -> None:
    assert sign_flip([-1.3e-9, -2.1e-9, -0.7e-9]).p_worse == 1 / 8


def test_an_allowance_asks_for_more_than_being_worse() -> None:
    assert sign_flip([-0.2] * 6).p_worse == 1 / 64
    assert sign_flip([-0.2] * 6, allowance=0.3).p_worse == 1.0


def test_of_nothing_nothing_follows() -> None:
    assert sign_flip([]).p_worse == sign_flip([0.0, 0.0]).p_worse == 1.0
    assert sign_flip([0.5] * 40).p_worse == 1.0


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        sign_flip([1.0, float("nan")])
    with pytest.raises(ValueError, match="shorter"):
        sign_flip([1.0, 0.5], groups="a")
    with pytest.raises(ValueError, match="one draw"):
        sign_flip([1.0], draws=0)
