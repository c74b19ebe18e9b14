"""`agentci cassette status`: which recordings still fit, and why the others do not."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from agentci.app import cassette_status as use_case
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.cli.render.text import count, size, table
from agentci.cli.run_settings import parse_settings

_NOT_FRESH: Final = 4


def status(
    context: typer.Context,
    pipelines: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PIPELINE]...", help="Names or folders; default: all."),
    ] = None,
    *,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Input; repeatable.", show_default=False),
    ] = None,
    max_size: Annotated[
        int, typer.Option(min=1, metavar="BYTES", help="A larger file of a lane is oversized.")
    ] = use_case.DEFAULT_LIMIT,
    json: JsonOption = False,
) -> int:
    """Say, lane by lane, which recordings still fit: fresh, stale, new, unplayed, orphaned.

    Replays offline in a scratch folder and changes nothing. Exit code 0 means all fresh, 4 not.

    Example: agentci cassette status bugfix
    """
    invocation = invocation_of(context)
    request = use_case.StatusRequest(
        start=invocation.directory,
        pipelines=tuple(pipelines or ()),
        settings=parse_settings(settings or []),
        limit=max_size,
    )
    result = use_case.execute(request)
    if json:
        invocation.print(to_json(result))
    else:
        invocation.print(status_text(result))
        for note in result.notes:
            invocation.note(f"note: {note}")
        if not result.fresh:
            invocation.note("hint: `agentci record --changed` asks again for what changed only")
    return 0 if result.fresh else _NOT_FRESH


def status_text(result: use_case.StatusResult) -> str:
    """Return the status for a person: a table, then what differs in each stale lane."""
    rows = [
        (_state(lane), status.pipeline, lane.lane, str(lane.recordings), lane.reason)
        for status in result.pipelines
        for lane in status.lanes
    ]
    parts = [table(("state", "pipeline", "lane", "recorded", "why"), rows)] if rows else []
    for status in result.pipelines:
        for lane in status.lanes:
            if lane.changes:
                parts.append(f"\n{lane.lane} (`{lane.file}`):\n")
                parts += (f"  {change}\n" for change in lane.changes)
        if status.problem is not None:
            parts.append(f"\n{status.pipeline}: {status.problem}\n")
            parts += [f"hint: {status.hint}\n"] if status.hint else []
    shown = ", ".join(f"{number} {name}" for name, number in result.counts.items() if number)
    total = count(sum(len(status.lanes) for status in result.pipelines), "lane")
    return "".join([*parts, f"\n{total}: {shown}\n" if shown else f"{total}\n"])


def _state(lane: use_case.LaneStatus) -> str:
    return f"{lane.state}, oversized ({size(lane.bytes)})" if lane.oversized else lane.state
