"""`agentci gate`: judges a change against its merge base."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from agentci.cli.invocation import JsonOption, invocation_of


def gate(
    context: typer.Context,
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SUITE]...", help="Names or folders; default: all.", show_default=False
        ),
    ] = None,
    *,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Compare with the merge base of HEAD and REF. Default: from CI or git.",
            show_default=False,
        ),
    ] = None,
    mode: Annotated[
        Literal["replay", "auto", "record", "live"],
        typer.Option(help="Of head; `live` draws answers anew at both sides."),
    ] = "replay",
    policy: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Instead of the suites' own.", show_default=False),
    ] = None,
    results: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Head as `agentci eval --out FILE` left it; repeat for each shard.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="Trials at the same time.", show_default=False),
    ] = None,
    sandbox: Annotated[
        Literal["docker", "bwrap", "process"] | None,
        typer.Option(help="Where all commands run.", show_default=False),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all/--changes-only", help="List cases that did not change, too.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Judge this change: does it break cases that worked at the merge base?

    Replays the suites as they are now and as they were at the base, offline, and compares them
    case by case. Exit code 0 lets the merge pass, 1 is a regression, 4 means that something could
    not be judged because its recordings do not fit.

    Example: agentci gate --base main
    """
    from agentci.app.gate import GateRequest, judge
    from agentci.cli.gate_progress import GateProgress
    from agentci.cli.render.decision_text import decision_text
    from agentci.cli.render.json import to_json
    from agentci.cli.render.style import color_wanted
    from agentci.report.decision_json import decision_json

    invocation = invocation_of(context)
    request = GateRequest(
        start=invocation.directory,
        suites=tuple(suites or ()),
        base=base,
        mode=mode,
        policy=None if policy is None else invocation.path(policy),
        results=tuple(invocation.path(each) for each in results or ()),
        jobs=jobs,
        sandbox=sandbox,
    )
    with GateProgress(invocation) as listener:
        result = judge(request, listener)
    if json:
        invocation.print(
            to_json({**decision_json(result.decision), "base_from": result.base_source})
        )
    else:
        color = color_wanted(sys.stdout)
        invocation.print(decision_text(result.decision, color=color, everything=everything))
    return result.decision.exit_code
