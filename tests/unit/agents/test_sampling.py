"""Choosing among samples."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.agents.sampling import (
    Selection,
    select_best,
    select_first_passing,
    select_majority,
)
from agentci.core.canonical import canonical_bytes
from agentci.core.errors import StepFailed

OUTPUTS = st.lists(st.sampled_from([{"a": 1}, {"a": 2}, {"a": 3}, "x"]), min_size=1, max_size=7)


def test_most_samples_win_and_the_first_of_them_is_taken() -> None:
    outputs: list[Any] = [{"a": 2}, {"a": 1, "b": [1.0]}, {"b": [1], "a": 1}]
    assert select_majority(outputs, seed=0) == Selection(1, 2, 1)


def test_ties_are_broken_by_seed() -> None:
    outputs = ["x", "y", "y", "x", "z"]
    chosen = {select_majority(outputs, seed=seed).index for seed in range(40)}
    assert chosen == {0, 1}
    assert select_majority(outputs, seed=3) == select_majority(outputs, seed=3)
    assert select_majority(outputs, seed=3).tied == 2


@given(OUTPUTS, st.randoms(use_true_random=False), st.integers(0, 2**31 - 1))
def test_the_chosen_answer_does_not_depend_on_the_order(
    outputs: list[Any], random: Any, seed: int
) -> None:
    shuffled = list(outputs)
    random.shuffle(shuffled)
    first = outputs[select_majority(outputs, seed=seed).index]
    second = shuffled[select_majority(shuffled, seed=seed).index]
    assert canonical_bytes(first) == canonical_bytes(second)


@given(OUTPUTS, st.integers(0, 99))
def test_no_answer_has_more_votes(outputs: list[Any], seed: int) -> None:
    selection = select_majority(outputs, seed=seed)
    counts = [sum(canonical_bytes(a) == canonical_bytes(b) for b in outputs) for a in outputs]
    assert counts[selection.index] == max(counts) == selection.votes


def test_the_highest_score_wins_and_ties_go_by_seed() -> None:
    assert select_best([1, 3.5, 2], seed=0) == Selection(1, 1, 1)
    assert {select_best([2, 1, 2], seed=seed).index for seed in range(40)} == {0, 2}
    assert select_best([10**400, 1], seed=0).index == 0


@pytest.mark.parametrize("score", [float("nan"), float("inf"), True, "1", None])
def test_a_score_that_is_no_number_is_refused(score: Any) -> None:
    with pytest.raises(StepFailed, match="sample 1"):
        select_best([1, score], seed=0)


def test_the_first_that_passes_is_taken() -> None:
    assert select_first_passing([False, True, True]) == Selection(1, 2, 1)
    assert select_first_passing([False, False]) is None


def test_no_samples_is_a_failure() -> None:
    with pytest.raises(StepFailed, match="no sample"):
        select_majority([], seed=0)
    with pytest.raises(StepFailed, match="no sample"):
        select_best([], seed=0)
    with pytest.raises(StepFailed, match="no sample"):
        select_first_passing([])
