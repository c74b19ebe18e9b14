"""Static checks of single steps: what they name, and fields that contradict each other."""

from __future__ import annotations

import json
import re
import shlex
from typing import cast

from agentci.core.errors import AgentciError
from agentci.core.json_types import JsonValue
from agentci.plan.bundle import python_target
from agentci.plan.findings import Findings, Path, names_hint
from agentci.plan.inputs import has_type
from agentci.plan.items import ITEM_ERRORS, expand_items
from agentci.plan.templates import literal_texts, templates_in
from agentci.spec.expressions import is_expression
from agentci.spec.pipeline import (
    AgentStep,
    CommandStep,
    ForeachBody,
    ForeachStep,
    PipelineStep,
    PythonStep,
    SelectSpec,
    StepBase,
)

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_step(findings: Findings, step: StepBase, *, path: Path) -> None:
    """Check one step, without the steps inside it and without its expressions."""
    for literal in literal_texts(step, path):
        findings.add(
            "ACI-D352",
            literal.path,
            message=f"`{literal.path[-1]}` of step `{step.id}` is taken literally, and has an "
            "expression in it",
            hint="only templates are evaluated; see the pipeline reference",
        )
    if isinstance(step, AgentStep):
        _check_agent_step(findings, step, path=path)
    elif isinstance(step, CommandStep):
        _check_command(findings, step, path=path)
    elif isinstance(step, PythonStep):
        _check_target(findings, step.python, path=(*path, "python"))
    elif isinstance(step, ForeachStep):
        _check_items(findings, step, path=(*path, "foreach"))
    elif isinstance(step, PipelineStep):
        _check_child(findings, step, path=path)
    if isinstance(step, CommandStep | PythonStep):
        _check_effects(findings, step, path=path)


def _check_agent_step(findings: Findings, step: AgentStep, *, path: Path) -> None:
    agents = findings.bundle.spec.agents
    if step.agent not in agents:
        findings.add(
            "ACI-D333",
            (*path, "agent"),
            message=f"step `{step.id}` names the agent `{step.agent}`, which is not defined",
            hint=names_hint(step.agent, agents, what="defined agents"),
        )
    if step.samples > 1 and step.select is None:
        findings.add(
            "ACI-D334",
            (*path, "samples"),
            message=f"step `{step.id}` draws {step.samples} samples and does not say which counts",
            hint="add `select: {majority: true}`, `first_passing` or `best`",
        )
    if step.select is not None:
        _check_select(findings, step, select=step.select, path=(*path, "select"))
    for index, name in enumerate(step.attachments):
        if name.startswith(("/", "~")) or ".." in name.split("/"):
            findings.add(
                "ACI-D345",
                (*path, "attachments", index),
                message=f"attachment `{name}` of step `{step.id}` is outside the workspace",
                hint="give a path relative to the repository",
            )


def _check_select(findings: Findings, step: AgentStep, *, select: SelectSpec, path: Path) -> None:
    if step.samples == 1:
        findings.add(
            "ACI-D335",
            path,
            message=f"step `{step.id}` selects from a single sample",
            hint="add `samples:`, or remove `select`",
        )
    ways = (select.majority, select.first_passing, select.best)
    if sum(way is not None for way in ways) != 1:
        findings.add(
            "ACI-D336",
            path,
            message=f"`select` of step `{step.id}` needs exactly one way",
            hint="give one of `majority`, `first_passing`, `best`",
        )
    if select.best is not None:
        _check_target(findings, select.best, path=(*path, "best"))


def _check_command(findings: Findings, step: CommandStep, *, path: Path) -> None:
    for index, pattern in enumerate(step.mask):
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            problem = f"is not a regular expression: {error}"
        else:
            if not compiled.fullmatch(""):
                continue
            problem = "matches the empty text"
        findings.add(
            "ACI-D342",
            (*path, "mask", index),
            message=f"mask `{pattern}` of step `{step.id}` {problem}",
            hint="give a regular expression of at least one character",
        )
    wrong = _words_problem(step.run)
    if wrong is not None:
        findings.add(
            "ACI-D343",
            (*path, "run"),
            message=f"the command of step `{step.id}` {wrong}",
            hint='give program and arguments as a list: `run: [python, -m, pytest, "-q"]`',
        )
    if not step.expect:
        findings.add(
            "ACI-D344",
            (*path, "expect"),
            message=f"step `{step.id}` expects no exit code, so it always fails",
            hint="name the exit codes that are fine, for example `[0, 1]`",
        )


def _words_problem(run: tuple[str, ...] | str) -> str | None:
    if isinstance(run, tuple):
        return None if run and run[0].strip() else "is empty"
    try:
        # quotes inside an expression belong to the expression
        words = shlex.split(re.sub(r"\$\{\{.*?\}\}", "x", run, flags=re.DOTALL))
    except ValueError as error:
        return f"cannot be split into words: {str(error).lower()}"
    return None if words else "is empty"


def _check_target(findings: Findings, text: str, *, path: Path) -> None:
    target = python_target(text)
    if not target.file.endswith(".py") or not target.function.isidentifier():
        findings.add(
            "ACI-D341",
            path,
            message=f"`{text}` does not name a function",
            hint="write `file.py:function`",
        )


def _check_effects(findings: Findings, step: CommandStep | PythonStep, *, path: Path) -> None:
    for index, name in enumerate(step.pass_env):
        if not _VARIABLE.fullmatch(name):
            findings.add(
                "ACI-D353",
                (*path, "pass_env", index),
                message=f"`{name}` is not the name of an environment variable",
                hint="give names only; values are taken from the caller",
            )
    if step.side_effects == "external" and step.retry is not None:
        findings.add(
            "ACI-D346",
            (*path, "retry"),
            message=f"step `{step.id}` has external effects, which are sent at most once",
            hint="remove `retry`, or the `side_effects` if it is safe to repeat",
        )


def _check_items(findings: Findings, step: ForeachStep, *, path: Path) -> None:
    body = step.foreach
    if (body.items is None) == (body.matrix is None):
        findings.add(
            "ACI-D337",
            path,
            message=f"the fan-out `{step.id}` needs either `items` or `matrix`",
            hint="give exactly one of them",
        )
        return
    sources: dict[Path, list[object] | str] = {}
    if body.items is not None:
        sources[("items",)] = body.items
    for name, axis in (body.matrix or {}).items():
        sources[("matrix", name)] = axis
    for place, source in sources.items():
        if isinstance(source, str) and not _is_expression(source):
            findings.add(
                "ACI-D338",
                (*path, *place),
                message=f"`{place[-1]}` of the fan-out `{step.id}` is a text, not a list",
                hint="give a list, or one `${{ expression }}` for a list",
            )
            return
    _check_constant_items(findings, body, path=path)


def _is_expression(text: str) -> bool:
    try:
        return is_expression(text)
    except AgentciError:
        return True  # that it is not well formed is reported with its references


def _check_constant_items(findings: Findings, body: ForeachBody, *, path: Path) -> None:
    """Expand items in which nothing has to be evaluated but the key."""
    written = cast("JsonValue", [body.items, body.matrix])
    if any(templates_in(written, ())):
        return
    try:
        expand_items(body, {})
    except AgentciError as error:
        if error.code not in ITEM_ERRORS:
            return  # the key reads what only the run knows
        place = (*path, "items" if body.matrix is None else "matrix")
        findings.add("ACI-D339", place, message=error.message, hint=error.hint)


def _check_child(findings: Findings, step: PipelineStep, *, path: Path) -> None:
    chain = findings.bundle.recursive.get(step.pipeline)
    if chain is not None:
        findings.add(
            "ACI-D347",
            (*path, "pipeline"),
            message=f"step `{step.id}` nests pipelines without end: "
            f"{' -> '.join((*chain, step.pipeline))}",
            hint="use a `loop` step to repeat work",
        )
    child = findings.bundle.children.get(step.pipeline)
    if child is None:
        return
    inputs = child.spec.inputs
    for name, value in step.with_.items():
        place: Path = (*path, "with", name)
        if name not in inputs:
            findings.add(
                "ACI-D348",
                place,
                message=f"pipeline `{child.spec.name}` has no input `{name}`",
                hint=names_hint(name, inputs, what="its inputs"),
            )
        elif not any(templates_in(value, ())) and not has_type(value, inputs[name].type):
            findings.add(
                "ACI-D350",
                place,
                message=f"input `{name}` of pipeline `{child.spec.name}` is of type "
                f"{inputs[name].type}, not `{json.dumps(value)[:80]}`",
            )
    for name, entry in inputs.items():
        if entry.required and name not in step.with_:
            findings.add(
                "ACI-D349",
                path,
                message=f"pipeline `{child.spec.name}` needs the input `{name}`",
                hint=f"add `{name}:` to `with` of step `{step.id}`",
            )
