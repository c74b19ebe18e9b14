"""`agentci init`: writes a first pipeline into a repository."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from agentci.app import init as use_case
from agentci.cli.invocation import Invocation, JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.core.errors import UsageError


def init(
    context: typer.Context,
    *,
    provider: Annotated[
        str, typer.Option(help="Provider of the model; `agentci doctor` lists them.")
    ] = "openai",
    model: Annotated[
        str | None, typer.Option(help="The provider's name of the model.", show_default=False)
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(help="Command of the tests; found from the files.", show_default=False),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    json: JsonOption = False,
) -> int:
    """Write a first pipeline, its prompts, settings, git lines, a CI workflow and a hook.

    Nothing that exists is replaced unless `--force` says so.

    Example: agentci init --provider anthropic --test "python -m pytest -q"
    """
    invocation = invocation_of(context)
    request = use_case.InitRequest(
        folder=invocation.directory,
        provider=provider,
        model=model,
        test=_words(test),
        force=force,
    )
    result = use_case.execute(request)
    if json:
        invocation.print(to_json(result))
    else:
        _show(result, invocation)
    return 0


def _words(text: str | None) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text or ""))
    except ValueError as error:
        message = f"`--test` is not a command: {error}"
        raise UsageError(message, code="ACI-U302", hint="balance its quotes") from error


def _show(result: use_case.InitResult, invocation: Invocation) -> None:
    rows = (
        ("wrote", result.written),
        ("added lines to", result.extended),
        ("left as it was", result.unchanged),
        ("left alone, it has other content", result.kept),
    )
    for words, names in rows:
        for name in names:
            invocation.print(f"{words}: {name}")
    for note in result.notes:
        invocation.note(f"note: {note}")
    if result.kept:
        invocation.note("hint: `agentci init --force` replaces what was left alone")
    invocation.note("next: `agentci check`, then `agentci doctor`")
