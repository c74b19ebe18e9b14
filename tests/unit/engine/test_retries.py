"""Attempts: which failures are tried again, and that a replay takes the same turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.core.errors import ProviderError
from agentci.engine.executor import RunResult
from agentci.record.session import Mode
from tests.support.engine_world import World, world_of


def replays(world: World, first: RunResult) -> None:
    """Check that a replay has the digest of `first` and leaves nothing unplayed."""
    world.models.faults = []
    again = world.run(7, mode=Mode.REPLAY, fresh=True)
    assert again.run_digest == first.run_digest
    assert world.unplayed == ()


def test_a_provider_that_fails_is_asked_again_and_a_replay_knows(tmp_path: Path) -> None:
    steps = "steps: [{id: ask, agent: asker, prompt: ask.md, retry: {attempts: 3, delay: 0}}]"
    world = world_of(tmp_path, steps)
    world.models.faults = [1, 2]
    result = world.run()
    assert result.verdict == "passed"
    assert [path for path in world.recorded() if "~" in path or "%7e" in path] != []
    replays(world, result)


def test_an_attempt_that_was_lost_after_an_answer_leaves_no_trace_in_the_digest(
    tmp_path: Path,
) -> None:
    steps = """
steps:
  - id: talk
    retry: {attempts: 2, delay: 0, on: [provider]}
    pipeline: sub
"""
    sub = """
format: agentci/pipeline
version: 1
name: sub
models: {m: {provider: openai, id: a-model, parameters: {max_tokens: 10}, attempts: 1}}
agents: {asker: {model: m}}
steps:
  - {id: one, agent: asker, prompt: ask.md}
  - {id: two, agent: asker, prompt: ask.md}
"""
    world = world_of(tmp_path, steps, files={"sub/pipeline.yaml": sub, "sub/ask.md": "x"})
    world.models.faults = [2]
    result = world.run()
    assert result.verdict == "passed"
    replays(world, result)


def test_an_agent_that_lost_its_second_turn_is_replayed_with_the_same_digest(
    tmp_path: Path,
) -> None:
    agents = "  picky: {model: m, output: {type: object, required: [ok]}}\n"
    steps = "steps: [{id: ask, agent: picky, prompt: ask.md, retry: {attempts: 2, delay: 0}}]"
    world = world_of(tmp_path, steps, agents=agents)
    world.models.texts = ["no", "never said", "no", '{"ok": true}']
    world.models.faults = [2]
    result = world.run()
    replays(world, result)


def test_the_last_failure_of_a_provider_ends_the_run(tmp_path: Path) -> None:
    steps = "steps: [{id: ask, agent: asker, prompt: ask.md, retry: {attempts: 2, delay: 0}}]"
    world = world_of(tmp_path, steps)
    world.models.faults = [1, 2]
    with pytest.raises(ProviderError):
        world.run()
    assert world.answered == 0


def test_a_command_is_tried_again_only_for_the_failures_that_are_named(tmp_path: Path) -> None:
    steps = """
steps:
  - {id: a, run: [fail], allow_failure: true, retry: {attempts: 3, on: [failed], delay: 1}}
  - {id: b, run: [fail], allow_failure: true, retry: {attempts: 3, on: [timeout]}}
"""
    world = world_of(tmp_path, steps)
    world.run()
    assert world.executed["main: fail"] == 3 + 1
    assert len(world.clock.slept) == 2
    assert 0.5 <= world.clock.slept[0] <= 1.5
    assert 1.0 <= world.clock.slept[1] <= 3.0
