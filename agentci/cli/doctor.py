"""`agentci doctor`: what is there, what is not, and what to do about it."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Final

import typer

from agentci.app import doctor as use_case
from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.render.errors import printable
from agentci.cli.render.json import to_json
from agentci.cli.render.style import color_wanted, paint

if TYPE_CHECKING:
    from agentci.cli.render.style import Style

_ENVIRONMENT: Final = 6
_MARKS: Final[dict[use_case.Status, tuple[str, Style]]] = {
    "ok": ("ok", "green"),
    "info": ("--", "dim"),
    "warning": ("warning", "yellow"),
    "problem": ("problem", "red"),
}


def doctor(
    context: typer.Context,
    online: Annotated[
        bool, typer.Option("--online", help="Call the configured endpoints, without a key.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Say what is installed, which sandboxes work and which endpoints are configured.

    Names of environment variables are shown, never their values. Exit code 6 means that runs
    cannot work here.

    Example: agentci doctor --online
    """
    invocation = invocation_of(context)
    request = use_case.DoctorRequest(start=invocation.directory, online=online)
    result = use_case.execute(request)
    if json:
        invocation.print(to_json({"healthy": result.healthy, "findings": result.findings}))
    else:
        invocation.print(_text(result, color=color_wanted(sys.stdout)))
    return 0 if result.healthy else _ENVIRONMENT


def _text(result: use_case.DoctorResult, *, color: bool) -> str:
    lines: list[str] = []
    width = max(len(finding.name) for finding in result.findings)
    for section, findings in groupby(result.findings, key=lambda finding: finding.section):
        lines.append(paint(section, "bold", color=color))
        for finding in findings:
            word, style = _MARKS[finding.status]
            mark = paint(f"{word:<7}", style, color=color)
            lines.append(f"  {mark}  {finding.name:<{width}}  {printable(finding.detail)}")
            if finding.hint is not None:
                lines.append(f"  {'':<7}  {'':<{width}}  hint: {printable(finding.hint)}")
    return "\n".join(lines) + "\n"
