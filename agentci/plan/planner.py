"""A definition and its inputs -> the plan: every step with its lane, needs and what it sees.

The plan is drawn before anything runs. What only a run can know stands in it as a pattern: `[*]`
for loop iterations, and for the items of a fan-out where they come from another step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agentci.core.digest import Digest, digest_json
from agentci.core.errors import AgentciError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import ROOT, Lane, child_lane, iteration_lane, sample_lane
from agentci.plan.bundle import Bundle, blocks_of
from agentci.plan.graph import ancestors, resolve_needs, topological_order
from agentci.plan.inputs import bind_inputs
from agentci.plan.items import expand_items
from agentci.spec.pipeline import (
    AgentStep,
    ForeachStep,
    LoopStep,
    PipelineStep,
    StepBase,
    kind_of,
)


@dataclass(frozen=True, slots=True)
class PlanNode:
    """A step in the plan. Containers have one node for each step inside, not for each repeat."""

    lane_pattern: str
    """The lane, with `[*]` for repeats: `fix[*]/code`."""
    step: StepBase
    kind: str
    needs: tuple[str, ...]
    """Ids of the siblings that come first, defaults filled in."""
    sees: Mapping[str, str]
    """What `steps.<id>` means in its expressions: id to the lane pattern of that step."""
    children: tuple[PlanNode, ...] = ()
    """The steps inside, in plan order; branches one after the other."""
    branch: str = ""
    """The branch of the `parallel` step around it, or empty."""
    items: tuple[str, ...] | None = None
    """Keys of the items of a fan-out, where they are known before the run."""
    agent_lanes: tuple[str, ...] = ()
    """The lanes that ask a model, as patterns; one for each sample."""
    bundle: Bundle | None = None
    """Of a `pipeline` step: the definition of the steps inside."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a pipeline in plan order."""

    name: str
    nodes: tuple[PlanNode, ...]
    inputs: JsonObject
    """Complete and checked."""
    digest: Digest
    """Covers the definition, everything it refers to, and the inputs."""

    def walk(self) -> Iterator[PlanNode]:
        """Yield every node, outer before inner, in plan order."""
        yield from walk_nodes(self.nodes)


def build_plan(bundle: Bundle, inputs: Mapping[str, JsonValue]) -> Plan:
    """Return the plan of a definition that `check_bundle` found nothing wrong with.

    Raises:
        UsageError: when the inputs do not fit the definition.
    """
    complete = bind_inputs(bundle.spec, inputs)
    place = _Place(bundle=bundle, lane=ROOT, inputs=complete, sees={})
    return Plan(
        name=bundle.spec.name,
        nodes=_plan_block(bundle.spec.steps, place=place),
        inputs=complete,
        digest=digest_json({"definition": bundle.digest, "inputs": complete}),
    )


def nodes_of_any_run(bundle: Bundle) -> tuple[PlanNode, ...]:
    """Return the steps of a definition as they are whatever its inputs, in plan order."""
    place = _Place(bundle=bundle, lane=ROOT, inputs=None, sees={})
    return _plan_block(bundle.spec.steps, place=place)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a block of siblings stands."""

    bundle: Bundle
    lane: Lane
    inputs: JsonObject | None
    """None inside a sub-pipeline, whose inputs the run computes."""
    sees: Mapping[str, str]
    branch: str = ""


def _plan_block(steps: Sequence[StepBase], *, place: _Place) -> tuple[PlanNode, ...]:
    needs = resolve_needs(steps)
    above = ancestors(needs)
    by_id = {step.id: step for step in steps}
    lanes = {step.id: child_lane(place.lane, step.id) for step in steps}
    nodes = []
    for name in topological_order(needs):
        visible = {other: str(lanes[other]) for other in needs if other in above[name]}
        sees = {**place.sees, **visible}
        nodes.append(
            _plan_step(by_id[name], lane=lanes[name], needs=needs[name], place=place, sees=sees)
        )
    return tuple(nodes)


def _plan_step(
    step: StepBase,
    *,
    lane: Lane,
    needs: tuple[str, ...],
    place: _Place,
    sees: Mapping[str, str],
) -> PlanNode:
    return PlanNode(
        lane_pattern=str(lane),
        step=step,
        kind=kind_of(step) or "",
        needs=needs,
        sees=sees,
        children=_plan_children(step, lane=lane, place=place, sees=sees),
        branch=place.branch,
        items=_known_items(step, place=place),
        agent_lanes=_agent_lanes(step, lane=lane),
        bundle=place.bundle.children.get(step.pipeline) if isinstance(step, PipelineStep) else None,
    )


def _plan_children(
    step: StepBase, *, lane: Lane, place: _Place, sees: Mapping[str, str]
) -> tuple[PlanNode, ...]:
    if isinstance(step, PipelineStep):
        child = place.bundle.children.get(step.pipeline)
        if child is None:
            return ()
        inner = _Place(bundle=child, lane=lane, inputs=None, sees={})
        return _plan_block(child.spec.steps, place=inner)
    nodes: list[PlanNode] = []
    for branch, block in blocks_of(step).items():
        inner = _Place(
            bundle=place.bundle,
            lane=_block_lane(step, lane=lane, branch=branch),
            inputs=place.inputs,
            sees=sees,
            branch=branch,
        )
        nodes.extend(_plan_block(block, place=inner))
    return tuple(nodes)


def _block_lane(step: StepBase, *, lane: Lane, branch: str) -> Lane:
    if isinstance(step, LoopStep | ForeachStep):
        return iteration_lane(lane, "*")
    return child_lane(lane, branch) if branch else lane


def _known_items(step: StepBase, *, place: _Place) -> tuple[str, ...] | None:
    """Return item keys that do not depend on a step; a failure here is left to the run."""
    if not isinstance(step, ForeachStep) or place.inputs is None:
        return None
    scope: dict[str, JsonValue] = {"inputs": place.inputs}
    try:
        return tuple(item.key for item in expand_items(step.foreach, scope))
    except AgentciError:
        return None


def _agent_lanes(step: StepBase, *, lane: Lane) -> tuple[str, ...]:
    if not isinstance(step, AgentStep):
        return ()
    own = child_lane(lane, step.agent)
    if step.samples == 1:
        return (str(own),)
    return tuple(str(sample_lane(own, index)) for index in range(step.samples))


def walk_nodes(nodes: Sequence[PlanNode]) -> Iterator[PlanNode]:
    """Yield every node, outer before inner, in plan order."""
    for node in nodes:
        yield node
        yield from walk_nodes(node.children)
