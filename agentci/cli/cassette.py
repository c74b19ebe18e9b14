"""`agentci cassette`: list, show, verify, scan, redact, import and export recordings."""

from __future__ import annotations

import sys
from typing import Annotated, Final, TypeAlias

import typer

from agentci.app import cassette as use_case
from agentci.app import cassette_verify
from agentci.cli.cassette_export import export
from agentci.cli.cassette_import import import_
from agentci.cli.cassette_rekey import rekey
from agentci.cli.cassette_secrets import redact, scan
from agentci.cli.cassette_status import status
from agentci.cli.invocation import GROUP_SETTINGS, Invocation, JsonOption, invocation_of
from agentci.cli.render import errors
from agentci.cli.render.json import to_json
from agentci.cli.render.style import color_wanted
from agentci.cli.render.text import count, size, table
from agentci.core.errors import SpecError

app = typer.Typer(
    help="""List, show, verify, scan, redact, import and export recordings.

    Example: agentci cassette show bugfix 'fix[1]/code'
    """,
    **GROUP_SETTINGS,
)
app.command("import")(import_)
app.command()(export)
app.command()(status)
app.command()(rekey)
app.command()(scan)
app.command()(redact)

_UNREADABLE: Final = 2
_UNSAFE: Final = 8

CassetteArgument: TypeAlias = Annotated[
    str | None, typer.Argument(help="Folder below `cassettes/`; default: all.")
]
LaneArgument: TypeAlias = Annotated[str | None, typer.Argument(help="Lane; default: all.")]


def _request(
    invocation: Invocation, cassette: str | None, lane: str | None = None
) -> use_case.CassetteRequest:
    return use_case.CassetteRequest(start=invocation.directory, cassette=cassette, lane=lane)


@app.command("list")
def list_(
    context: typer.Context, cassette: CassetteArgument = None, json: JsonOption = False
) -> int:
    """List recorded lanes, with the number of calls of models and tools, and approvals.

    Example: agentci cassette list
    """
    invocation = invocation_of(context)
    result = use_case.list_lanes(_request(invocation, cassette))
    if json:
        invocation.print(to_json(result))
        return 0
    rows = [
        (
            lane.cassette,
            lane.lane,
            str(lane.model_calls),
            str(lane.tool_calls),
            str(lane.approvals),
            str(lane.http_calls),
            size(lane.bytes),
        )
        for lane in result.lanes
    ]
    headers = ("cassette", "lane", "model", "tool", "approval", "http", "size")
    invocation.print(table(headers, rows))
    return 0


@app.command()
def show(
    context: typer.Context,
    cassette: CassetteArgument = None,
    lane: LaneArgument = None,
    json: JsonOption = False,
) -> int:
    """Print recordings as a transcript; with `--json`, every request in full.

    Example: agentci cassette show bugfix plan
    """
    invocation = invocation_of(context)
    result = use_case.show(_request(invocation, cassette, lane))
    if json:
        lanes = [
            {
                "cassette": shown.cassette,
                "lane": shown.lane,
                "file": shown.file,
                "interactions": shown.interactions,
            }
            for shown in result.lanes
        ]
        invocation.print(to_json({"lanes": lanes}))
        return 0
    for shown in result.lanes:
        invocation.print(errors.printable(shown.text))
    return 0


@app.command()
def verify(
    context: typer.Context, cassette: CassetteArgument = None, json: JsonOption = False
) -> int:
    """Check that recordings are what was recorded: keys, blobs, and no secrets.

    Exit code 2 means that something cannot be read or is missing, 8 a request or a blob that was
    changed, or a secret.

    Example: agentci cassette verify bugfix
    """
    invocation = invocation_of(context)
    result = cassette_verify.verify(_request(invocation, cassette))
    if json:
        invocation.print(to_json(result))
    else:
        checked = f"{count(result.interactions, 'interaction')}, {count(result.blobs, 'blob')}"
        word = "ok" if not result.problems else count(len(result.problems), "problem")
        invocation.print(f"{word}: {count(result.cassettes, 'cassette')}, {checked}")
        for note in result.notes:
            invocation.note(f"note: {note}")
    if not result.problems:
        return 0
    shown = SpecError(result.problems)
    sys.stderr.write(errors.as_text(shown, color=color_wanted(sys.stderr)))
    return _UNSAFE if result.was_tampered_with else _UNREADABLE
