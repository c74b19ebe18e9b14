"""`agentci cassette import`: take over recordings of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentci.cli.invocation import Invocation, JsonOption, invocation_of

if TYPE_CHECKING:
    from agentci.app.cassette_import import ImportedFile, ImportResult

_UNREADABLE: Final = 2
_REFUSED: Final = 8
_NOTHING: Final = 5


def import_(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files, or folders to look through.")
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="NAME", help="Folder below `cassettes/`.")
    ] = "imported",
    lane: Annotated[
        str | None,
        typer.Option(
            metavar="LANE",
            show_default=False,
            help="One lane for everything; default: one for each file, named like it.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put them in the place of what a lane has already.")
    ] = False,
    redact: Annotated[
        bool,
        typer.Option("--redact", help="Put placeholders in the place of secrets, refuse no file."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Take over recordings of vcrpy, go-vcr, Ruby VCR, LangChain, Datadog and nock.

    Exit code 2 means that a file could not be read, 8 that one was refused: it holds a secret, or
    the lane has other recordings. All other files are imported.

    Example: agentci cassette import tests/cassettes --to unit
    """
    from agentci.app.cassette_import import ImportRequest, import_recordings
    from agentci.cli.render.json import to_json

    invocation = invocation_of(context)
    result = import_recordings(
        ImportRequest(
            start=invocation.directory,
            paths=tuple(invocation.path(path) for path in paths),
            cassette=to,
            lane=lane,
            replace=replace,
            redact=redact,
            dry_run=dry_run,
        )
    )
    if json:
        invocation.print(to_json(result))
    else:
        _print(result, invocation)
    outcomes = {file.outcome for file in result.files}
    if "refused" in outcomes:
        return _REFUSED
    if "unreadable" in outcomes:
        return _UNREADABLE
    return _NOTHING if outcomes == {"skipped"} else 0


def _print(result: ImportResult, invocation: Invocation) -> None:
    from agentci.cli.render.text import count, size, table

    rows = [
        (
            file.outcome,
            file.format or "-",
            str(file.interactions) if file.interactions else "-",
            str(file.model_calls) if file.interactions else "-",
            size(file.bytes) if file.interactions else "-",
            file.file,
        )
        for file in result.files
    ]
    invocation.print(table(("outcome", "format", "calls", "model", "bytes", "file"), rows))
    done = [file for file in result.files if file.outcome in {"imported", "unchanged"}]
    verb = "would import" if result.dry_run else "imported"
    invocation.print(
        f"{verb} {count(result.interactions, 'interaction')} ({size(result.bytes)}) "
        f"of {len(done)} from {count(len(result.files), 'file')} into `{result.folder}`"
    )
    for file in result.files:
        if file.reason:
            _note(file, invocation)


def _note(file: ImportedFile, invocation: Invocation) -> None:
    from agentci.cli.render.errors import printable

    invocation.note(printable(f"{file.outcome} {file.code}: {file.reason}"))
    if file.hint:
        invocation.note(f"  hint: {printable(file.hint)}")
