"""Which recorded lanes a plan has, and their order."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.app.definitions import checked_bundle
from agentci.core.lane import Lane
from agentci.plan.lane_patterns import PlannedLanes, natural
from agentci.plan.planner import build_plan

PIPELINE = """
format: agentci/pipeline
version: 1
name: p
sandbox: process
models: {m: {provider: openai, id: m}}
agents: {a: {model: m}, b: {model: m}}
steps:
  - {id: zeta, agent: b, prompt: ask.md}
  - id: fix
    loop:
      max: 12
      until: ${{ steps.ask.output.text == "yes" }}
      steps:
        - {id: ask, agent: a, prompt: ask.md, samples: 2, select: {majority: true}}
        - {id: call, run: [x], proxy: true}
  - id: all
    foreach: {items: [one, two/three], steps: [{id: ask, agent: a, prompt: ask.md}]}
  - id: last
    foreach: {items: "${{ steps.zeta.output.list }}", steps: [{id: ok, approve: Good?}]}
"""


@pytest.fixture
def planned(tmp_path: Path) -> PlannedLanes:
    (tmp_path / "pipeline.yaml").write_text(PIPELINE.replace("output.list", "output.text"))
    (tmp_path / "ask.md").write_text("?")
    bundle = checked_bundle(tmp_path, LocalFiles(), root=tmp_path)
    return PlannedLanes(build_plan(bundle, {}).nodes)


@pytest.mark.parametrize(
    "lane",
    [
        "zeta/b", "zeta~2/b", "zeta", "fix[1]/ask/a#0", "fix[12]/ask/a#1", "fix[2]/ask~3/a#1",
        "fix[3]/call", "fix[3]/call/main/thread1", "all[one]/ask/a", "all[1]/ask/a",
        "last[anything]/ok",
    ],
)  # fmt: skip
def test_lanes_that_a_run_may_use(planned: PlannedLanes, lane: str) -> None:
    assert planned.has(Lane(lane))


@pytest.mark.parametrize(
    "lane",
    [
        "zeta/a", "zeta/b/c", "zeta/b#0", "fix[13]/ask/a#0", "fix[0]/ask/a#0", "fix[1]/ask/a",
        "fix[1]/ask/a#2", "all[three]/ask/a", "all/ask/a", "zetabar", "gone", "last[x][y]/ok",
    ],
)  # fmt: skip
def test_lanes_that_it_does_not_have(planned: PlannedLanes, lane: str) -> None:
    assert not planned.has(Lane(lane))


def test_lanes_come_in_plan_order_and_those_that_are_gone_last(planned: PlannedLanes) -> None:
    ordered = [
        "zeta/b", "fix[1]/ask/a#0", "fix[1]/ask/a#1", "fix[1]/call", "fix[2]/ask/a#0",
        "fix[10]/ask/a#0", "all[one]/ask/a", "last[x]/ok", "also", "gone",
    ]  # fmt: skip
    assert sorted(map(Lane, reversed(ordered)), key=planned.order) == ordered


def test_numbers_in_lanes_count_as_numbers() -> None:
    assert sorted(["a[10]", "a[9]", "a", "a[010]"], key=natural) == ["a", "a[9]", "a[010]", "a[10]"]
