"""Show one run: its steps, lanes, outputs and digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.run_folder import find_run
from agentci.core.errors import NothingMatched
from agentci.engine.journal_events import read_history
from agentci.record.journal import read_journal

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.core.json_types import JsonObject


def execute(project: Path, name: str | None) -> JsonObject:
    """Return the report of a run; of an unfinished one, what its journal has.

    Raises:
        NothingMatched: when there is no such run.
    """
    run = find_run(project, wiring.files(), name)
    report = run.read("run")
    if report is not None:
        return report
    if not run.files.exists(run.journal):
        raise NothingMatched(
            f"run `{run.run_id}` never started", code="ACI-N112", hint="agentci runs"
        )
    history = read_history(read_journal(run.files, run.journal).events)
    steps = [each.record for each in history.steps.values()]
    return {
        "run_id": run.run_id,
        "verdict": "unfinished",
        "message": str(history.ended["message"]) if history.ended else "",
        "steps": [
            {**record.canonical(), "passed": record.passed, "source": record.source, "steps": []}
            for record in steps
        ],
    }
