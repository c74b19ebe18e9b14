"""`agentci cassette rekey`: brings recordings along when keys are computed in another way."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from agentci.app import cassette_rekey as use_case
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.cli.render.text import count, table

_WOULD_CHANGE: Final = 4


def rekey(
    context: typer.Context,
    cassette: Annotated[
        str | None, typer.Argument(help="Folder below `cassettes/`; default: all.")
    ] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 4 if anything would.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Compute keys again from the stored requests, after a masking rule or the key version changed.

    Nobody is asked. Only keys, what points to them, and the text that a new rule masks change.
    Refused, and nothing written, where two requests of a lane would become the same.

    Example: agentci cassette rekey bugfix --check
    """
    invocation = invocation_of(context)
    request = use_case.RekeyRequest(invocation.directory, cassette, check=check)
    result = use_case.execute(request)
    if json:
        invocation.print(to_json(result))
    else:
        rows = [
            (f"{each.changed} of {each.recordings}", each.file, _why(each)) for each in result.files
        ]
        if rows:
            invocation.print(table(("changed", "file", "why"), rows))
        word = "would change" if check else "changed"
        invocation.print(f"{result.changed} of {count(result.recordings, 'key')} {word}\n")
    for each in result.by_hand:
        invocation.note(f"note: `{each}` was changed by hand; see `agentci cassette verify`")
    if result.changed and not check:
        invocation.note("hint: look at the diff, then run the pipelines and `agentci accept`")
    return _WOULD_CHANGE if check and result.files else 0


def _why(file: use_case.RekeyedFile) -> str:
    return "; ".join(f"{reason} ({number})" for reason, number in file.reasons.items())
