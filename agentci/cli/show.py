"""`agentci show`: one run, with its steps, lanes, outputs and digests."""

from __future__ import annotations

import json as json_text
import sys
from typing import Annotated

import typer

from agentci.app import show as use_case
from agentci.app import wiring
from agentci.app.project import open_project
from agentci.cli.invocation import JsonOption, RunArgument, invocation_of
from agentci.cli.render.json import plain, to_json
from agentci.cli.render.run_text import flat_steps, report_text
from agentci.cli.render.style import color_wanted, paint


def show(
    context: typer.Context,
    run: RunArgument = None,
    *,
    outputs: Annotated[
        bool, typer.Option("--outputs", help="Also print the output of every step.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Show a run: its steps, lanes, patch, commit and digests; `--outputs` also what steps gave.

    Example: agentci show last --outputs
    """
    invocation = invocation_of(context)
    project = open_project(invocation.directory, wiring.files())
    content = use_case.execute(project.root, run)
    if json:
        invocation.print(to_json(content))
        return 0
    color = color_wanted(sys.stdout)
    invocation.print(report_text(content, color=color))
    if outputs:
        for step in flat_steps(content):
            text = json_text.dumps(plain(step["output"]), indent=2, ensure_ascii=False)
            invocation.print(f"\n{paint(step['lane'], 'bold', color=color)}\n{text}")
    return 0
