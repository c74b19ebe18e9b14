"""The plan: lanes, needs, what each step sees, and one digest."""

from __future__ import annotations

import pytest

from agentci.core.errors import UsageError
from agentci.plan.planner import Plan, PlanNode, build_plan
from tests.support.bundles import AGENTS, bundle_of

TEXT = (
    "inputs: {projects: {type: list, default: [calc, text]}}\n"
    + AGENTS
    + """
steps:
  - {id: setup, run: [make]}
  - {id: side, run: [make, lint], needs: []}
  - id: fix
    needs: [setup]
    loop:
      until: ${{ steps.review.output.approved }}
      max: 3
      steps:
        - {id: code, agent: coder, prompt: p.md, samples: 2, select: {majority: true}}
        - {id: review, agent: reviewer, prompt: p.md}
  - id: fleet
    foreach:
      items: ${{ inputs.projects }}
      steps:
        - id: both
          parallel:
            branches:
              one: [{id: x, run: [a]}, {id: y, run: [b]}]
              two: [{id: x, run: [c]}]
  - {id: late, foreach: {items: "${{ steps.fleet.output.items }}", steps: [{id: z, run: [d]}]}}
  - {id: child, pipeline: ../child}
"""
)
CHILD = "steps: [{id: inner, run: [make]}, {id: next, run: [make]}]"


def plan_of(text: str = TEXT, **inputs: list[str]) -> Plan:
    child = bundle_of(CHILD, name="pipelines/child/pipeline.yaml")
    return build_plan(bundle_of(text, children={"../child": child}), inputs)


def node(plan: Plan, lane: str) -> PlanNode:
    return next(node for node in plan.walk() if node.lane_pattern == lane)


def test_every_step_has_one_lane_pattern() -> None:
    assert [node.lane_pattern for node in plan_of().walk()] == [
        "setup",
        "side",
        "fix",
        "fix[*]/code",
        "fix[*]/review",
        "fleet",
        "fleet[*]/both",
        "fleet[*]/both/one/x",
        "fleet[*]/both/one/y",
        "fleet[*]/both/two/x",
        "late",
        "late[*]/z",
        "child",
        "child/inner",
        "child/next",
    ]


def test_agents_ask_on_lanes_of_their_own() -> None:
    assert node(plan_of(), "fix[*]/code").agent_lanes == (
        "fix[*]/code/coder#0",
        "fix[*]/code/coder#1",
    )
    assert node(plan_of(), "fix[*]/review").agent_lanes == ("fix[*]/review/reviewer",)
    assert node(plan_of(), "setup").agent_lanes == ()


def test_needs_are_filled_in() -> None:
    plan = plan_of()
    assert node(plan, "fix").needs == ("setup",)
    assert node(plan, "side").needs == ()
    assert node(plan, "fleet[*]/both/one/y").needs == ("x",)


def test_a_step_sees_its_ancestors_and_what_the_step_around_it_sees() -> None:
    plan = plan_of()
    assert node(plan, "fix[*]/review").sees == {"setup": "setup", "code": "fix[*]/code"}
    assert node(plan, "side").sees == {}
    assert node(plan, "fleet[*]/both/two/x").sees == {"setup": "setup", "fix": "fix"}
    assert node(plan, "child/next").sees == {"inner": "child/inner"}


def test_an_inner_step_hides_an_outer_one_of_the_same_name() -> None:
    text = """
    steps:
      - {id: x, run: [a]}
      - {id: f, foreach: {items: [1], steps: [{id: x, run: [b]}, {id: y, run: [c]}]}}
    """
    plan = plan_of(text)
    assert node(plan, "f[*]/x").sees["x"] == "x"
    assert node(plan, "f[*]/y").sees["x"] == "f[*]/x"


def test_items_are_known_where_they_come_from_inputs() -> None:
    assert node(plan_of(), "fleet").items == ("calc", "text")
    assert node(plan_of(projects=["a"]), "fleet").items == ("a",)
    assert node(plan_of(), "late").items is None


def test_branches_are_named() -> None:
    assert [child.branch for child in node(plan_of(), "fleet[*]/both").children] == [
        "one",
        "one",
        "two",
    ]


def test_steps_are_in_plan_order_whatever_the_written_order() -> None:
    plan = plan_of("steps: [{id: b, run: [x], needs: [a]}, {id: a, run: [y], needs: []}]")
    assert [node.step.id for node in plan.nodes] == ["a", "b"]


def test_the_digest_covers_definition_and_inputs() -> None:
    assert plan_of().digest == plan_of(projects=["calc", "text"]).digest
    assert plan_of().digest != plan_of(projects=["calc"]).digest
    assert plan_of().digest != plan_of(TEXT.replace("max: 3", "max: 4")).digest


def test_wrong_inputs_are_refused() -> None:
    with pytest.raises(UsageError, match="has no input `tsk`"):
        plan_of(tsk=["x"])
