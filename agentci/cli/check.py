"""`agentci check`: everything that can be known to be wrong before a run."""

from __future__ import annotations

from typing import Annotated

import typer

from agentci.app import check_stamp, wiring
from agentci.app.check_result import CheckRequest
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.cli.render.text import count
from agentci.core.errors import SpecError


def check(
    context: typer.Context,
    pipelines: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PIPELINE]...", help="Names or folders, of suites as well; default: all."
        ),
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Trust a check that saw the same files.")
    ] = True,
    json: JsonOption = False,
) -> int:
    """Check settings, pipelines and their suites without running them.

    Finds unknown keys, wrong types, references to steps, fields and files that do not exist,
    cycles, templates that do not fit, and cases and scorers of suites that cannot work. Every
    problem has its file, line and column.

    Example: agentci check pipelines/bugfix
    """
    invocation = invocation_of(context)
    request = CheckRequest(start=invocation.directory, pipelines=tuple(pipelines or ()))
    result = check_stamp.recall(request, wiring.files()) if cache else None
    if result is None:
        from agentci.app import check as use_case  # most of the cost of a start is behind this

        result = use_case.execute(request)
    if not json:
        for pipeline in result.pipelines:
            if not pipeline.problems:
                size = f"{count(pipeline.steps, 'step')}, {count(pipeline.agents, 'agent')}"
                invocation.print(f"ok: {pipeline.folder} ({size})")
        for suite in result.suites:
            if not suite.problems:
                size = f"suite, {count(suite.cases, 'case')}, {count(suite.scorers, 'scorer')}"
                invocation.print(f"ok: {suite.folder} ({size})")
    if result.problems:
        raise SpecError(result.problems)
    if json:
        invocation.print(to_json(result))
    return 0
