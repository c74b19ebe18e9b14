"""What an expression may refer to at each place of a definition, and the shape it has there.

The engine builds the values at run time; this is the same rule, before anything runs:

- `inputs`, `run` everywhere; `carry` and `loop` in a loop; `item` in a fan-out;
- `steps.<id>`: the step's `needs` and what they need among its siblings, and all that the step
  around it sees.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from agentci.core.json_types import JsonValue
from agentci.plan.bundle import Bundle, agent_schema
from agentci.plan.graph import Needs, ancestors, find_cycle, resolve_needs
from agentci.plan.shapes import (
    ANY,
    BOOLEAN,
    NUMBER,
    OPEN_OBJECT,
    TEXT,
    Missing,
    Shape,
    closed,
    either,
    find,
    list_of,
    shape_of,
    shape_of_schema,
)
from agentci.spec.pipeline import (
    AgentStep,
    ApproveStep,
    CommandStep,
    CommitStep,
    ForeachBody,
    ForeachStep,
    InputType,
    LoopBody,
    LoopStep,
    ParallelStep,
    PipelineSpec,
    PipelineStep,
    StepBase,
)

_INPUT_SHAPES: Mapping[InputType, Shape] = {
    "string": TEXT,
    "integer": NUMBER,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "list": list_of(ANY),
    "object": OPEN_OBJECT,
}
_CHAIN = re.compile(r"\$\{\{\s*([A-Za-z_]\w*(?:\.\w+)*)\s*\}\}")
"""A template that is one plain reference, whose shape is therefore known."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that expressions at one place may use."""

    names: Mapping[str, Shape]
    """All but `steps`."""
    steps: Mapping[str, Shape] = field(default_factory=dict)
    later: frozenset[str] = frozenset()
    """Steps around that are there but not seen: no need leads to them."""
    no_first: frozenset[str] = frozenset()
    """Names in `carry` without a value in the first iteration of the loop."""
    no_later: frozenset[str] = frozenset()
    """Names in `carry` without a value after the first iteration."""

    @property
    def shape(self) -> Shape:
        """All names as the fields of one object."""
        return closed({**self.names, "steps": closed(self.steps)})

    def plus(self, names: Mapping[str, Shape]) -> Scope:
        """Return the scope with more names."""
        return replace(self, names={**self.names, **names})


def top_scope(spec: PipelineSpec) -> Scope:
    """Return what every place of a pipeline sees."""
    inputs = {name: _INPUT_SHAPES[entry.type] for name, entry in spec.inputs.items()}
    return Scope({"inputs": closed(inputs), "run": closed({"seed": NUMBER})})


def step_scopes(bundle: Bundle, steps: Sequence[StepBase], *, outer: Scope) -> Mapping[str, Scope]:
    """Return the scope of each of some siblings by id."""
    shapes = {step.id: step_shape(bundle, step) for step in steps}
    above = _seen(resolve_needs(steps))
    return {
        name: replace(
            outer,
            steps={**outer.steps, **{other: shapes[other] for other in shapes if other in seen}},
            later=(outer.later | frozenset(shapes)) - seen - {name},
        )
        for name, seen in above.items()
    }


def after_scope(bundle: Bundle, steps: Sequence[StepBase], *, outer: Scope) -> Scope:
    """Return what is seen after all of `steps`: in `until` and `carry`, in a pipeline's output."""
    shapes = {step.id: step_shape(bundle, step) for step in steps}
    return replace(outer, steps={**outer.steps, **shapes}, later=outer.later - frozenset(shapes))


def loop_scope(body: LoopBody, outer: Scope) -> Scope:
    """Return the scope that the steps of a loop start from."""
    names = sorted({*body.initial, *body.carry})
    carry = closed(dict.fromkeys(names, ANY))
    inner = outer.plus({"carry": carry, "loop": closed({"iteration": NUMBER, "max": NUMBER})})
    return replace(
        inner,
        no_first=frozenset(body.carry) - frozenset(body.initial),
        no_later=frozenset(body.initial) - frozenset(body.carry) if body.max > 1 else frozenset(),
    )


def foreach_scope(body: ForeachBody, outer: Scope) -> Scope:
    """Return the scope that the steps of a fan-out start from."""
    return outer.plus({"item": _item_shape(body, outer)})


def _item_shape(body: ForeachBody, outer: Scope) -> Shape:
    if body.matrix is None:
        return _element(body.items, outer)
    return closed({name: _element(axis, outer) for name, axis in body.matrix.items()})


def _element(value: object, scope: Scope) -> Shape:
    found = template_shape(cast("JsonValue", value), scope)
    return (found.element or ANY) if found.kind == "list" else ANY


def template_shape(value: JsonValue, scope: Scope) -> Shape:
    """Return the shape that a value of the definition has once its templates are evaluated."""
    if isinstance(value, str):
        chain = _CHAIN.fullmatch(value.strip())
        if chain is not None:
            found = find(scope.shape, chain.group(1).split("."))
            return ANY if isinstance(found, Missing) else found
        whole = value.strip().startswith("${{") and value.strip().endswith("}}")
        return ANY if whole else TEXT
    if isinstance(value, Mapping):
        return closed({name: template_shape(item, scope) for name, item in value.items()})
    if isinstance(value, Sequence):
        return list_of(either([template_shape(item, scope) for item in value]))
    return shape_of(value)


def step_shape(bundle: Bundle, step: StepBase) -> Shape:
    """Return the shape of `steps.<id>`."""
    return closed({"output": output_shape(bundle, step), "outcome": TEXT, "tree": TEXT})


def output_shape(bundle: Bundle, step: StepBase) -> Shape:
    """Return the shape of a step's output."""
    if isinstance(step, AgentStep):
        return _agent_shape(bundle, step)
    if isinstance(step, CommandStep):
        fields = {"exit_code": NUMBER, "stdout": TEXT, "stderr": TEXT, "changed": list_of(TEXT)}
        return closed({**fields, "json": ANY} if step.parse == "json" else fields)
    if isinstance(step, LoopStep):
        names = sorted({*step.loop.initial, *step.loop.carry})
        return closed(
            {
                "iterations": NUMBER,
                "carry": closed(dict.fromkeys(names, ANY)),
                "last": _block_shape(bundle, step.loop.steps),
            }
        )
    if isinstance(step, ParallelStep):
        branches = step.parallel.branches
        return closed({name: _block_shape(bundle, block) for name, block in branches.items()})
    if isinstance(step, ForeachStep):
        items = list_of(_block_shape(bundle, step.foreach.steps))
        return closed({"items": items, "keys": list_of(TEXT)})
    return _simple_shape(bundle, step)


def _simple_shape(bundle: Bundle, step: StepBase) -> Shape:
    if isinstance(step, ApproveStep):
        return closed({"approved": BOOLEAN, "by": TEXT})
    if isinstance(step, CommitStep):
        return closed({"commit": TEXT, "message": TEXT, "tree": TEXT})
    if isinstance(step, PipelineStep) and step.pipeline in bundle.children:
        child = bundle.children[step.pipeline]
        scope = after_scope(child, child.spec.steps, outer=top_scope(child.spec))
        return template_shape(child.spec.output, scope)
    return ANY


def _agent_shape(bundle: Bundle, step: AgentStep) -> Shape:
    agent = bundle.spec.agents.get(step.agent)
    if agent is None:
        return ANY
    if agent.output is None:
        return closed({"text": TEXT})
    schema = agent_schema(bundle, step.agent)
    return ANY if schema is None else shape_of_schema(schema)


def _block_shape(bundle: Bundle, steps: Sequence[StepBase]) -> Shape:
    return closed({step.id: output_shape(bundle, step) for step in steps})


def _seen(needs: Needs) -> Mapping[str, frozenset[str]]:
    """Return the ancestors; where the needs have a cycle, all siblings, to go on checking."""
    if find_cycle(needs) is None:
        return ancestors(needs)
    return {step: frozenset(needs) - {step} for step in needs}
