"""Time limits: what is cut off leaves nothing behind, and a replay does the same at once."""

from __future__ import annotations

from pathlib import Path

from agentci.record.session import Mode
from tests.support.engine_world import world_of


def test_an_agent_that_took_too_long_may_fail_and_its_replay_takes_no_time(tmp_path: Path) -> None:
    steps = """
steps:
  - {id: slow, agent: asker, prompt: ask.md, timeout: 0.02, allow_failure: true}
  - {id: after, run: [say, "${{ steps.slow.outcome }}"]}
"""
    world = world_of(tmp_path, steps)
    world.models.hangs = [1]
    first = world.run()
    assert [record.outcome for record in first.records] == ["timed_out", "done"]
    world.models.hangs = []
    again = world.run(3, mode=Mode.REPLAY, fresh=True)
    assert again.run_digest == first.run_digest
    assert (world.answered, world.unplayed) == (0, ())


def test_an_agent_that_took_too_long_is_asked_again_by_the_next_run(tmp_path: Path) -> None:
    steps = "steps: [{id: slow, agent: asker, prompt: ask.md, timeout: 0.02}]"
    world = world_of(tmp_path, steps)
    world.models.hangs = [1]
    assert world.run().verdict == "failed"
    world.models.hangs = []
    assert world.run(fresh=True).verdict == "passed"


def test_a_timeout_is_tried_again_where_the_step_says_so(tmp_path: Path) -> None:
    steps = """
steps:
  - id: slow
    agent: asker
    prompt: ask.md
    timeout: 0.02
    retry: {attempts: 2, on: [timeout], delay: 0}
"""
    world = world_of(tmp_path, steps)
    world.models.hangs = [1]
    first = world.run()
    assert first.verdict == "passed"
    world.models.hangs = []
    assert world.run(1, mode=Mode.REPLAY, fresh=True).run_digest == first.run_digest
    assert world.unplayed == ()


def test_a_block_that_took_too_long_stops_what_is_inside(tmp_path: Path) -> None:
    steps = """
steps:
  - id: both
    timeout: 0.02
    allow_failure: true
    parallel:
      branches:
        a: [{id: ask, agent: asker, prompt: ask.md}]
        b: [{id: put, run: [put, x, y], side_effects: workspace}]
"""
    world = world_of(tmp_path, steps)
    world.models.hangs = [1]
    first = world.run()
    assert [record.outcome for record in first.records] == ["timed_out"]
    assert first.tree == world.base_tree
    world.models.hangs = []
    again = world.run(mode=Mode.REPLAY, fresh=True)
    assert again.run_digest == first.run_digest
    assert not world.executed
