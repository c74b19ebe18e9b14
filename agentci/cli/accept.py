"""`agentci accept`: makes a run the one that `agentci.lock` expects."""

from __future__ import annotations

import typer

from agentci.app import accept as use_case
from agentci.app import wiring
from agentci.app.project import open_project
from agentci.cli.invocation import JsonOption, RunArgument, invocation_of
from agentci.cli.render.json import to_json


def accept(context: typer.Context, run: RunArgument = None, json: JsonOption = False) -> int:
    """Write what a run was made of, and its run digest, to `agentci.lock`.

    The run must have passed and be reproducible. Commit the file: from then on every run of the
    pipeline says whether it did the same.

    Example: agentci accept last
    """
    invocation = invocation_of(context)
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
