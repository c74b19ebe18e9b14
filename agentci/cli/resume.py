"""`agentci resume`: continues a run that was stopped."""

from __future__ import annotations

from typing import Annotated

import typer

from agentci.app import resume as use_case
from agentci.app import wiring
from agentci.app.project import open_project
from agentci.cli.invocation import JsonOption, RunArgument, invocation_of
from agentci.cli.progress import Progress
from agentci.cli.run_outcome import show_outcome


def resume(
    context: typer.Context,
    run: RunArgument = None,
    *,
    resend: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LANE",
            help="External step that may be sent again; repeatable.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Continue a run that was interrupted, killed, failed, or waited for a person.

    Steps that finished are not run again. Nothing external is sent twice: a step that was sent
    without a known result stops the run, unless `--resend` names it.

    Example: agentci resume last
    """
    invocation = invocation_of(context)
    project = open_project(invocation.directory, wiring.files())
    with Progress(invocation) as listener:
        report = use_case.execute(project.root, run, listener, resend=tuple(resend or ()))
    return show_outcome(report, invocation, json=json)
