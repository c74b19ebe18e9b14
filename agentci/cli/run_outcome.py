"""Shows how a run ended and turns it into an exit code, for `run` and `resume` alike."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.run_report import report_json
from agentci.cli.render.errors import as_text, error_json
from agentci.cli.render.json import to_json
from agentci.cli.render.run_text import report_markdown, report_text
from agentci.cli.render.style import color_wanted
from agentci.cli.render.text import count
from agentci.core.digest import Digest
from agentci.core.errors import (
    AgentciError,
    Diverged,
    Location,
    SafetyRefusal,
    StepFailed,
    UnplayedRecordings,
)
from agentci.record.session import Mode

if TYPE_CHECKING:
    from agentci.app.run_request import RunReport
    from agentci.cli.invocation import Invocation
    from agentci.core.json_types import JsonObject

_SHOWN_UNPLAYED = 5


def show_outcome(report: RunReport, invocation: Invocation, *, json: bool) -> int:
    """Print a report and return the exit code of the run."""
    error = why_not_green(report)
    content = report_json(report)
    if json:
        invocation.print(to_json({**content, "error": error_json(error) if error else None}))
    else:
        invocation.print(report_text(content, color=color_wanted(sys.stdout)))
    for note in report.notes:
        invocation.note(f"note: {note}")
    if report.lock.matches is False and error is None:
        invocation.note(f"hint: `agentci accept {report.run_id}` makes this run the accepted one")
    _summarize(content)
    if error is None:
        return 0
    sys.stdout.flush()
    sys.stderr.write(as_text(error, color=color_wanted(sys.stderr)))
    return error.exit_code


def why_not_green(report: RunReport) -> AgentciError | None:
    """Return why the run may not count as passed, or None where it may."""
    if report.verdict == "failed":
        return _step_failed(report)
    if report.verdict == "waiting":
        message = "the run waits for a person"
        hint = f"agentci approve {_token(report)}, then agentci resume {report.run_id}"
        return SafetyRefusal(message, code="ACI-P321", hint=hint, location=_place(report))
    if report.mode is not Mode.REPLAY:
        return None
    if report.unplayed:
        shown = ", ".join(f"`{each}`" for each in report.unplayed[:_SHOWN_UNPLAYED])
        message = f"the replay left {count(len(report.unplayed), 'recording')} unused: {shown}"
        hint = f"agentci run {report.pipeline} --mode record"
        return UnplayedRecordings(message, hint=hint)
    if report.lock.matches is False:
        message = f"the run digest is not the one in `agentci.lock`; {report.lock.note}"
        hint = f"look at the run, then `agentci accept {report.run_id}`"
        return Diverged(message, code="ACI-R321", hint=hint)
    return None


def _step_failed(report: RunReport) -> StepFailed:
    stopped = report.stopped
    if stopped is None:
        return StepFailed("the run failed", code="ACI-S321")
    message = f"the step `{stopped.step}` ended with `{stopped.outcome}`"
    if stopped.message:
        message = f"{message}: {stopped.message}"
    own = stopped.notes.get("hint")
    hint = own if isinstance(own, str) else f"agentci show {report.run_id}"
    return StepFailed(message, code="ACI-S321", hint=hint, location=_place(report))


def _token(report: RunReport) -> str:
    from agentci.app.approve import token_of  # only a run that waits needs it

    binding = report.stopped.notes.get("binding") if report.stopped is not None else None
    return token_of(Digest(binding)) if isinstance(binding, str) else "TOKEN"


def _place(report: RunReport) -> Location | None:
    return None if report.stopped is None else Location(lane=report.stopped.lane)


def _summarize(content: JsonObject) -> None:
    """Append the report to the summary page of a GitHub Actions job, where there is one."""
    target = wiring.env().get("GITHUB_STEP_SUMMARY")
    if wiring.env().get("GITHUB_ACTIONS") != "true" or not target:
        return
    file = wiring.files().open_append(Path(target))
    try:
        file.append(report_markdown(content).encode())
    finally:
        file.close()
