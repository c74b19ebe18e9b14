"""`agentci record --changed`: says what it may cost, asks, and records again what changed."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import typer

from agentci.app import record_changed as use_case
from agentci.app.run_report import report_json
from agentci.cli.invocation import Invocation
from agentci.cli.progress import Progress
from agentci.cli.render.errors import as_text, error_json
from agentci.cli.render.json import plain, to_json
from agentci.cli.render.style import color_wanted
from agentci.cli.render.text import count, table
from agentci.cli.run_outcome import why_not_green
from agentci.core.errors import Interrupted


@dataclass(frozen=True, slots=True)
class Manner:
    """How to go about it."""

    yes: bool
    json: bool


def record_changed(request: use_case.ChangedRequest, manner: Manner, invocation: Invocation) -> int:
    """Record what changed; return the exit code of the first pipeline that is not green."""
    changes = use_case.find_changes(request)
    _say_before(changes, invocation)
    asks = bool(changes.estimate.lanes)
    if asks and not manner.yes and sys.stdin.isatty():
        confirm("record them now?")
    with Progress(invocation) as listener:
        report = use_case.execute(changes, listener)
    errors = [(run, why_not_green(run)) for run in report.runs]
    code = next((error.exit_code for _, error in errors if error is not None), 0)
    spent = _spent(report, changes.estimate.currency)
    if manner.json:
        runs = [
            {**report_json(run), "error": error_json(error) if error else None}
            for run, error in errors
        ]
        content = {**plain(report), "runs": runs, "estimate": plain(changes.estimate)}
        invocation.print(to_json(content))
    else:
        for run, _ in errors:
            invocation.print(f"{run.verdict:<8} {run.pipeline}  {run.run_digest}\n")
        invocation.print(spent)
    for run, error in errors:
        if error is not None:
            sys.stdout.flush()
            sys.stderr.write(as_text(error, color=color_wanted(sys.stderr)))
        elif run.lock.matches is False:
            invocation.note(f"hint: `agentci accept {run.run_id}` makes this run the accepted one")
    return code


def confirm(question: str) -> None:
    """Ask a person. Raises `Interrupted` for a no."""
    if not typer.confirm(question, err=True):
        raise Interrupted("not confirmed; nobody was asked and nothing is recorded")


def _say_before(changes: use_case.Changes, invocation: Invocation) -> None:
    estimate = changes.estimate
    if not changes.todo:
        invocation.note("everything is fresh; there is nothing to record")
        return
    if not estimate.lanes:
        invocation.note("nothing is asked again; what nobody asks for any more is removed")
        return
    rows = [
        (
            lane.state,
            lane.pipeline,
            lane.lane,
            str(lane.calls) if lane.known else "?",
            str(lane.input_tokens) if lane.known else "?",
            str(lane.output_tokens) if lane.known else "?",
            "?" if lane.cost is None else f"{lane.cost:.4f}",
            lane.reason,
        )
        for lane in estimate.lanes
    ]
    headers = ("state", "pipeline", "lane", "calls", "input", "output", "price", "why")
    invocation.note(table(headers, rows).rstrip("\n"))
    invocation.note(f"estimate: {_totals(estimate.stale, estimate)}, going by the last recording")
    if estimate.unreached.lanes:
        more = _totals(estimate.unreached, estimate)
        invocation.note(f"  up to {more} more, if what comes before them turns out otherwise")
    unknown = sum(not lane.known for lane in estimate.lanes)
    if unknown:
        noun = count(unknown, "lane")
        invocation.note(f"  {noun} without a recording to go by; `--max-tokens` sets a limit")
    if estimate.unpriced:
        models = ", ".join(f"`{model}`" for model in estimate.unpriced)
        invocation.note(f"  no price is declared for {models}; see `price` in the definition")


def _totals(totals: use_case.Totals, estimate: use_case.Estimate) -> str:
    tokens = f"{totals.input_tokens} input and {totals.output_tokens} output tokens"
    shown = f"{count(totals.calls, 'call')}, {tokens}"
    return f"{shown}, {totals.cost:.4f} {estimate.currency}" if estimate.currency else shown


def _spent(report: use_case.ChangedReport, currency: str) -> str:
    tokens = f"{report.input_tokens} input and {report.output_tokens} output tokens"
    price = f", {report.cost:.4f} {currency}" if currency else ""
    return f"{count(report.calls, 'live call')}, {tokens}{price}\n"
