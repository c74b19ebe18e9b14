"""Blocks of steps: order, files, conditions and failures, loops and fan-outs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agentci.core.errors import AgentciError, CassetteMiss
from agentci.record.session import Mode
from agentci.steps.results import StepRecord
from tests.support.engine_world import World, world_of

PUT = "side_effects: workspace"


def outcomes(records: Sequence[StepRecord]) -> dict[str, str]:
    return {record.lane: record.outcome for record in walk(records)}


def walk(records: Sequence[StepRecord]) -> list[StepRecord]:
    found = []
    for record in records:
        found += [*walk(record.children), record]
    return found


def out(record: StepRecord) -> Any:
    return record.output


def files(world: World, tree: str) -> dict[str, str]:
    return world.trees[tree]


def test_steps_follow_each_other_on_the_same_files(tmp_path: Path) -> None:
    steps = f"""
steps:
  - {{id: one, run: [put, a, "1"], {PUT}}}
  - {{id: two, run: [put, b, "${{{{ steps.one.output.stdout }}}}"], {PUT}}}
  - {{id: three, run: [put, c, "3"]}}
"""
    world = world_of(tmp_path, steps)
    result = world.run()
    assert files(world, result.tree) == {"readme": "hello", "a": "1", "b": "a 1"}
    assert result.records[2].notes["dropped"] == ["c"]


def test_a_step_whose_condition_is_false_is_skipped_and_shown(tmp_path: Path) -> None:
    steps = """
steps:
  - {id: one, run: [say, x], when: "${{ run.seed > 0 }}"}
  - {id: two, run: [say, "${{ steps.one.outcome }}"]}
"""
    world = world_of(tmp_path, steps)
    result = world.run()
    assert outcomes(result.records) == {"one": "skipped", "two": "done"}
    assert out(result.records[1])["stdout"] == "skipped"
    assert "one" in world.finished()


def test_a_condition_that_is_no_boolean_fails_the_step(tmp_path: Path) -> None:
    steps = (
        'steps: [{id: a, run: [say, x]}, {id: b, run: [say], when: "${{ steps.a.output.stdout }}"}]'
    )
    world = world_of(tmp_path, steps)
    result = world.run()
    assert outcomes(result.records) == {"a": "done", "b": "failed"}
    assert "b" in world.finished()


def test_a_failure_stops_what_follows_but_not_its_siblings(tmp_path: Path) -> None:
    steps = f"""
steps:
  - {{id: bad, run: [fail], needs: []}}
  - {{id: good, run: [put, g, g], needs: [], {PUT}}}
  - {{id: after-bad, run: [say], needs: [bad]}}
  - {{id: after-good, run: [say], needs: [good]}}
"""
    result = world_of(tmp_path, steps).run()
    assert outcomes(result.records) == {"bad": "failed", "good": "done", "after-good": "done"}
    assert result.verdict == "failed"
    assert result.stopped is not None
    assert result.stopped.step == "bad"


def test_a_failure_that_is_allowed_is_an_outcome(tmp_path: Path) -> None:
    steps = """
steps:
  - {id: bad, run: [fail], allow_failure: true}
  - {id: after, run: [say, "${{ steps.bad.outcome }} ${{ steps.bad.output.exit_code }}"]}
"""
    result = world_of(tmp_path, steps).run()
    assert result.verdict == "passed"
    assert out(result.records[1])["stdout"] == "failed 1"


def test_steps_that_need_several_see_the_files_of_all(tmp_path: Path) -> None:
    steps = f"""
steps:
  - {{id: base, run: [put, base, "0"], {PUT}}}
  - {{id: left, run: [put, left, l], needs: [base], {PUT}}}
  - {{id: right, run: [put, right, r], needs: [base], {PUT}}}
  - {{id: join, run: [put, join, j], needs: [left, right], {PUT}}}
  - {{id: other, run: [put, other, o], needs: [right], {PUT}}}
"""
    world = world_of(tmp_path, steps)
    for seed in range(5):
        result = world.run(seed, fresh=True)
        by_id = {record.step: record for record in result.records}
        assert set(files(world, by_id["join"].tree)) == {"readme", "base", "left", "right", "join"}
        assert set(files(world, by_id["other"].tree)) == {"readme", "base", "right", "other"}
        assert set(files(world, result.tree)) == {
            "readme", "base", "left", "right", "join", "other",
        }  # fmt: skip


def test_needs_that_changed_the_same_place_fail_the_step_that_joins_them(tmp_path: Path) -> None:
    steps = f"""
steps:
  - {{id: left, run: [put, same, l], needs: [], {PUT}}}
  - {{id: right, run: [put, same, r], needs: [], {PUT}}}
  - {{id: join, run: [say], needs: [left, right]}}
  - {{id: slow, agent: asker, prompt: ask.md, needs: []}}
"""
    world = world_of(tmp_path, steps)
    for seed in range(5):
        result = world.run(seed, fresh=True)
        assert outcomes(result.records) == {
            "left": "done", "right": "done", "join": "failed", "slow": "done",
        }  # fmt: skip
        failed = next(record for record in result.records if record.step == "join")
        assert "`same`" in failed.message
        assert "right" in failed.message


def test_branches_that_changed_the_same_place_are_named(tmp_path: Path) -> None:
    steps = f"""
steps:
  - id: both
    parallel:
      branches:
        left: [{{id: p, run: [put, same, l], {PUT}}}]
        right: [{{id: p, run: [put, same, r], {PUT}}}]
"""
    result = world_of(tmp_path, steps).run()
    assert outcomes(result.records)["both"] == "failed"
    assert "`right`" in result.records[0].message
    assert "`same`" in result.records[0].message
    assert len(result.records[0].children) == 2


def test_the_end_of_a_block_joins_what_nobody_joined_or_says_why_not(tmp_path: Path) -> None:
    steps = f"""
steps:
  - {{id: left, run: [put, same, l], needs: [], {PUT}}}
  - {{id: right, run: [put, same, r], needs: [], {PUT}}}
"""
    with pytest.raises(AgentciError, match="conflict"):
        world_of(tmp_path, steps).run()


LOOP = """
steps:
  - id: again
    ON_EXHAUSTED
    loop:
      max: 3
      until: ${{ UNTIL }}
      initial: {said: [first]}
      carry: {said: "${{ carry.said + [steps.say.output.stdout] }}"}
      steps:
        - {id: say, run: [say, "${{ loop.iteration }} of ${{ loop.max }}"]}
"""


def loop(tmp_path: Path, until: str, *, more: str = "", exhausted: str = "fail") -> Any:
    text = LOOP.replace("UNTIL", until).replace("    ON_EXHAUSTED\n", more)
    text = text.replace("max: 3", f"max: 3\n      on_exhausted: {exhausted}")
    return world_of(tmp_path, text).run().records[0]


def test_a_loop_carries_state_until_its_condition_holds(tmp_path: Path) -> None:
    record = loop(tmp_path, "loop.iteration == 2")
    assert record.outcome == "approved"
    assert out(record)["iterations"] == 2
    assert out(record)["carry"] == {"said": ["first", "1 of 3"]}
    assert out(record)["last"]["say"]["stdout"] == "2 of 3"
    assert [child.lane for child in record.children] == ["again[1]/say", "again[2]/say"]


def test_a_loop_that_is_exhausted_fails_unless_it_may_go_on(tmp_path: Path) -> None:
    record = loop(tmp_path / "a", "loop.iteration > 9")
    assert (record.outcome, record.passed, len(record.children)) == ("exhausted", False, 3)
    record = loop(tmp_path / "b", "loop.iteration > 9", exhausted="continue")
    assert (record.outcome, record.passed) == ("exhausted", True)
    assert out(record)["iterations"] == 3


def test_a_loop_whose_condition_cannot_be_evaluated_never_counts_as_approved(
    tmp_path: Path,
) -> None:
    for index, until in enumerate(
        (
            "steps.say.output.exit_code / 0 == 0",
            "steps.say.output.exit_code",
            "steps.say.output.stdout",
        )
    ):
        record = loop(tmp_path / str(index), until)
        assert (record.outcome, record.passed) == ("failed", False)
        assert record.message


def test_a_fan_out_keeps_the_order_of_its_items(tmp_path: Path) -> None:
    steps = """
steps:
  - id: each
    foreach:
      items: [c, a, b]
      steps: [{id: ask, agent: asker, prompt: ask.md}, {id: say, run: [say, "${{ item }}"]}]
"""
    world = world_of(tmp_path, steps)
    first = world.run(1)
    assert out(first.records[0])["keys"] == ["c", "a", "b"]
    assert [item["say"]["stdout"] for item in out(first.records[0])["items"]] == ["c", "a", "b"]
    for seed in range(2, 8):
        again = world.run(seed, mode=Mode.REPLAY, fresh=True, jobs=seed)
        assert again.run_digest == first.run_digest


def test_a_matrix_has_an_item_for_each_combination(tmp_path: Path) -> None:
    steps = """
steps:
  - id: each
    foreach:
      matrix: {os: [x, y], n: [1, 2]}
      concurrency: 1
      steps: [{id: say, run: [say, "${{ item.os }}${{ item.n }}"]}]
"""
    record = world_of(tmp_path, steps).run().records[0]
    said = [item["say"]["stdout"] for item in out(record)["items"]]
    assert said == ["x1", "x2", "y1", "y2"]
    assert len(set(out(record)["keys"])) == 4


def test_an_item_that_fails_does_not_hide_the_others(tmp_path: Path) -> None:
    steps = """
steps:
  - id: each
    foreach:
      items: [say, fail, put]
      steps:
        - {id: run, run: ["${{ item }}", x, y]}
        - {id: after, run: [say, after]}
"""
    result = world_of(tmp_path, steps).run()
    assert outcomes(result.records) == {
        "each[say]/run": "done",
        "each[say]/after": "done",
        "each[fail]/run": "failed",
        "each[put]/run": "done",
        "each[put]/after": "done",
        "each": "failed",
    }
    assert "each[fail]/run" in result.records[0].message


def test_items_with_the_same_key_are_refused_with_the_key(tmp_path: Path) -> None:
    steps = """
steps:
  - id: each
    foreach:
      items: ["${{ run.seed }}", 0]
      key: same
      steps: [{id: say, run: [say]}]
"""
    record = world_of(tmp_path, steps).run().records[0]
    assert record.outcome == "failed"
    assert "same" in record.message


def test_a_fan_out_over_nothing_is_done(tmp_path: Path) -> None:
    steps = """
steps: [{id: each, foreach: {items: "${{ [] }}", steps: [{id: say, run: [say]}]}}]
"""
    result = world_of(tmp_path, steps).run()
    assert (result.verdict, result.records[0].output) == ("passed", {"keys": [], "items": []})


def test_commits_of_a_run_follow_each_other_wherever_they_are_made(tmp_path: Path) -> None:
    sub = f"""
format: agentci/pipeline
version: 1
name: sub
steps:
  - {{id: put, run: [put, sub, "1"], {PUT}}}
  - {{id: commit, commit: {{message: in the sub-pipeline}}}}
"""
    steps = f"""
steps:
  - {{id: first, commit: {{message: first}}}}
  - id: again
    loop:
      max: 2
      until: ${{{{ loop.iteration == 2 }}}}
      steps:
        - {{id: put, run: [put, n, "${{{{ loop.iteration }}}}"], {PUT}}}
        - {{id: commit, commit: {{message: "round ${{{{ loop.iteration }}}}"}}}}
  - {{id: sub, pipeline: sub}}
  - {{id: last, commit: {{message: last}}}}
"""
    world = world_of(tmp_path, steps, files={"sub/pipeline.yaml": sub})
    result = world.run()
    assert result.commit is not None
    chain = []
    commit = result.commit
    while commit != "base-commit":
        chain.append(world.commits[commit].message.strip())
        (commit,) = world.commits[commit].parents
    assert chain == ["last", "in the sub-pipeline", "round 2", "round 1", "first"]


def test_a_commit_after_branches_that_committed_has_all_of_them_as_parents(tmp_path: Path) -> None:
    steps = f"""
steps:
  - {{id: first, commit: {{message: first}}}}
  - id: both
    parallel:
      branches:
        left: [{{id: p, run: [put, l, l], {PUT}}}, {{id: c, commit: {{message: left}}}}]
        right: [{{id: p, run: [put, r, r], {PUT}}}, {{id: c, commit: {{message: right}}}}]
        none: [{{id: s, run: [say]}}]
  - {{id: last, commit: {{message: last}}}}
"""
    world = world_of(tmp_path, steps)
    for seed in range(4):
        result = world.run(seed, fresh=True)
        assert result.commit is not None
        parents = [world.commits[each] for each in world.commits[result.commit].parents]
        assert [each.message for each in parents] == ["left\n", "right\n"]
        assert parents[0].parents == parents[1].parents


def test_a_miss_names_the_lane_and_a_replay_never_goes_outside(tmp_path: Path) -> None:
    world = world_of(tmp_path, "steps: [{id: ask, agent: asker, prompt: ask.md}]")
    with pytest.raises(CassetteMiss) as caught:
        world.run(mode=Mode.REPLAY)
    assert caught.value.location is not None
    assert caught.value.location.lane == "ask/asker"
    assert world.answered == 0


def test_of_several_errors_the_first_in_plan_order_is_raised(tmp_path: Path) -> None:
    steps = """
steps:
  - id: both
    parallel:
      branches:
        left: [{id: wait, run: [say, x]}, {id: ask, agent: asker, prompt: ask.md}]
        right: [{id: ask, agent: asker, prompt: ask.md}]
"""
    world = world_of(tmp_path, steps)
    for seed in range(10):
        with pytest.raises(CassetteMiss) as caught:
            world.run(seed, mode=Mode.REPLAY, fresh=True)
        assert caught.value.location is not None
        assert caught.value.location.lane in {"both/left/ask/asker", "both/right/ask/asker"}
