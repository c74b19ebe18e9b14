"""`agentci deploy validate`: a table of what each validator says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from agentci.cli.invocation import Invocation, JsonOption, invocation_of
from agentci.cli.render.json import plain, to_json
from agentci.cli.render.text import table, terminal_width

if TYPE_CHECKING:
    from agentci.app.deploy_validate import Diagnostic, ValidatedSpec


def validate(
    context: typer.Context,
    spec: Annotated[
        str | None,
        typer.Argument(help="File, or its name in `deploy/`; default: all.", show_default=False),
    ] = None,
    *,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Where `render --out` wrote.", show_default=False),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="A missing tool is a failure.")] = False,
    json: JsonOption = False,
) -> int:
    """Hold rendered files against rules, schemas, rubrics, and the tools that this machine has.

    Nothing is skipped in silence: a missing tool has its line, and fails with `--strict`.

    Example: agentci deploy validate
    """
    from agentci.app import deploy_validate as use_case

    invocation = invocation_of(context)
    directory = None if out is None else invocation.path(out)
    results = use_case.validate(invocation.directory, spec, out=directory)
    failed = any(each.failed or (strict and each.skipped) for each in results)
    if json:
        specs = [{"failed": each.failed, **plain(each)} for each in results]
        invocation.print(to_json({"ok": not failed, "strict": strict, "specs": specs}))
    else:
        for each in results:
            _show(each, invocation, strict=strict)
    return 1 if failed else 0


def _show(spec: ValidatedSpec, invocation: Invocation, *, strict: bool) -> None:
    rows = [
        [outcome.target or "-", outcome.validator, outcome.status, outcome.detail]
        for outcome in spec.outcomes
    ]
    invocation.print(f"{spec.spec}")
    invocation.print(table(["target", "validator", "status", ""], rows, width=terminal_width()))
    for outcome in spec.outcomes:
        for each in outcome.diagnostics:
            invocation.print(_diagnostic(each))
    for waived in spec.waived:
        finding = waived.finding
        invocation.note(
            f"waived until {waived.expires}: {finding.code} at `{finding.place}`: {waived.reason}"
        )
    if spec.skipped:
        word = "error" if strict else "note"
        invocation.note(f"{word}: a tool is missing, so not everything was validated")


def _diagnostic(found: Diagnostic) -> str:
    where = f" at `{found.spec_path}`" if found.spec_path else ""
    lines = [f"{found.rule}{where}: {found.message}", f"  --> {found.location}"]
    if found.hint:
        lines.append(f"  hint: {found.hint}")
    return "\n".join(lines)
