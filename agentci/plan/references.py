"""`check_bundle`: everything that can be known to be wrong with a definition before it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agentci.core.errors import Problem
from agentci.plan.bundle import Bundle
from agentci.plan.definition_checks import (
    check_agents,
    check_files,
    check_inputs,
    check_models,
    check_run_limits,
)
from agentci.plan.expression_checks import (
    check_condition,
    check_prompt,
    check_template,
    check_until,
)
from agentci.plan.findings import Findings, Path
from agentci.plan.order_checks import check_order
from agentci.plan.places import block_path
from agentci.plan.scopes import (
    Scope,
    after_scope,
    foreach_scope,
    loop_scope,
    step_scopes,
    template_shape,
    top_scope,
)
from agentci.plan.step_checks import check_step
from agentci.plan.templates import Template, step_templates, templates_in
from agentci.spec.pipeline import AgentStep, ForeachStep, LoopStep, ParallelStep, StepBase


def check_bundle(bundle: Bundle) -> tuple[Problem, ...]:
    """Return every problem of a definition and of its sub-pipelines, by file and place.

    Empty means that no reference in it is to something that cannot exist. Values that only a run
    knows (an agent's answer, the result of a command) may still not fit.
    """
    found: dict[Problem, None] = {}
    for each in _family(bundle):
        found.update(dict.fromkeys(_check_one(each)))
    return tuple(found)


def _family(bundle: Bundle) -> tuple[Bundle, ...]:
    below = [_family(bundle.children[path]) for path in sorted(bundle.children)]
    return (bundle, *(child for children in below for child in children))


def _check_one(bundle: Bundle) -> tuple[Problem, ...]:
    findings = Findings(bundle)
    check_inputs(findings)
    check_models(findings)
    check_agents(findings)
    check_run_limits(findings)
    check_files(findings)
    top = top_scope(bundle.spec)
    _Checker(findings).block(bundle.spec.steps, path=("steps",), outer=top)
    scope = after_scope(bundle, bundle.spec.steps, outer=top)
    for template in templates_in(bundle.spec.output, ("output",)):
        check_template(findings, template, scope=scope)
    return findings.sorted()


@dataclass(frozen=True, slots=True)
class _Checker:
    findings: Findings

    def block(self, steps: Sequence[StepBase], *, path: Path, outer: Scope) -> None:
        """Check siblings and everything inside them."""
        check_order(self.findings, steps, path=path)
        scopes = step_scopes(self.findings.bundle, steps, outer=outer)
        for index, step in enumerate(steps):
            self._step(step, path=(*path, index), scope=scopes[step.id])

    def _step(self, step: StepBase, *, path: Path, scope: Scope) -> None:
        check_step(self.findings, step, path=path)
        if isinstance(step.when, str):
            condition = Template((*path, "when"), step.when)
            check_condition(self.findings, condition, scope=scope)
        for template in step_templates(step, path):
            check_template(self.findings, template, scope=scope)
        if isinstance(step, AgentStep):
            self._prompts(step, scope=scope)
        elif isinstance(step, LoopStep):
            self._loop(step, path=path, scope=scope)
        elif isinstance(step, ForeachStep):
            self._foreach(step, path=path, scope=scope)
        elif isinstance(step, ParallelStep):
            for branch, block in step.parallel.branches.items():
                place = block_path(step, path, branch=branch)
                self.block(block, path=place, outer=scope)

    def _prompts(self, step: AgentStep, *, scope: Scope) -> None:
        names = template_shape(step.with_, scope)
        user = f"step `{step.id}`"
        check_prompt(self.findings, step.prompt, names=names, user=user)
        agent = self.findings.bundle.spec.agents.get(step.agent)
        if agent is not None and agent.system is not None:
            check_prompt(self.findings, agent.system, names=names, user=user)

    def _loop(self, step: LoopStep, *, path: Path, scope: Scope) -> None:
        place = (*path, "loop")
        self._values(step.loop.initial, path=(*place, "initial"), scope=scope)
        inner = loop_scope(step.loop, scope)
        self.block(step.loop.steps, path=(*place, "steps"), outer=inner)
        after = after_scope(self.findings.bundle, step.loop.steps, outer=inner)
        check_until(self.findings, step, path=place, scope=after)
        self._values(step.loop.carry, path=(*place, "carry"), scope=after)

    def _foreach(self, step: ForeachStep, *, path: Path, scope: Scope) -> None:
        place = (*path, "foreach")
        inner = foreach_scope(step.foreach, scope)
        if step.foreach.key is not None:
            self._values(step.foreach.key, path=(*place, "key"), scope=inner)
        steps = step.foreach.steps
        self.block(steps, path=(*place, "steps"), outer=inner)

    def _values(self, value: str | Mapping[str, object], *, path: Path, scope: Scope) -> None:
        for template in templates_in(value, path):  # type: ignore[arg-type]  # JSON from the loader
            check_template(self.findings, template, scope=scope)
