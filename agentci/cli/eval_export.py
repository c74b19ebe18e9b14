"""`agentci eval export`: results for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from agentci.cli.eval_progress import EvalProgress
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.suite_options import SuitesArgument


def export(
    context: typer.Context,
    suites: SuitesArgument = None,
    *,
    inspect: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Inspect's log: `.eval` or `.json`.", show_default=False),
    ] = None,
    jsonl: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON Lines, a line a trial.", show_default=False),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take what `eval --out FILE` left.", show_default=False),
    ] = None,
    mode: Annotated[
        Literal["auto", "replay", "record", "live"] | None,
        typer.Option(help="Default: `replay` where CI=true, else `auto`.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Write results of suites for other tools: what is known is read, the rest evaluated first.

    Example: agentci eval export triage --inspect triage.eval
    """
    from agentci.app.eval_export import EvalExportRequest, export_evaluation
    from agentci.cli.render.json import to_json
    from agentci.cli.render.text import count

    invocation = invocation_of(context)
    request = EvalExportRequest(
        start=invocation.directory,
        suites=tuple(suites or ()),
        inspect=None if inspect is None else invocation.path(inspect),
        jsonl=None if jsonl is None else invocation.path(jsonl),
        results=None if results is None else invocation.path(results),
        mode=mode,
    )
    with EvalProgress(invocation) as listener:
        result = export_evaluation(request, listener)
    if json:
        invocation.print(to_json(result))
    else:
        told = f"{count(result.trials, 'trial')} of {count(result.cases, 'case')}"
        invocation.print(f"wrote {told} to `{'` and `'.join(result.files)}`")
    return 0
