"""Say why a step of a run ran, was replayed or cached, and which part of its key changed."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.run_folder import all_runs, find_run
from agentci.core.digest import Digest
from agentci.core.errors import NothingMatched
from agentci.core.lane import Lane
from agentci.engine.journal_events import read_history
from agentci.plan.explain import FieldChange, explain
from agentci.plan.keys import StepKey
from agentci.record.journal import read_journal

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.app.run_folder import RunFolder
    from agentci.engine.journal_events import RunHistory


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a step did what it did."""

    run_id: str
    lane: str
    kind: str
    source: str
    outcome: str
    reason: str
    """One sentence."""
    compared_with: str | None
    """Id of the earlier run that had the same step."""
    changes: tuple[FieldChange, ...]
    """Parts of the cache key that differ from that run."""


_REASONS = {
    "cached": "nothing that its key covers changed, so its result came from the cache",
    "replayed": "every answer that it asked for is recorded, so it was replayed",
    "recorded": "it asked for answers that were not recorded yet",
    "resumed": "an earlier part of this run had finished it",
    "skipped": "its condition `when` was false",
    "executed": "it is work of this machine, and no result for its key was in the cache",
}


def execute(project: Path, run_name: str | None, step: str) -> Explanation:
    """Explain `step`, given as its lane or, where that is unique, its id.

    Raises:
        NothingMatched: when there is no such run or step.
    """
    files = wiring.files()
    run = find_run(project, files, run_name)
    history = _history(run)
    lane = _find_lane(history, step, run.run_id)
    record = history.steps[lane].record
    fields = history.keys.get(lane, {})
    earlier = _earlier(project, run, lane)
    changes: tuple[FieldChange, ...] = ()
    if earlier is not None and fields:
        old = StepKey(Digest(""), _history(earlier).keys.get(lane, {}))
        changes = explain(old, StepKey(Digest(""), fields))
    return Explanation(
        run_id=run.run_id,
        lane=lane,
        kind=record.kind,
        source=record.source,
        outcome=record.outcome,
        reason=_REASONS[record.source],
        compared_with=earlier.run_id if earlier is not None else None,
        changes=changes,
    )


def _history(run: RunFolder) -> RunHistory:
    return read_history(read_journal(run.files, run.journal).events)


def _find_lane(history: RunHistory, step: str, run_id: str) -> Lane:
    if Lane(step) in history.steps:
        return Lane(step)
    found = [lane for lane, each in history.steps.items() if each.record.step == step]
    if len(found) == 1:
        return found[0]
    lanes = sorted(history.steps)
    near = found or get_close_matches(step, lanes, n=3) or lanes[:5]
    raise NothingMatched(
        f"run `{run_id}` has {'several steps' if found else 'no step'} `{step}`",
        code="ACI-N130",
        hint="give one of these lanes: " + ", ".join(f"`{lane}`" for lane in near),
    )


def _earlier(project: Path, run: RunFolder, lane: Lane) -> RunFolder | None:
    """Return the newest run before `run` in which `lane` started with a key."""
    for other in all_runs(project, run.files):
        if other.run_id >= run.run_id or not run.files.exists(other.journal):
            continue
        if _history(other).keys.get(lane):
            return other
    return None
