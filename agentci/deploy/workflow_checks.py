"""Checks of a deploy spec's workflow: every state leads somewhere, and somewhere leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agentci.deploy.findings import Finding
from agentci.spec.deploy import DeploySpec
from agentci.spec.deploy_workflow import StateSpec, WorkflowSpec
from agentci.spec.suggestion import did_you_mean
from agentci.spec.yaml_document import PathParts

_WORK: Final = frozenset({"retry", "catch", "result", "next"})
_TAKES: Final = {
    "task": _WORK | {"service", "timeout"},
    "map": _WORK | {"items", "concurrency", "each"},
    "parallel": _WORK | {"branches"},
    "choice": frozenset({"choices", "default"}),
    "wait": frozenset({"seconds", "next"}),
    "pass": frozenset({"next"}),
    "succeed": frozenset[str](),
    "fail": frozenset({"error", "cause"}),
}
_NEEDS: Final = {
    "task": ("service",), "map": ("items", "each"), "parallel": ("branches",),
    "choice": ("choices",), "wait": ("seconds",), "fail": ("error",),
}  # fmt: skip


def check_workflow(spec: DeploySpec) -> Iterator[Finding]:
    """Yield what is wrong in the workflow, where there is one."""
    if spec.workflow is not None:
        yield from _machine(spec.workflow, ("workflow",), services=tuple(spec.services))


def _machine(
    flow: WorkflowSpec, here: PathParts, *, services: tuple[str, ...]
) -> Iterator[Finding]:
    if flow.start not in flow.states:
        yield _nowhere((*here, "start"), flow.start, flow)
    for name, state in flow.states.items():
        path = (*here, "states", name)
        yield from _fields(state, path)
        if state.service is not None and state.service not in services:
            hint = did_you_mean(state.service, services)
            message = f"there is no service `{state.service}`"
            yield Finding("ACI-D621", (*path, "service"), message, hint)
        for place, target in _ways(state):
            if target not in flow.states:
                yield _nowhere((*path, *place), target, flow)
        for place, inner in _inside(state):
            yield from _machine(inner, (*path, *place), services=services)
    reached = _reached(flow)
    for name in flow.states:
        if name not in reached:
            message = "no state leads here"
            yield Finding("ACI-D623", (*here, "states", name), message, "remove it, or name it")


def _reached(flow: WorkflowSpec) -> frozenset[str]:
    found: set[str] = set()
    ahead = [flow.start]
    while ahead:
        name = ahead.pop()
        if name in flow.states and name not in found:
            found.add(name)
            ahead += [target for _, target in _ways(flow.states[name])]
    return frozenset(found)


def _nowhere(path: PathParts, target: str, flow: WorkflowSpec) -> Finding:
    hint = did_you_mean(target, flow.states)
    return Finding("ACI-D622", path, f"there is no state `{target}` beside it", hint)


def _fields(state: StateSpec, path: PathParts) -> Iterator[Finding]:
    for name in sorted(state.model_fields_set - {"type"} - _TAKES[state.type]):
        message = f"a state of type `{state.type}` has no `{name}`"
        yield Finding("ACI-D624", (*path, name), message, "remove it")
    for name in _NEEDS.get(state.type, ()):
        if not getattr(state, name):
            yield Finding("ACI-D624", path, f"a state of type `{state.type}` needs `{name}`")


def _ways(state: StateSpec) -> Iterator[tuple[PathParts, str]]:
    if state.next is not None:
        yield ("next",), state.next
    if state.default is not None:
        yield ("default",), state.default
    for index, choice in enumerate(state.choices):
        yield ("choices", index, "next"), choice.next
    for index, caught in enumerate(state.catch):
        yield ("catch", index, "next"), caught.next


def _inside(state: StateSpec) -> Iterator[tuple[PathParts, WorkflowSpec]]:
    if state.each is not None:
        yield ("each",), state.each
    for index, branch in enumerate(state.branches):
        yield ("branches", index), branch
