"""`agentci replay`: runs a program with recorded answers, offline."""

from __future__ import annotations

import typer

from agentci.app import proxied as use_case
from agentci.cli.invocation import invocation_of
from agentci.cli.record import (
    CassetteOption,
    CommandArgument,
    FolderOption,
    LaneOption,
    show_report,
)
from agentci.record.session import Mode


def replay(
    context: typer.Context,
    command: CommandArgument,
    *,
    cassette: CassetteOption = None,
    lane: LaneOption = use_case.DEFAULT_LANE,
    cwd: FolderOption = None,
) -> int:
    """Run a program and give its model clients the recorded answers.

    Nothing goes out. Exit code: the program's; 4 when it asked for something that is not recorded
    or left recordings unused, even where the program itself did not mind.

    Example: agentci replay --cassette review -- claude -p "review the last commit"
    """
    invocation = invocation_of(context)
    report = use_case.execute(
        use_case.ProgramRequest(
            argv=tuple(command),
            start=invocation.directory,
            mode=Mode.REPLAY,
            folder=invocation.path(cwd) if cwd is not None else None,
            cassette=cassette,
            lane=lane,
        )
    )
    return show_report(report, invocation)
