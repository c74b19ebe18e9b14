"""Static checks of expressions: every name that they read can exist where they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agentci.core.errors import SpecError
from agentci.plan.bundle import all_steps, blocks_of
from agentci.plan.findings import Findings, Path, names_hint
from agentci.plan.scopes import Scope
from agentci.plan.shapes import Missing, Shape, find
from agentci.plan.templates import Template
from agentci.spec.expressions import Reference, is_expression, references
from agentci.spec.pipeline import LoopStep, ParallelStep, StepBase

OUTCOMES = (
    "approved", "denied", "done", "exhausted", "failed", "invalid_output", "limit_cost",
    "limit_tokens", "limit_turns", "refused", "skipped", "timed_out", "truncated",
)  # fmt: skip
"""What `steps.<id>.outcome` can be."""

_COMPARED = re.compile(
    r"""\.outcome\s*[!=]=\s*(["'])(\w*)\1|(["'])(\w*)\3\s*[!=]=\s*[\w.]*outcome"""
)
_PLACES = {
    "carry": "`carry` is known only inside a `loop`",
    "loop": "`loop` is known only inside a `loop`",
    "item": "`item` is known only inside a `foreach`",
}


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What is wrong with one reference."""

    code: str
    message: str
    hint: str | None


def check_template(findings: Findings, template: Template, *, scope: Scope) -> None:
    """Check everything that a template reads against what is there."""
    found = _read(findings, template)
    for reference in found:
        trouble = _trouble(findings, reference, scope)
        if trouble is not None:
            findings.add(trouble.code, template.path, message=trouble.message, hint=trouble.hint)
    for match in _COMPARED.finditer(template.text):
        outcome = match[2] if match[1] else match[4]
        if outcome not in OUTCOMES:
            findings.add(
                "ACI-D370",
                template.path,
                message=f"no step ever has the outcome `{outcome}`",
                hint=names_hint(outcome, OUTCOMES, what="outcomes"),
            )


def check_condition(findings: Findings, template: Template, *, scope: Scope) -> None:
    """Check a `when` or `until` that is a text: it has to be one expression."""
    try:
        whole = is_expression(template.text)
    except SpecError:
        whole = True  # reported below with its references
    if not whole:
        findings.add(
            "ACI-D340",
            template.path,
            message=f"the condition `{template.text[:80]}` is not one expression, so it is never "
            "true or false",
            hint="write it as `${{ ... }}`",
        )
        return
    check_template(findings, template, scope=scope)


def check_until(findings: Findings, step: LoopStep, *, path: Path, scope: Scope) -> None:
    """Check the condition of a loop: it has to be able to change from one iteration to the next."""
    template = Template((*path, "until"), step.loop.until)
    before = len(findings.problems)
    check_condition(findings, template, scope=scope)
    if len(findings.problems) > before:
        return
    inside = {inner.id for inner in step.loop.steps}
    for reference in _read(findings, template):
        root = reference.path[0]
        if root in ("carry", "loop") or reference.path == ("steps",):
            return
        if root == "steps" and reference.path[1] in inside:
            return
    findings.add(
        "ACI-D371",
        template.path,
        message=f"`until` of the loop `{step.id}` is the same in every iteration: "
        f"`{template.text[:80]}`",
        hint="let it depend on a step of the loop, on `carry` or on `loop.iteration`",
    )


def check_prompt(findings: Findings, file: str, *, names: Shape, user: str) -> None:
    """Check what a prompt file reads against the `with` of the step that uses it.

    `user` says who uses the file, for the message.
    """
    prompt = findings.bundle.prompts.get(file)
    if prompt is None:
        return
    try:
        found = references(prompt.text, prompt=True)
    except SpecError as error:
        for problem in error.problems:
            line = problem.location.line or 1
            offset = sum(len(text) for text in prompt.text.splitlines(keepends=True)[: line - 1])
            findings.add_in_file(
                problem.code, file, offset=offset, message=problem.message, hint=problem.hint
            )
        return
    for reference in found:
        missing = None if reference.optional else find(names, reference.path)
        if not isinstance(missing, Missing):
            continue
        if missing.depth == 0:
            code = "ACI-D368"
            message = f"the prompt reads `{missing.name}`, which is not in `with` of {user}"
            hint = names_hint(missing.name, names.fields, what="names in `with`")
        else:
            code, message = "ACI-D369", f"the prompt reads {_no_part(reference, missing)}"
            hint = names_hint(missing.name, missing.inside.fields, what="its fields")
        findings.add_in_file(code, file, offset=reference.offset, message=message, hint=hint)


def _read(findings: Findings, template: Template) -> tuple[Reference, ...]:
    try:
        return references(template.text)
    except SpecError as error:
        for problem in error.problems:
            findings.add(problem.code, template.path, message=problem.message, hint=problem.hint)
        return ()


def _trouble(findings: Findings, reference: Reference, scope: Scope) -> _Trouble | None:
    path = reference.path
    missing = find(scope.shape, path)
    if not isinstance(missing, Missing):
        return None if reference.optional else _carry_trouble(path, scope)
    if missing.depth == 0:
        hint = _PLACES.get(missing.name) or names_hint(
            missing.name, scope.shape.fields, what="known names"
        )
        return _Trouble("ACI-D360", f"there is no `{missing.name}` here", hint)
    if path[0] == "steps" and missing.depth == 1:
        return _step_trouble(findings, missing.name, scope)
    if path[0] == "inputs" and missing.depth == 1:
        hint = names_hint(missing.name, missing.inside.fields, what="defined inputs")
        return _Trouble("ACI-D364", f"there is no input `{missing.name}`", hint)
    if reference.optional:
        return None
    return _Trouble("ACI-D363", f"there is {_no_part(reference, missing)}", _field_hint(missing))


def _no_part(reference: Reference, missing: Missing) -> str:
    owner = ".".join(reference.path[: missing.depth])
    kind = missing.inside.kind
    about = "" if kind == "object" else f", which is {_KIND_WORDS.get(kind, kind)}"
    return f"no `{missing.name}` in `{owner}`{about}"


_KIND_WORDS = {
    "boolean": "true or false",
    "list": "a list",
    "null": "null",
    "number": "a number",
    "text": "a text",
}


def _field_hint(missing: Missing) -> str | None:
    if missing.inside.kind != "object":
        return None
    if missing.name == "json" and "stdout" in missing.inside.fields:
        return "add `parse: json` to that step"
    return names_hint(missing.name, missing.inside.fields, what="its fields")


def _carry_trouble(path: Sequence[str], scope: Scope) -> _Trouble | None:
    if path[0] != "carry" or len(path) < 2:
        return None
    name = path[1]
    if name in scope.no_first:
        return _Trouble(
            "ACI-D366",
            f"`carry.{name}` has no value in the first iteration",
            f"add `{name}:` to `initial`, for example `{name}: null`",
        )
    if name in scope.no_later:
        return _Trouble(
            "ACI-D367",
            f"`carry.{name}` has no value after the first iteration",
            f"add `{name}: ${{{{ carry.{name} }}}}` to `carry` to keep it",
        )
    return None


def _step_trouble(findings: Findings, name: str, scope: Scope) -> _Trouble:
    if name in scope.later:
        return _Trouble(
            "ACI-D362",
            f"step `{name}` may not be finished here",
            f"add `{name}` to `needs`, or move this step after it",
        )
    steps = findings.bundle.spec.steps
    container = _container_of(steps, name)
    if container is not None:
        return _Trouble(
            "ACI-D362",
            f"step `{name}` is inside `{container.id}` and not seen from here",
            f"read `steps.{container.id}.output.{_route(container, name)}`",
        )
    known = {step.id for step in all_steps(steps)}
    if name in known:
        return _Trouble("ACI-D362", f"step `{name}` is not finished here", "order them by `needs`")
    hint = names_hint(name, known, what="steps of the pipeline")
    return _Trouble("ACI-D361", f"there is no step `{name}`", hint)


def _container_of(steps: Sequence[StepBase], name: str) -> StepBase | None:
    for step in all_steps(steps):
        for block in blocks_of(step).values():
            if any(inner.id == name for inner in block):
                return step
    return None


def _route(container: StepBase, name: str) -> str:
    if isinstance(container, LoopStep):
        return f"last.{name}"
    if isinstance(container, ParallelStep):
        branches = container.parallel.branches.items()
        branch = next(b for b, block in branches if any(step.id == name for step in block))
        return f"{branch}.{name}"
    return f"items[0].{name}"
