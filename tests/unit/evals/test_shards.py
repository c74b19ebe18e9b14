"""Shards: every case in exactly one, and together what was there before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.digest import digest_bytes
from agentci.core.errors import UsageError
from agentci.evals.results import CaseResult, SuiteResult
from agentci.evals.shards import Shard, merge_suites, parse_shard

DIGEST = digest_bytes(b"")


def _suite(*names: str) -> SuiteResult:
    cases = tuple(CaseResult(name, DIGEST, ()) for name in sorted(names))
    return SuiteResult("pipelines/a", "a", 1, {"prompts": DIGEST}, cases)


@given(st.text(max_size=50), st.integers(1, 20))
def test_a_case_belongs_to_exactly_one_shard(case: str, count: int) -> None:
    assert sum(Shard(index, count).has(case) for index in range(1, count + 1)) == 1


@given(st.sets(st.text(max_size=5)), st.integers(1, 5), st.randoms())
def test_shards_in_any_order_make_the_whole(names: set[str], count: int, random: object) -> None:
    whole = _suite(*names)
    shards = [Shard(index, count) for index in range(1, count + 1)]
    parts = [_suite(*(name for name in names if shard.has(name))) for shard in shards]
    random.shuffle(parts)  # type: ignore[attr-defined]  # a random.Random
    assert merge_suites(parts) == whole


def test_shards_are_about_equal() -> None:
    counts = [sum(Shard(index, 4).has(f"case {n}") for n in range(4_000)) for index in (1, 2, 3, 4)]
    assert min(counts) > 900


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1/0", "1", "1/2/3", "a/b", "1/ 2", "-1/2"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_shard(text)


def test_a_shard_is_written_as_it_is_read() -> None:
    assert str(parse_shard("2/16")) == "2/16"


def test_parts_of_another_state_are_refused_by_name() -> None:
    other = replace(_suite("b"), digests={"prompts": digest_bytes(b"x")})
    with pytest.raises(UsageError, match="prompts"):
        merge_suites([_suite("a"), other])
    with pytest.raises(UsageError, match="trials"):
        merge_suites([_suite("a"), replace(_suite("b"), trials=2)])
    with pytest.raises(UsageError, match="live"):
        merge_suites([_suite("a"), replace(_suite("b"), live=True)])


def test_a_case_in_two_parts_is_refused() -> None:
    with pytest.raises(UsageError, match="two of the files"):
        merge_suites([_suite("a", "b"), _suite("b")])
