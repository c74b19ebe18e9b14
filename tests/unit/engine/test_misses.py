"""Requests without a recording: all a run can find, in plan order; nothing follows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.core.errors import CassetteMiss, Location, SeveralMisses
from agentci.record.session import Mode
from tests.support.engine_world import World, world_of

BOTH = """
steps:
  - id: both
    parallel:
      branches:
        left:
          - {id: wait, run: [say, x]}
          - {id: ask, agent: asker, prompt: ask.md}
          - {id: after, run: [say, left]}
        right: [{id: ask, agent: asker, prompt: ask.md}]
        none: [{id: s, run: [say, fine]}]
  - {id: last, run: [say, last]}
"""


def misses(world: World, seed: int = 0) -> CassetteMiss:
    with pytest.raises(CassetteMiss) as caught:
        world.run(seed, mode=Mode.REPLAY, fresh=True)
    return caught.value


def test_every_lane_misses_for_itself_and_the_first_in_plan_order_is_told_in_full(
    tmp_path: Path,
) -> None:
    world = world_of(tmp_path, BOTH)
    shown = set()
    for seed in range(10):
        error = misses(world, seed)
        assert [miss.lane for miss in error.misses] == [
            "both/left/ask/asker",
            "both/right/ask/asker",
        ]
        assert error.location == Location(lane="both/left/ask/asker")
        shown.add(error.message)
    (text,) = shown
    assert "1 more request has no recording:" in text
    assert "  lane `both/right/ask/asker`: nothing is recorded in this lane" in text
    assert world.answered == 0


def test_independent_steps_go_on_and_what_needs_the_missing_answer_does_not(tmp_path: Path) -> None:
    world = world_of(tmp_path, BOTH)
    misses(world)
    ran = [name.rsplit(" ", 1)[-1] for name in world.executed]
    assert sorted(ran) == ["fine", "x"]


def test_samples_miss_together(tmp_path: Path) -> None:
    step = "{id: ask, agent: asker, prompt: ask.md, samples: 3, select: {majority: true}}"
    world = world_of(tmp_path, f"steps: [{step}]")
    for seed in range(5):
        lanes = [miss.lane for miss in misses(world, seed).misses]
        assert lanes == ["ask/asker#0", "ask/asker#1", "ask/asker#2"]


@pytest.mark.parametrize(
    "step",
    [
        "{id: ask, agent: asker, prompt: ask.md, allow_failure: true}",
        "{id: ask, agent: asker, prompt: ask.md, retry: {attempts: 3, on: [failed], delay: 0}}",
    ],
)
def test_a_miss_is_no_failure_that_a_definition_may_allow_or_try_again(
    tmp_path: Path, step: str
) -> None:
    world = world_of(tmp_path, f"steps: [{step}, {{id: after, run: [say, after]}}]")
    error = misses(world)
    assert [miss.lane for miss in error.misses] == ["ask/asker"]
    assert not world.executed


def test_a_container_around_a_miss_does_not_pass_either(tmp_path: Path) -> None:
    steps = """
steps:
  - id: all
    allow_failure: true
    foreach: {items: [a, b, c], steps: [{id: ask, agent: asker, prompt: ask.md}]}
  - {id: after, run: [say, after]}
"""
    world = world_of(tmp_path, steps)
    lanes = [miss.lane for miss in misses(world).misses]
    assert lanes == ["all[a]/ask/asker", "all[b]/ask/asker", "all[c]/ask/asker"]
    assert not world.executed


def test_many_misses_are_counted_by_lane() -> None:
    several = SeveralMisses(
        tuple(
            CassetteMiss("no", location=Location(lane=lane), causes=("prompt edited",))
            for lane in ["first", *["again"] * 3, *(f"lane{n:02}" for n in range(30))]
        )
    )
    lines = several.message.splitlines()
    assert lines[:3] == [
        "no",
        "33 more requests have no recording:",
        "  lane `again` (3): prompt edited",
    ]
    assert lines[-1] == "  and 11 more lanes; `--json` lists all"
    assert several.exit_code == 4
