"""`agentci run`: runs, records or replays a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from agentci.app import run as use_case
from agentci.app import wiring
from agentci.app.project import open_project
from agentci.app.run_request import RunRequest
from agentci.cli.invocation import Invocation, JsonOption, invocation_of
from agentci.cli.progress import Progress
from agentci.cli.render.json import to_json
from agentci.cli.render.text import table
from agentci.cli.run_outcome import show_outcome
from agentci.cli.run_settings import RedactOption, parse_settings
from agentci.core.errors import UsageError


def run(
    context: typer.Context,
    pipeline: Annotated[str, typer.Argument(help="Name or folder of the pipeline.")],
    *,
    repo: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Repository to work on.", show_default=False),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Input; repeatable.", show_default=False),
    ] = None,
    mode: Annotated[
        Literal["auto", "replay", "record", "live"] | None,
        typer.Option(help="Default: `replay` where CI=true, else `auto`.", show_default=False),
    ] = None,
    record_all: Annotated[
        bool, typer.Option("--all", help="With `--mode record`: ask for every answer again.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="Run seed; default: the definition's.", show_default=False)
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="Steps at the same time.", show_default=False),
    ] = None,
    sandbox: Annotated[
        Literal["docker", "bwrap", "process"] | None,
        typer.Option(help="Where all commands run.", show_default=False),
    ] = None,
    tools: Annotated[
        Literal["replay", "execute"],
        typer.Option(help="`execute` runs recorded tool calls again and compares."),
    ] = "replay",
    cassette: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Folder below `cassettes/`; default: by pipeline and inputs.",
            show_default=False,
        ),
    ] = None,
    branch: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Branch that gets the run's commit.", show_default=False),
    ] = None,
    note: Annotated[
        str,
        typer.Option(metavar="TEXT", help="Goes into the header of new cassettes."),
    ] = "",
    redact: RedactOption = False,
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Use cached results.")] = True,
    plan: Annotated[bool, typer.Option("--plan", help="Print what would run, and stop.")] = False,
    json: JsonOption = False,
) -> int:
    """Run, record or replay a pipeline.

    What is recorded is replayed, without a key or a network. What is missing is recorded where an
    endpoint is configured (`agentci doctor`), and is an error otherwise.

    Example: agentci run pipelines/bugfix --set task="totals are rounded down"
    """
    invocation = invocation_of(context)
    project = open_project(invocation.directory, wiring.files())
    request = RunRequest(
        project=project.root,
        pipeline=project.find_pipeline(pipeline),
        repository=_existing(invocation.path(repo)) if repo is not None else None,
        settings=parse_settings(settings or []),
        mode=mode,
        record_all=record_all,
        seed=seed,
        jobs=jobs,
        sandbox=sandbox,
        execute_tools=tools == "execute",
        cassette=cassette,
        branch=branch,
        use_cache=cache,
        note=note,
        redact=redact,
    )
    if record_all and mode != "record":
        message = "`--all` is for recording"
        raise UsageError(message, code="ACI-U311", hint="add `--mode record`")
    if plan:
        return _show_plan(request, invocation, json=json)
    with Progress(invocation) as listener:
        report = use_case.execute(request, listener)
    return show_outcome(report, invocation, json=json)


def _existing(folder: Path) -> Path:
    # git itself would go up to the repository around a folder that is not there.
    if not wiring.files().exists(folder):
        message = f"there is no folder `{folder.as_posix()}`"
        raise UsageError(message, code="ACI-U314", hint="name a repository with `--repo`")
    return folder


def _show_plan(request: RunRequest, invocation: Invocation, *, json: bool) -> int:
    from agentci.app.plan import execute  # only here: a run plans as it goes

    result = execute(request)
    if json:
        invocation.print(to_json(result))
        return 0
    rows = [(step.action, step.lane, step.kind, step.detail) for step in result.steps]
    invocation.print(table(("action", "lane", "kind", "detail"), rows))
    invocation.print(f"\nplan digest   {result.digest}\nmode          {result.mode.value}\n")
    return 0
