"""`agentci why`: why a step ran, was replayed, or came from the cache; or a case of a suite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from agentci.app import why as use_case
from agentci.app import wiring
from agentci.app.project import open_project
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.json import to_json
from agentci.core.errors import NothingMatched

if TYPE_CHECKING:
    from agentci.app.project import Project
    from agentci.cli.invocation import Invocation


def why(
    context: typer.Context,
    run: Annotated[
        str, typer.Argument(help="Id of a run, part of it, or `last`; or name of a suite.")
    ],
    step: Annotated[
        str,
        typer.Argument(help="Lane of the step, or its id where that is unique; or id of a case."),
    ],
    json: JsonOption = False,
) -> int:
    """Say why a step ran, was replayed or came from the cache, and which field of its key changed.

    Of a case of a suite: which field of its key changed since it was last evaluated.

    Example: agentci why last 'fix[1]/code'
    """
    invocation = invocation_of(context)
    project = open_project(invocation.directory, wiring.files())
    if _names_a_suite(run, project):
        return _why_case(invocation, run, step, json=json)
    result = use_case.execute(project.root, run, step)
    if json:
        invocation.print(to_json(result))
        return 0
    invocation.print(f"{result.lane} ({result.kind}): {result.source}, {result.outcome}")
    invocation.print(f"because {result.reason}")
    if result.compared_with is None:
        invocation.note("note: there is no earlier run to compare with")
        return 0
    invocation.print(f"compared with run {result.compared_with}:")
    for change in result.changes:
        invocation.print(f"  {change}")
    if not result.changes:
        invocation.print("  nothing that its key covers changed")
    return 0


def _names_a_suite(name: str, project: Project) -> bool:
    """Say whether `name` is a suite and no run."""
    from agentci.app.suites import find_suites  # not for runs

    if name == "last" or not project.suite_folders():
        return False
    try:
        return bool(find_suites(project, (name,)))
    except NothingMatched:
        return False


def _why_case(invocation: Invocation, suite: str, case: str, *, json: bool) -> int:
    from agentci.app.eval_why import explain_case

    result = explain_case(invocation.directory, suite, case)
    if json:
        invocation.print(to_json(result))
        return 0
    state = "its result is known" if result.known else "it has to be evaluated"
    invocation.print(f"{result.suite} {result.case}: {state}")
    if not result.known and not result.judged_before:
        invocation.print("because it was never judged here")
    for change in result.changes:
        invocation.print(f"  {change}")
    return 0
