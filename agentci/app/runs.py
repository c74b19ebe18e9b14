"""List the runs of a project, the newest first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.run_folder import all_runs
from agentci.app.run_report import RunSummary
from agentci.core.errors import AgentciError
from agentci.engine.journal_events import read_history
from agentci.record.journal import read_journal

if TYPE_CHECKING:
    from agentci.app.run_folder import RunFolder


def execute(project: Path, *, limit: int | None = None) -> tuple[RunSummary, ...]:
    """Return the runs, at most `limit` of them."""
    return tuple(_summary(run) for run in all_runs(project, wiring.files())[:limit])


def _summary(run: RunFolder) -> RunSummary:
    try:
        report = run.read("run")
    except AgentciError as error:
        return _unfinished(run, error.message)
    if report is None:
        return _unfinished(run, _why_stopped(run))
    matches = report["matches_lock"]
    return RunSummary(
        run_id=run.run_id,
        pipeline=str(report["pipeline"]),
        verdict=str(report["verdict"]),
        mode=str(report["mode"]),
        run_digest=str(report["run_digest"]),
        matches_lock=matches if isinstance(matches, bool) else None,
        message="",
    )


def _unfinished(run: RunFolder, message: str) -> RunSummary:
    try:
        request = run.read("request") or {}
    except AgentciError:
        request = {}
    return RunSummary(
        run_id=run.run_id,
        pipeline=_shown(run, str(request.get("pipeline", ""))),
        verdict="unfinished",
        mode=str(request.get("mode") or ""),
        run_digest="",
        matches_lock=None,
        message=message.partition("\n")[0],
    )


def _shown(run: RunFolder, pipeline: str) -> str:
    project = run.path.parent.parent.parent
    path = Path(pipeline)
    return path.relative_to(project).as_posix() if path.is_relative_to(project) else pipeline


def _why_stopped(run: RunFolder) -> str:
    if not run.files.exists(run.journal):
        return "it never started"
    try:
        history = read_history(read_journal(run.files, run.journal).events)
    except AgentciError as error:
        return error.message
    return str(history.ended["message"]) if history.ended else "it was killed, or still runs"
