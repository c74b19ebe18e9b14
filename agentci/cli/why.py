"""`agentci why`: why a step ran, was replayed, or came from the cache."""

from __future__ import annotations

from typing import Annotated

import typer

from agentci.app import why as use_case
from agentci.app import wiring
from agentci.app.project import open_project
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.json import to_json


def why(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="Id of a run, part of it, or `last`.")],
    step: Annotated[str, typer.Argument(help="Lane of the step, or its id where that is unique.")],
    json: JsonOption = False,
) -> int:
    """Say why a step ran, was replayed or came from the cache, and which field of its key changed.

    Example: agentci why last 'fix[1]/code'
    """
    invocation = invocation_of(context)
    project = open_project(invocation.directory, wiring.files())
    result = use_case.execute(project.root, run, step)
    if json:
        invocation.print(to_json(result))
        return 0
    invocation.print(f"{result.lane} ({result.kind}): {result.source}, {result.outcome}")
    invocation.print(f"because {result.reason}")
    if result.compared_with is None:
        invocation.note("note: there is no earlier run to compare with")
        return 0
    invocation.print(f"compared with run {result.compared_with}:")
    for change in result.changes:
        invocation.print(f"  {change}")
    if not result.changes:
        invocation.print("  nothing that its key covers changed")
    return 0
