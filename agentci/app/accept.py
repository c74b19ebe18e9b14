"""Accept a run: write what it was made of, and what came out, to `agentci.lock`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentci.app import wiring
from agentci.app.run_folder import find_run
from agentci.core.errors import StepFailed, UsageError
from agentci.spec.lock import LOCK_FILE, PipelineLock, differences, dump_lock, load_lock

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class AcceptResult:
    """What changed in the lock file."""

    run_id: str
    pipeline: str
    changed: tuple[str, ...]
    """Names of the fields that differ from the run accepted before; all for a first one."""
    old_digest: str | None
    new_digest: str


def execute(project: Path, name: str | None) -> AcceptResult:
    """Write the entry of a run that passed and is reproducible.

    Raises:
        NothingMatched: when there is no such run.
        StepFailed: when the run did not pass.
        UsageError: when the run cannot be replayed.
    """
    files = wiring.files()
    run = find_run(project, files, name)
    report = run.read("run")
    if report is None or report["verdict"] != "passed":
        raise StepFailed(
            f"run `{run.run_id}` did not pass, so there is nothing to accept",
            code="ACI-S160",
            hint=f"agentci show {run.run_id}",
        )
    if not report["reproducible"]:
        raise UsageError(
            f"run `{run.run_id}` cannot be replayed: it was live, or left recordings unplayed",
            code="ACI-U150",
            hint=f"agentci run {report['pipeline']} --mode record",
        )
    fields: Any = report["lock_entry"]
    entry = PipelineLock(**fields)
    pipeline = str(report["pipeline"])
    lock = load_lock(project / LOCK_FILE, files)
    old = lock.pipelines.get(pipeline)
    files.write_atomic(project / LOCK_FILE, dump_lock(lock.with_pipeline(pipeline, entry)))
    return AcceptResult(
        run_id=run.run_id,
        pipeline=pipeline,
        changed=differences(old, entry) if old else tuple(fields),
        old_digest=old.run_digest if old else None,
        new_digest=entry.run_digest,
    )
