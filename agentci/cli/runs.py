"""`agentci runs`: the runs on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from agentci.app import runs as use_case
from agentci.app import wiring
from agentci.app.project import open_project
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.cli.render.text import table
from agentci.core.digest import Digest, short


def runs(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest N.")] = 20,
    json: JsonOption = False,
) -> int:
    """List the runs on this machine, the newest first.

    Example: agentci runs -n 5
    """
    invocation = invocation_of(context)
    project = open_project(invocation.directory, wiring.files())
    found = use_case.execute(project.root, limit=limit)
    if json:
        invocation.print(to_json({"runs": found}))
        return 0
    if not found:
        invocation.note("there are no runs here yet")
        return 0
    rows = [
        (
            run.run_id,
            run.verdict,
            run.mode,
            {None: "-", True: "yes", False: "no"}[run.matches_lock],
            short(Digest(run.run_digest)) or "-",
            f"{run.pipeline}  {run.message}".rstrip(),
        )
        for run in found
    ]
    invocation.print(table(("run", "verdict", "mode", "lock", "digest", "pipeline"), rows))
    return 0
