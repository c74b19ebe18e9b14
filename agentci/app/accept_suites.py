"""Accept the results of suites: write them to `agentci.lock`, where the gate finds its baseline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.eval_request import EvalRequest
from agentci.app.evaluate import evaluate
from agentci.app.project import open_project
from agentci.app.suite_lock_entries import suite_entry
from agentci.record.session import Mode
from agentci.spec.lock import LOCK_FILE, dump_lock, load_lock
from agentci.spec.suite_lock import SuiteLock, suite_differences

if TYPE_CHECKING:
    from agentci.app.eval_request import EvalListener


@dataclass(frozen=True, slots=True)
class AcceptedSuite:
    """What changed in the entry of one suite."""

    suite: str
    passed: int
    cases: int
    first: bool
    """Whether there was no entry before."""
    changed: tuple[str, ...]
    """Parts of the suite that differ from what was accepted before, and `results`."""
    broken: tuple[str, ...]
    """Cases that passed when they were last accepted, and do not pass now."""
    fixed: tuple[str, ...]
    new: tuple[str, ...]
    removed: tuple[str, ...]


def accept_suites(
    start: Path,
    suites: tuple[str, ...],
    listener: EvalListener,
    *,
    sandbox: str | None = None,
) -> tuple[AcceptedSuite, ...]:
    """Replay suites and write their results to the lock.

    Args:
        start: where the call was made.
        suites: names or folders; empty for all.
        listener: watches what has to be replayed.
        sandbox: where all commands run, instead of what the definitions say.

    Raises:
        UsageError: when a case was not judged; nothing is written.
        SafetyRefusal: when the lock was changed by hand.
        AgentciError: what else ends an evaluation.
    """
    files = wiring.files()
    project = open_project(start, files)
    path = project.root / LOCK_FILE
    lock = load_lock(path, files)
    request = EvalRequest(start=start, suites=suites, mode=Mode.REPLAY.value, sandbox=sandbox)
    results = evaluate(request, listener)
    accepted = []
    for result in results:
        entry = suite_entry(result)
        accepted.append(_compared(result.suite, lock.suites.get(result.suite), entry))
        lock = lock.with_suite(result.suite, entry)
    files.write_atomic(path, dump_lock(lock))
    return tuple(accepted)


def _compared(suite: str, old: SuiteLock | None, new: SuiteLock) -> AcceptedSuite:
    before = _passing(old) if old is not None else {}
    after = _passing(new)
    both = sorted(before.keys() & after.keys())
    return AcceptedSuite(
        suite=suite,
        passed=new.passed,
        cases=len(new.cases),
        first=old is None,
        changed=suite_differences(old, new) if old is not None else (),
        broken=tuple(case for case in both if before[case] and not after[case]),
        fixed=tuple(case for case in both if after[case] and not before[case]),
        new=tuple(sorted(after.keys() - before.keys())) if old is not None else (),
        removed=tuple(sorted(before.keys() - after.keys())),
    )


def _passing(entry: SuiteLock) -> dict[str, bool]:
    return {case: all(row.passed for row in rows) for case, rows in entry.cases.items()}
