"""`agentci record`: runs a program and records what its clients are answered."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from agentci.app import proxied as use_case
from agentci.cli.invocation import Invocation, invocation_of
from agentci.record.session import Mode

CommandArgument: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="-- COMMAND...", help="The program and its arguments.")
]
CassetteOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Folder below `cassettes/`; default: the program's name.",
        show_default=False,
    ),
]
LaneOption: TypeAlias = Annotated[str, typer.Option(metavar="NAME", help="Lane of its calls.")]
FolderOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--cwd", metavar="FOLDER", help="Where it works.", show_default=False),
]


def record(
    context: typer.Context,
    command: CommandArgument,
    *,
    cassette: CassetteOption = None,
    lane: LaneOption = use_case.DEFAULT_LANE,
    cwd: FolderOption = None,
    everything: Annotated[bool, typer.Option("--all", help="Ask for every answer again.")] = False,
    note: Annotated[
        str, typer.Option(metavar="TEXT", help="Goes into the header of new cassettes.")
    ] = "",
) -> int:
    """Run a program and record every answer that its model clients get.

    It finds the proxy in OPENAI_BASE_URL, ANTHROPIC_BASE_URL, GOOGLE_GEMINI_BASE_URL and
    AGENTCI_PROXY_URL. What is recorded already is replayed. Exit code: the program's.

    Example: agentci record --cassette review -- claude -p "review the last commit"
    """
    invocation = invocation_of(context)
    report = use_case.execute(
        use_case.ProgramRequest(
            argv=tuple(command),
            start=invocation.directory,
            mode=Mode.RECORD,
            folder=invocation.path(cwd) if cwd is not None else None,
            cassette=cassette,
            lane=lane,
            record_all=everything,
            note=note,
        )
    )
    return show_report(report, invocation)


def show_report(report: use_case.ProgramReport, invocation: Invocation) -> int:
    """Say on standard error how many requests were answered; return the exit code."""
    noun = "request" if report.answered == 1 else "requests"
    invocation.note(f"agentci: {report.answered} {noun} answered, from `{report.cassettes}`")
    return report.exit_code
