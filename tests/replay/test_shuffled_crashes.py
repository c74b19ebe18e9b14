"""Crash anywhere, resume in any order: every branch keeps its own answers, nothing runs twice.

Two parallel branches and three items of a fan-out run the same sub-pipeline, and all of them ask
the model exactly the same thing. It never answers twice alike, so a swapped answer is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest

from agentci.core.lane import Lane
from agentci.engine.executor import RunResult
from agentci.record.lane_path import lane_path
from agentci.record.session import Mode
from tests.support.engine_world import Crash, Moment, World, read_world, write_files

MODELS = """
models: {m: {provider: openai, id: a-model, parameters: {max_tokens: 10}, attempts: 1, seed: false}}
agents: {asker: {model: m}}
"""
SUB = f"""
format: agentci/pipeline
version: 1
name: sub
{MODELS}
inputs: {{topic: {{}}}}
steps:
  - id: again
    loop:
      max: 2
      until: ${{{{ loop.iteration == 2 }}}}
      initial: {{said: ""}}
      carry: {{said: "${{{{ steps.ask.output.text }}}}"}}
      steps:
        - {{id: ask, agent: asker, prompt: ask.md}}
        - {{id: say, run: [say, "${{{{ steps.ask.output.text }}}}"]}}
output:
  said: "${{{{ steps.again.output.carry.said }}}} ${{{{ steps.again.output.last.ask.text }}}}"
"""
MAIN = """
format: agentci/pipeline
version: 1
name: main
steps:
  - id: both
    parallel:
      branches:
        left:
          - {id: sub, pipeline: sub, with: {topic: same}}
          - {id: note, run: [put, left, "${{ steps.sub.output.said }}"], side_effects: workspace}
        right:
          - {id: sub, pipeline: sub, with: {topic: same}}
          - {id: note, run: [put, right, "${{ steps.sub.output.said }}"], side_effects: workspace}
  - id: each
    foreach:
      items: [a, b, c]
      steps:
        - {id: sub, pipeline: sub, with: {topic: same}}
        - id: note
          run: [put, "${{ item }}", "${{ steps.sub.output.said }}"]
          side_effects: workspace
  - id: commit
    commit: {message: all of it}
output: {both: "${{ steps.both.output }}", each: "${{ steps.each.output }}"}
"""
ANSWER = re.compile(r"<answer-(\d+)>")
SUBS = ("both/left", "both/right", "each[a]", "each[b]", "each[c]")
CALLS = 2 * len(SUBS)
LEAVES = 5 * len(SUBS) + 1


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("definition")
    files = {"pipeline.yaml": MAIN, "sub/pipeline.yaml": SUB, "sub/ask.md": "Say something."}
    return write_files(folder, files)


def test_identical_branches_each_keep_their_answers_and_replay_in_any_order(
    definition: Path,
) -> None:
    world = read_world(definition)
    first = world.run(1)
    assert first.verdict == "passed"
    assert world.answered == CALLS
    for seed in range(2, 12):
        again = world.run(seed, mode=Mode.REPLAY, jobs=1 + seed % 8, fresh=True)
        assert again.run_digest == first.run_digest
        assert said(again) == said(first)
        assert len(set(said(again))) == CALLS


def test_answers_that_are_told_apart_by_order_alone_are_swapped_and_noticed(
    definition: Path,
) -> None:
    world = read_world(definition)
    world.blind = True
    first = world.run(1)
    again = [world.run(seed, mode=Mode.REPLAY, fresh=True) for seed in range(2, 6)]
    assert any(said(each) != said(first) for each in again)
    assert all(sorted(said(each)) == sorted(said(first)) for each in again)
    assert len({each.run_digest for each in (first, *again)}) > 1


def test_shuffled_crashes_swap_nothing_and_run_nothing_twice(definition: Path) -> None:
    bundle = read_world(definition).bundle
    for seed in range(20):
        crash_and_resume(World(bundle), seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))  # so that several workers share them
def test_a_thousand_shuffled_crashes_swap_nothing_and_run_nothing_twice(
    definition: Path, part: int
) -> None:
    bundle = read_world(definition).bundle
    for seed in range(1000 + part, 2000, 20):
        crash_and_resume(World(bundle), seed)


def crash_and_resume(world: World, seed: int) -> None:
    """Crash a run one to three times at random writes, then let it finish, and check it all."""
    random = Random(seed)
    lost = 0
    for life in range(random.randint(1, 3)):
        world.files.crash_at = random.randint(2, 60)
        world.files.moment = random.choice(list[Moment](("before", "torn", "after")))
        finished, kept = world.finished(), recorded(world)
        try:
            result = world.run(seed * 10 + life, jobs=random.randint(1, 8))
        except Crash:
            world.files.power_on()
        else:
            world.files.power_on()
            check_life(world, finished, kept)
            break
        check_life(world, finished, kept)
        lost += 1
    else:
        finished, kept = world.finished(), recorded(world)
        result = world.run(seed * 10 + 9, jobs=random.randint(1, 8))
        check_life(world, finished, kept)
    check_end(world, result)
    assert world.answered <= CALLS + lost * 5, "more than the calls in flight were asked again"


def check_life(world: World, finished: frozenset[Lane], kept: dict[str, list[int]]) -> None:
    """One life of a run: what had finished before was not touched, what was recorded was used."""
    for lane in finished:
        ran = [command for command in world.executed if owner_of(command, lane)]
        assert not ran, f"{lane} had finished and was executed again: {ran}"
        assert not [got for got in world.got if got.startswith(f"{lane}/")]
    assert max(world.executed.values(), default=1) <= 2  # `say` runs in both rounds of a loop
    now = recorded(world)
    for path, numbers in kept.items():
        assert now[path][: len(numbers)] == numbers, f"{path} lost or changed a recorded answer"


def check_end(world: World, result: RunResult) -> None:
    """The result of every branch is what its own lane was told, and a replay agrees."""
    assert result.verdict == "passed"
    assert len(world.finished()) == LEAVES
    numbers = recorded(world)
    expected = [
        numbers[lane_path(Lane(f"{sub}/sub/again[{turn}]/ask/asker")).as_posix()]
        for sub in SUBS
        for turn in (1, 2)
    ]
    assert said(result) == [only for (only,) in expected]
    assert len(set(said(result))) == CALLS
    answered = world.answered
    replayed = world.run(1, mode=Mode.REPLAY, jobs=3, fresh=True)
    assert replayed.run_digest == result.run_digest
    assert world.answered == answered


def owner_of(command: str, lane: Lane) -> bool:
    """Say whether a counted command is of the `note` step at `lane`."""
    workspace, _, words = command.partition(": ")
    return lane.endswith("/note") and words.startswith("put") and lane == f"{workspace}/note"


def recorded(world: World) -> dict[str, list[int]]:
    return {
        path: [int(number) for number in ANSWER.findall(text)]
        for path, text in world.recorded().items()
        if ANSWER.search(text)
    }


def said(result: RunResult) -> list[int]:
    """Return the answers in the output, branch by branch."""
    output = cast("dict[str, Any]", result.output)
    both, each = output["both"], output["each"]
    texts: Iterator[str] = (
        branch["sub"]["said"] for branch in (both["left"], both["right"], *each["items"])
    )
    return [int(number) for text in texts for number in ANSWER.findall(text)]
