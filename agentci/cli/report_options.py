"""The options of every command that shows a decision, and what they do."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from agentci.app.report import ReportFiles
    from agentci.cli.invocation import Invocation
    from agentci.core.digest import Digest
    from agentci.gate.decision import Decision

HtmlOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--html", metavar="FILE", help="Write a page to look at.", show_default=False),
]
MarkdownOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--markdown", metavar="FILE", help="Write a comment for a pull request.", show_default=False
    ),
]
JunitOption: TypeAlias = Annotated[
    str | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.", show_default=False)
]
SarifOption: TypeAlias = Annotated[
    str | None, typer.Option("--sarif", metavar="FILE", help="Write SARIF.", show_default=False)
]
GithubOption: TypeAlias = Annotated[
    bool,
    typer.Option("--github", help="Print annotations; write summary and outputs of the step."),
]
AllOption: TypeAlias = Annotated[
    bool, typer.Option("--all/--changes-only", help="List cases that did not change, too.")
]


@dataclass(frozen=True, slots=True)
class Shown:
    """How a decision is printed."""

    json: bool
    everything: bool
    github: bool


def report_files(
    invocation: Invocation,
    *,
    html: str | None,
    markdown: str | None,
    junit: str | None,
    sarif: str | None,
    out: str | None = None,
) -> ReportFiles:
    """Return where each format goes. Raises `UsageError` when a file is named twice."""
    from agentci.app.report import ReportFiles, check_files

    named = {"html": html, "markdown": markdown, "junit": junit, "sarif": sarif, "out": out}
    places = {name: invocation.path(each) for name, each in named.items() if each is not None}
    wanted = ReportFiles(**places)
    check_files(wanted)
    return wanted


def show_decision(
    decision: Decision,
    invocation: Invocation,
    *,
    files: ReportFiles,
    shown: Shown,
    base_source: str | None = None,
    run_digest: Digest | None = None,
) -> None:
    """Print a decision, and tell GitHub where that is asked for."""
    from agentci.cli.render.decision_text import decision_text
    from agentci.cli.render.json import to_json
    from agentci.cli.render.style import color_wanted
    from agentci.report.decision_json import decision_json

    if shown.json:
        extra = {} if base_source is None else {"base_from": base_source}
        invocation.print(to_json({**decision_json(decision), **extra}))
    else:
        color = color_wanted(sys.stdout)
        invocation.print(decision_text(decision, color=color, everything=shown.everything))
    if shown.github:
        from agentci.app.report import tell_github

        report = files.given[0] if files.given else None
        text = tell_github(decision, report=report, run_digest=run_digest)
        # GitHub reads both streams; JSON must stay alone in its own
        (sys.stderr if shown.json else sys.stdout).write(text)
