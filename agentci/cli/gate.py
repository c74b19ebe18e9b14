"""`agentci gate`: judges a change against its merge base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

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
from agentci.cli.suite_options import JobsOption, SandboxOption, SuitesArgument
from agentci.core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.app.gate import GateRequest, GateResult


def gate(
    context: typer.Context,
    suites: SuitesArgument = None,
    *,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Compare with the merge base of HEAD and REF. Default: from CI or git.",
            show_default=False,
        ),
    ] = None,
    mode: Annotated[
        Literal["replay", "auto", "record", "live"],
        typer.Option(help="Of head; `live` draws answers anew at both sides."),
    ] = "replay",
    policy: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Instead of the suites' own.", show_default=False),
    ] = None,
    results: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Head as `agentci eval --out FILE` left it; repeat for each shard.",
            show_default=False,
        ),
    ] = None,
    base_results: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="The base as such a file; with it, no repository is looked at.",
            show_default=False,
        ),
    ] = None,
    jobs: JobsOption = None,
    sandbox: SandboxOption = None,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    junit: JunitOption = None,
    sarif: SarifOption = None,
    github: GithubOption = False,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Keep the decision for `agentci report`.", show_default=False
        ),
    ] = None,
    everything: AllOption = False,
    json: JsonOption = False,
) -> int:
    """Judge this change: does it break cases that worked at the merge base?

    Replays the suites as they are now and as they were at the base, offline, and compares them
    case by case. Exit code 0 lets the merge pass, 1 is a regression, 4 means that something could
    not be judged because its recordings do not fit.

    Example: agentci gate --base main
    """
    from agentci.app.gate import GateRequest, judge
    from agentci.app.report import answers_digest, write_files
    from agentci.cli.gate_progress import GateProgress
    from agentci.report.transcripts import Report

    invocation = invocation_of(context)
    files = report_files(
        invocation, html=html, markdown=markdown, junit=junit, sarif=sarif, out=out
    )
    request = GateRequest(
        start=invocation.directory,
        suites=tuple(suites or ()),
        base=base,
        mode=mode,
        policy=None if policy is None else invocation.path(policy),
        results=tuple(invocation.path(each) for each in results or ()),
        jobs=jobs,
        sandbox=sandbox,
    )
    if base_results:
        result = _judge_files(request, tuple(invocation.path(each) for each in base_results))
    else:
        with GateProgress(invocation) as listener:
            result = judge(request, listener)
    report = Report(result.decision)
    if (html is not None or out is not None) and not base_results:
        from agentci.app.report_transcripts import transcripts_of

        report = Report(result.decision, transcripts_of(result, invocation.directory))
    write_files(report, files)
    show_decision(
        result.decision,
        invocation,
        files=files,
        shown=Shown(json=json, everything=everything, github=github),
        base_source=result.base_source,
        run_digest=answers_digest(result.head) if github else None,
    )
    return result.decision.exit_code


def _judge_files(request: GateRequest, base: tuple[Path, ...]) -> GateResult:
    from agentci.app.gate_files import FilesRequest, judge_files

    if not request.results or request.suites or request.base:
        raise UsageError(
            "`--base-results` compares files, and needs those of head and nothing else",
            code="ACI-U488",
            hint="agentci gate --results HEAD.json --base-results BASE.json",
        )
    return judge_files(FilesRequest(request.results, base, request.policy))
