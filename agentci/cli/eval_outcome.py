"""Shows what an evaluation found and turns it into an exit code, for one run and merged shards."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from agentci.app import wiring
from agentci.cli.render.errors import as_text, error_json
from agentci.cli.render.json import plain, to_json
from agentci.cli.render.style import color_wanted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agentci.app.eval_outcome import SuiteSummary
    from agentci.app.eval_results_file import ResultsFile
    from agentci.cli.invocation import Invocation
    from agentci.core.json_types import JsonObject

OutOption: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Also write all results to FILE.", show_default=False),
]
"""Where results go for other programs."""


def show_evaluation(
    content: ResultsFile,
    invocation: Invocation,
    *,
    json: bool,
    everything: bool,
    out: str | None,
    junit: str | None,
) -> int:
    """Print results, write what is asked for, and return the exit code."""
    from agentci.app.eval_outcome import day, summarize, why_not_green
    from agentci.app.eval_results_file import results_json, write_results
    from agentci.cli.render.eval_text import suite_text

    if out is not None:
        write_results(wiring.files(), invocation.path(out), content)
    today = day(wiring.clock().now())
    summaries = [summarize(each, today=today) for each in content.suites]
    if junit is not None:
        _write_junit(invocation.path(junit), content, summaries)
    error = why_not_green(summaries)
    if _is_empty_shard(content) and out is not None:
        invocation.note(f"note: no case belongs to the shard {content.shard}")
        error = None  # whoever merges the files judges
    color = color_wanted(sys.stdout)
    if json:
        shown = {**results_json(content), "summary": [_summary_json(each) for each in summaries]}
        invocation.print(to_json({**shown, "error": error_json(error) if error else None}))
    else:
        for summary, each in zip(summaries, content.suites, strict=True):
            changes = each.changes
            text = suite_text(summary, color=color, everything=everything, changes=changes)
            invocation.print(text)
    for note in dict.fromkeys(note for each in content.suites for note in each.notes):
        invocation.note(f"note: {note}")
    if error is None:
        return 0
    sys.stdout.flush()
    sys.stderr.write(as_text(error, color=color_wanted(sys.stderr)))
    return error.exit_code


def _write_junit(path: Path, content: ResultsFile, summaries: Sequence[SuiteSummary]) -> None:
    from agentci.report.junit import results_junit

    held = {each.suite: [case.case for case in each.quarantined] for each in summaries}
    text = results_junit([each.result for each in content.suites], quarantined=held)
    wiring.files().write_atomic(path, text.encode())


def _is_empty_shard(content: ResultsFile) -> bool:
    return content.shard is not None and not any(each.result.cases for each in content.suites)


def _summary_json(summary: SuiteSummary) -> JsonObject:
    return {
        "suite": summary.suite,
        "cases": summary.judged + len(summary.not_judged) + len(summary.errors),
        "judged": summary.judged,
        "passed": len(summary.passed),
        "rate": summary.rate,
        "interval": [summary.share.low, summary.share.high],
        "failed": [case.case for case in summary.failed],
        "quarantined": [case.case for case in summary.quarantined],
        "not_judged": [case.case for case in summary.not_judged],
        "errors": [case.case for case in summary.errors],
        "flaky": list(summary.flaky),
        "repeats": plain(summary.repeats),
        "metrics": plain(summary.metrics),
    }
