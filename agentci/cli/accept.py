"""`agentci accept`: makes a run, or the results of suites, what `agentci.lock` expects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agentci.app import wiring
from agentci.app.project import open_project
from agentci.cli.invocation import Invocation, JsonOption, RunArgument, invocation_of
from agentci.cli.render.json import to_json
from agentci.core.errors import UsageError

if TYPE_CHECKING:
    from agentci.app.accept_suites import AcceptedSuite

_SHOWN = 20


def accept(
    context: typer.Context,
    run: RunArgument = None,
    *,
    suite: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SUITE", help="Accept results of this suite; repeatable.", show_default=False
        ),
    ] = None,
    suites: Annotated[
        bool, typer.Option("--suites", help="Accept the results of all suites.")
    ] = False,
    sandbox: Annotated[
        Literal["docker", "bwrap", "process"] | None,
        typer.Option(help="Where commands of suites run.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Write what a run was made of, and its run digest, to `agentci.lock`; or results of suites.

    The run must have passed and be reproducible; every case of a suite must have been judged.
    Commit the file: from then on every run of the pipeline says whether it did the same, and the
    gate knows the results at the merge base without replaying it.

    Example: agentci accept last

    Example: agentci accept --suite triage
    """
    invocation = invocation_of(context)
    if suite or suites:
        if run is not None:
            raise UsageError(
                "accept a run or suites, not both at once",
                code="ACI-U486",
                hint="leave the run out",
            )
        return _accept_suites(invocation, tuple(suite or ()), sandbox=sandbox, json=json)
    if sandbox is not None:
        raise UsageError(
            "`--sandbox` is for suites: a run is accepted as it was",
            code="ACI-U484",
            hint="leave it out, or add `--suite`",
        )
    return _accept_run(invocation, run, json=json)


def _accept_run(invocation: Invocation, run: str | None, *, json: bool) -> int:
    from agentci.app import accept as use_case

    project = open_project(invocation.directory, wiring.files())
    result = use_case.execute(project.root, run)
    if json:
        invocation.print(to_json(result))
        return 0
    invocation.print(f"accepted: {result.pipeline}, run digest {result.new_digest}")
    if result.old_digest is None:
        invocation.note("note: this is the first accepted run of the pipeline")
    elif result.changed:
        invocation.note(f"note: changed since the last one: {', '.join(result.changed)}")
    else:
        invocation.note("note: nothing changed since the last one")
    return 0


def _accept_suites(
    invocation: Invocation, suites: tuple[str, ...], *, sandbox: str | None, json: bool
) -> int:
    from agentci.app.accept_suites import accept_suites
    from agentci.cli.eval_progress import EvalProgress

    with EvalProgress(invocation) as listener:
        accepted = accept_suites(invocation.directory, suites, listener, sandbox=sandbox)
    if json:
        invocation.print(to_json({"suites": list(accepted)}))
        return 0
    for each in accepted:
        invocation.print(f"accepted: {each.suite}, {each.passed} of {each.cases} cases pass")
        for line in _changes(each):
            invocation.print(f"  {line}")
    return 0


def _changes(accepted: AcceptedSuite) -> list[str]:
    """Return what is accepted that was not before."""
    if accepted.first:
        return ["these are the first accepted results of the suite"]
    if not accepted.changed:
        return ["nothing changed since the last time"]
    lines = [f"changed since the last time: {', '.join(accepted.changed)}"]
    for title, cases in (
        ("no longer pass", accepted.broken),
        ("pass now", accepted.fixed),
        ("are new", accepted.new),
        ("are gone", accepted.removed),
    ):
        if cases:
            more = f" and {len(cases) - _SHOWN} more" if len(cases) > _SHOWN else ""
            shown = ", ".join(f"`{case}`" for case in cases[:_SHOWN])
            lines.append(f"{title}: {shown}{more}")
    return lines
