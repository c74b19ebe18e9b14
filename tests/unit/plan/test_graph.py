"""The order of sibling steps, cycles, and the trees that steps start from."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.plan.graph import (
    Needs,
    ancestors,
    find_cycle,
    heads,
    merge_base,
    resolve_needs,
    topological_order,
    tree_origin,
)
from agentci.spec.pipeline import CommandStep

DIAMOND: Needs = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


@st.composite
def acyclic(draw: st.DrawFn) -> Needs:
    """Needs that point to earlier steps of a hidden order, written in another order."""
    size = draw(st.integers(1, 9))
    names = [f"s{index}" for index in range(size)]
    needs = {
        name: tuple(draw(st.lists(st.sampled_from(names[:index]), unique=True, max_size=4)))
        if index
        else ()
        for index, name in enumerate(names)
    }
    return {name: needs[name] for name in draw(st.permutations(names))}


@st.composite
def any_graph(draw: st.DrawFn) -> Needs:
    names = [f"s{index}" for index in range(draw(st.integers(1, 7)))]
    return {
        name: tuple(draw(st.lists(st.sampled_from(names), unique=True, max_size=3)))
        for name in names
    }


def command(name: str, needs: tuple[str, ...] | None = None) -> CommandStep:
    return CommandStep(id=name, run=("true",), needs=needs)


def test_a_step_without_needs_comes_after_the_step_above() -> None:
    steps = [command("a"), command("b"), command("c", ()), command("d")]
    assert resolve_needs(steps) == {"a": (), "b": ("a",), "c": (), "d": ("c",)}


@given(acyclic())
def test_every_step_comes_after_its_needs(needs: Needs) -> None:
    order = topological_order(needs)
    assert sorted(order) == sorted(needs)
    for step in needs:
        assert all(order.index(need) < order.index(step) for need in needs[step])


@given(acyclic())
def test_of_the_steps_that_are_ready_the_first_written_comes_next(needs: Needs) -> None:
    order = topological_order(needs)
    for index, step in enumerate(order):
        done = set(order[:index])
        ready = [s for s in needs if s not in done and set(needs[s]) <= done]
        assert step == ready[0]


def test_written_order_is_kept_where_needs_allow_it() -> None:
    assert topological_order(DIAMOND) == ("a", "b", "c", "d")


@given(any_graph())
def test_a_cycle_is_found_exactly_where_there_is_no_order(needs: Needs) -> None:
    cycle = find_cycle(needs)
    if cycle is None:
        assert len(topological_order(needs)) == len(needs)
        return
    assert cycle[0] == cycle[-1]
    assert all(after in needs[before] for before, after in pairwise(cycle))
    with pytest.raises(ValueError, match="need each other"):
        topological_order(needs)


def test_a_step_that_needs_itself_is_a_cycle() -> None:
    assert find_cycle({"a": ("a",)}) == ("a", "a")


def test_a_long_chain_of_steps_does_not_overflow() -> None:
    needs: dict[str, tuple[str, ...]] = {f"s{index}": (f"s{index + 1}",) for index in range(3000)}
    needs["s3000"] = ()
    assert topological_order(needs)[0] == "s3000"
    assert find_cycle({**needs, "s3000": ("s0",)}) is not None


def test_ancestors_follow_needs_to_the_end() -> None:
    assert ancestors(DIAMOND)["d"] == {"a", "b", "c"}
    assert ancestors(DIAMOND)["b"] == {"a"}


@given(acyclic(), st.data())
def test_heads_hold_the_work_of_all_and_none_is_left_over(
    needs: Needs, data: st.DataObject
) -> None:
    steps = data.draw(st.lists(st.sampled_from(sorted(needs)), unique=True))
    above = ancestors(needs)
    tops = heads(needs, steps)
    covered = set(tops).union(*(above[top] for top in tops))
    assert set(steps) <= covered
    assert all(a not in above[b] for a in tops for b in tops)


def test_a_single_need_is_taken_as_it_is() -> None:
    origin = tree_origin(DIAMOND, ("b",))
    assert (origin.first, origin.merges) == ("b", ())


def test_two_needs_are_merged_over_their_common_ancestor() -> None:
    origin = tree_origin(DIAMOND, DIAMOND["d"])
    assert origin.first == "b"
    assert [(merge.theirs, merge.base) for merge in origin.merges] == [("c", ("a",))]


def test_a_need_that_another_need_contains_is_left_out() -> None:
    needs: Needs = {"a": (), "b": ("a",), "c": ("a", "b")}
    assert tree_origin(needs, needs["c"]).merges == ()


def test_steps_with_nothing_in_common_merge_over_the_start() -> None:
    needs: Needs = {"a": (), "b": (), "c": ("a", "b")}
    assert tree_origin(needs, needs["c"]).merges[0].base == ()
    assert tree_origin(needs, ()).first is None


def test_a_criss_cross_has_several_bases() -> None:
    needs: Needs = {"a": (), "b": (), "c": ("a", "b"), "d": ("a", "b")}
    assert merge_base(needs, ("c",), theirs="d") == ("a", "b")


class _Files:
    """A model of trees: the set of steps whose work they hold; merging checks its base."""

    def __init__(self, needs: Needs) -> None:
        self.needs = needs

    def tree(self, steps: tuple[str, ...]) -> frozenset[str]:
        origin = tree_origin(self.needs, steps)
        if origin.first is None:
            return frozenset()
        merged = self.after(origin.first)
        for merge in origin.merges:
            base, theirs = self.tree(merge.base), self.after(merge.theirs)
            assert base == merged & theirs, "a base that is not what both sides share"
            merged |= theirs
        return merged

    def after(self, step: str) -> frozenset[str]:
        return self.tree(self.needs[step]) | {step}


@given(acyclic())
def test_the_merged_tree_has_the_work_of_every_ancestor_once(needs: Needs) -> None:
    files = _Files(needs)
    for step in needs:
        assert files.after(step) == ancestors(needs)[step] | {step}
    assert files.tree(tuple(needs)) == frozenset(needs)
