"""Which texts of a definition are templates, and which ones only look like it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agentci.core.json_types import JsonValue
from agentci.plan.findings import Path
from agentci.spec.pipeline import (
    AgentStep,
    ApproveStep,
    CommandStep,
    CommitStep,
    ForeachStep,
    PipelineStep,
    PythonStep,
    StepBase,
)

OPENING = "${{"


@dataclass(frozen=True, slots=True)
class Template:
    """A text with expressions in it."""

    path: Path
    text: str


def step_templates(step: StepBase, path: Path) -> Iterator[Template]:
    """Yield the templates that are evaluated in the scope of the step itself.

    Conditions, and what a loop or fan-out evaluates for its body, are left to their own checks.
    """
    if isinstance(step, AgentStep | PythonStep | PipelineStep):
        yield from templates_in(step.with_, (*path, "with"))
        if isinstance(step, AgentStep) and step.select is not None:
            place = (*path, "select", "first_passing")
            yield from templates_in(step.select.first_passing, place)
    elif isinstance(step, CommandStep):
        yield from templates_in(step.run, (*path, "run"))
        yield from templates_in(step.folder, (*path, "folder"))
        yield from templates_in(step.env, (*path, "env"))
        yield from templates_in(step.stdin, (*path, "stdin"))
    elif isinstance(step, ForeachStep):
        yield from templates_in(step.foreach.items, (*path, "foreach", "items"))
        yield from templates_in(step.foreach.matrix, (*path, "foreach", "matrix"))
    elif isinstance(step, ApproveStep):
        yield from templates_in(step.approve, (*path, "approve"))
    elif isinstance(step, CommitStep):
        yield from templates_in(step.commit.message, (*path, "commit", "message"))


def templates_in(value: JsonValue, path: Path) -> Iterator[Template]:
    """Yield every text with an expression inside a JSON value."""
    if isinstance(value, str):
        if OPENING in value:
            yield Template(path, value)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from templates_in(item, (*path, name))
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            yield from templates_in(item, (*path, index))


def literal_texts(step: StepBase, path: Path) -> Iterator[Template]:
    """Yield the texts with an expression in fields that are taken literally."""
    fields: dict[str, JsonValue] = {"salt": step.salt}
    if isinstance(step, AgentStep):
        fields |= {"prompt": step.prompt, "attachments": step.attachments}
    elif isinstance(step, PythonStep):
        fields |= {"python": step.python, "pass_env": step.pass_env}
    elif isinstance(step, PipelineStep):
        fields |= {"pipeline": step.pipeline}
    elif isinstance(step, CommandStep):
        fields |= {"pass_env": step.pass_env}
    elif isinstance(step, CommitStep):
        yield from templates_in(step.commit.author, (*path, "commit", "author"))
    for name, value in fields.items():
        yield from templates_in(value, (*path, name))
