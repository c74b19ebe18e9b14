"""`agentci approve`: lists what waits for a person, and takes the person's answer."""

from __future__ import annotations

from typing import Annotated

import typer

from agentci.app import approve as use_case
from agentci.app import wiring
from agentci.app.project import open_project
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.cli.render.text import table


def approve(
    context: typer.Context,
    token: Annotated[
        str | None, typer.Argument(help="Token of the approval; without it: what waits.")
    ] = None,
    *,
    deny: Annotated[bool, typer.Option("--deny", help="Say no; the run ends there.")] = False,
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who decides.", show_default="$USER")
    ] = None,
    json: JsonOption = False,
) -> int:
    """Answer a run that waits for a person; without a token, list what waits.

    An answer is bound to the plan, the inputs and the files as they were shown. An edit of any of
    them voids it.

    Example: agentci approve 3f2a9c81d0e4b756
    """
    invocation = invocation_of(context)
    project = open_project(invocation.directory, wiring.files())
    if token is None:
        waiting = use_case.waiting(project.root)
        if json:
            invocation.print(to_json({"waiting": waiting}))
        elif waiting:
            rows = [(each.token, each.run_id, each.lane, each.question) for each in waiting]
            invocation.print(table(("token", "run", "lane", "question"), rows))
        else:
            invocation.note("nothing waits for a person")
        return 0
    env = wiring.env()
    who = by or env.get("USER") or env.get("LOGNAME") or "unknown"
    approval = use_case.execute(project.root, token, approved=not deny, by=who)
    if json:
        invocation.print(to_json({"approved": not deny, "by": who, "approval": approval}))
    else:
        word = "denied" if deny else "approved"
        invocation.print(f"{word}: {approval.lane} of run {approval.run_id}")
    invocation.note(f"next: `agentci resume {approval.run_id}`")
    return 0
