"""`agentci cassette scan` and `agentci cassette redact`: find secrets, replace them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentci.cli.invocation import Invocation, JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.cli.render.text import count, size, table

if TYPE_CHECKING:
    from agentci.app.cassette_redact import RedactResult
    from agentci.app.cassette_scan import ScanResult

_DAMAGED: Final = 4
_UNSAFE: Final = 8


def scan(
    context: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGET]...",
            help="Folders below `cassettes/`, or other files and folders; default: all recordings.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> int:
    """Look for secrets in recordings, or in any files. Names kind and place, never the secret.

    Exit code 8 means that something was found. What is harmless is allowed, with a reason, in
    `cassettes/secrets.allow.yaml`.

    Example: agentci cassette scan bugfix
    """
    from agentci.app import cassette_scan as use_case

    invocation = invocation_of(context)
    request = use_case.ScanRequest(start=invocation.directory, targets=tuple(targets or ()))
    result = use_case.scan(request)
    if json:
        invocation.print(to_json(result))
    else:
        _show_scan(invocation, result)
    if result.findings:
        return _UNSAFE
    return _DAMAGED if result.problems else 0


def _show_scan(invocation: Invocation, result: ScanResult) -> None:
    if result.findings:
        rows = [
            (f"{each.file}:{each.line}", each.kind, each.lane, each.path)
            for each in result.findings
        ]
        invocation.print(table(("place", "kind", "lane", "path"), rows))
    looked_at = f"{count(result.files, 'file')}, {size(result.bytes)}"
    allowed = f", {result.allowed} allowed" if result.allowed else ""
    found = count(len(result.findings), "finding")
    invocation.print(f"{found}{allowed} in {looked_at}")
    for problem in result.problems:
        invocation.note(f"note: not looked into: {problem.message}")
    for number in result.unused:
        invocation.note(f"note: entry {number} of `secrets.allow.yaml` allows nothing any more")
    if result.findings:
        invocation.note(
            "hint: replace each secret with a new one where it is in use, then "
            "`agentci cassette redact`; what is none goes into `secrets.allow.yaml`"
        )


def redact(
    context: typer.Context,
    cassettes: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CASSETTE]...",
            help="Folders below `cassettes/`; default: all.",
            show_default=False,
        ),
    ] = None,
    always: Annotated[
        bool,
        typer.Option(
            "--always",
            help="Also redact, and do not refuse, what is recorded there from now on.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
    json: JsonOption = False,
) -> int:
    """Replace secrets in recordings by placeholders. The recordings replay as before.

    Exit code 8 means that something could not be replaced.

    Example: agentci cassette redact bugfix
    """
    from agentci.app import cassette_redact as use_case

    invocation = invocation_of(context)
    request = use_case.RedactRequest(
        start=invocation.directory,
        cassettes=tuple(cassettes or ()),
        dry_run=dry_run,
        always=always,
    )
    result = use_case.redact(request)
    if json:
        invocation.print(to_json(result))
    else:
        _show_redact(invocation, result)
    return _UNSAFE if any(folder.remaining for folder in result.folders) else 0


def _show_redact(invocation: Invocation, result: RedactResult) -> None:
    verb = "would be" if result.dry_run else "were"
    for folder in result.folders:
        if not folder.secrets:
            invocation.print(f"{folder.cassette}: nothing to redact")
            continue
        invocation.print(
            f"{folder.cassette}: {count(folder.secrets, 'secret')} {verb} replaced in "
            f"{count(folder.changed, 'recording')} of {count(len(folder.lanes), 'lane')}"
        )
        if folder.unmatched:
            invocation.note(
                f"note: {count(len(folder.unmatched), 'recording')} will miss at replay: the "
                "secret in the request shows only in another recording; record again"
            )
        if folder.remaining:
            invocation.note("note: the name of a lane holds a secret; rename it, record again")
    if not result.dry_run and any(folder.secrets for folder in result.folders):
        invocation.note(
            "hint: version control still has the secrets: replace them with new ones where they "
            "are in use; then `agentci run` and `agentci accept`, because the answers have changed"
        )
