"""`agentci report`: shows a decision that `agentci gate --out` has kept."""

from __future__ import annotations

from typing import Annotated

import typer

from agentci.cli.invocation import JsonOption, invocation_of
from agentci.cli.report_options import (
    AllOption,
    GithubOption,
    HtmlOption,
    JunitOption,
    MarkdownOption,
    SarifOption,
    Shown,
    report_files,
    show_decision,
)


def report(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="As `agentci gate --out FILE` left it.")
    ],
    *,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    junit: JunitOption = None,
    sarif: SarifOption = None,
    github: GithubOption = False,
    everything: AllOption = False,
    json: JsonOption = False,
) -> int:
    """Show a decision that the gate has kept, in any format.

    Nothing is evaluated and nothing is judged anew, so the exit code is 0 whatever was decided.

    Example: agentci report decision.json --html report.html
    """
    from agentci.app.report import kept_report, write_files

    invocation = invocation_of(context)
    files = report_files(invocation, html=html, markdown=markdown, junit=junit, sarif=sarif)
    kept = kept_report(invocation.path(file))
    write_files(kept, files)
    shown = Shown(json=json, everything=everything, github=github)
    show_decision(kept.decision, invocation, files=files, shown=shown)
    return 0
