"""`agentci cassette export`: write recordings as files of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from agentci.cli.invocation import JsonOption, invocation_of

_NOTHING: Final = 5


def export(
    context: typer.Context,
    cassette: Annotated[
        str | None, typer.Argument(help="Folder below `cassettes/`; default: all.")
    ] = None,
    lane: Annotated[str | None, typer.Argument(help="Lane; default: all.")] = None,
    vcr: Annotated[
        bool, typer.Option("--vcr", help="As cassettes of vcrpy, which is the default.")
    ] = True,
    to: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="Folder for the files.")
    ] = Path("exported-cassettes"),
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over files that are there.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Write recordings as cassettes that plain vcrpy loads, one file for each lane.

    Example: agentci cassette export --vcr imported --to tests/cassettes
    """
    from agentci.app.cassette_export import ExportRequest, export_recordings
    from agentci.cli.render.json import to_json
    from agentci.cli.render.text import count, size, table

    del vcr  # the only format there is
    invocation = invocation_of(context)
    result = export_recordings(
        ExportRequest(
            start=invocation.directory,
            out=invocation.path(to),
            cassette=cassette,
            lane=lane,
            replace=replace,
        )
    )
    written = [exported for exported in result.lanes if exported.file]
    if json:
        invocation.print(to_json(result))
    else:
        rows = [
            (str(exported.interactions), size(exported.bytes), exported.file)
            for exported in written
        ]
        invocation.print(table(("calls", "size", "file"), rows))
        total = sum(exported.interactions for exported in written)
        invocation.print(f"exported {count(total, 'interaction')} of {count(len(written), 'lane')}")
        for exported in result.lanes:
            for reason in exported.left_out:
                invocation.note(f"left out: `{exported.cassette}` `{exported.lane}`, {reason}")
    return 0 if written else _NOTHING
