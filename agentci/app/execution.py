"""Carrying out a run, new or resumed: executes it, seals the recordings, compares, reports."""

from __future__ import annotations

import asyncio
import shlex
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.lock_entries import compare, lock_entry
from agentci.app.run_notes import run_notes
from agentci.app.run_request import LockComparison, RunReport
from agentci.app.run_services import Sandboxes, build_services, open_cache, open_repository
from agentci.core.errors import AgentciError, Interrupted, StorageError
from agentci.engine.executor import RunSetup, execute
from agentci.engine.journal_events import read_history
from agentci.record.journal import Journal
from agentci.record.redact import OnSecret
from agentci.record.session import Mode, RecordingSession

if TYPE_CHECKING:
    from agentci.app.undertaking import Undertaking
    from agentci.core.effects import Effects
    from agentci.core.json_types import JsonObject
    from agentci.engine.executor import RunResult

DEFAULT_JOBS = 8


def carry_out(undertaking: Undertaking) -> RunReport:
    """Execute a run to its end and report it.

    Raises:
        AgentciError: what ended the run before it had a result. What was recorded is kept.
        Interrupted: when the user stopped it.
    """
    with ExitStack() as stack:
        run = open_run(undertaking, stack)
        result = run_to_end(run)
        report = _report(run, result)
        run.setup.journal.write(
            {"type": "run.finished", "verdict": report.verdict, "run_digest": report.run_digest},
            sync=True,
        )
        return report


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run whose journal, recordings, repository and cache are open."""

    undertaking: Undertaking
    """With the history that its journal has."""
    setup: RunSetup
    sandboxes: Sandboxes


def open_run(undertaking: Undertaking, stack: ExitStack) -> OpenRun:
    """Open what a run needs; `stack` closes it."""
    effects = wiring.effects()
    journal = _open_journal(undertaking, effects)
    stack.callback(journal.close)
    # only what is read while nobody else can write is surely all that has happened
    undertaking = replace(undertaking, history=read_history(journal.content.events))
    session = RecordingSession(
        effects.files,
        undertaking.cassettes,
        mode=undertaking.mode,
        record_all=undertaking.request.record_all,
        note=undertaking.request.note,
        rerecord=record_command(undertaking),
        on_secret=OnSecret.of(redact=undertaking.request.redact),
    )
    stack.callback(session.close)
    sandboxes = Sandboxes(undertaking.config.defaults.image)
    services = build_services(
        undertaking,
        effects=effects,
        session=session,
        repository=open_repository(undertaking),
        journal=journal,
        sandboxes=sandboxes,
    )
    setup = RunSetup(
        bundle=undertaking.bundle,
        inputs=undertaking.inputs,
        services=services,
        journal=journal,
        history=undertaking.history,
        cache=open_cache(undertaking, stack),
        listener=undertaking.listener,
        jobs=undertaking.request.jobs or undertaking.config.defaults.jobs or DEFAULT_JOBS,
    )
    return OpenRun(undertaking, setup, sandboxes)


def _open_journal(undertaking: Undertaking, effects: Effects) -> Journal:
    path = undertaking.folder.journal
    if effects.files.exists(path):
        return Journal.open(effects.files, path)
    return Journal.create(effects.files, path, {"run": undertaking.folder.run_id})


def record_command(undertaking: Undertaking) -> str:
    """Return the command that records this very run, as a hint to type."""
    request = undertaking.request
    words = ["agentci", "run", undertaking.pipeline_name, "--mode", "record"]
    for name, value in request.settings.items():
        words += ["--set", f"{name}={value}"]
    if request.repository is not None:
        words += ["--repo", str(request.repository)]
    if request.seed is not None:
        words += ["--seed", str(request.seed)]
    if request.cassette is not None:
        words += ["--cassette", request.cassette]
    return shlex.join(words)


def run_to_end(run: OpenRun) -> RunResult:
    """Execute an open run. Raises what `carry_out` raises."""
    setup, sandboxes = run.setup, run.sandboxes

    async def main() -> RunResult:
        try:
            return await execute(setup)
        finally:
            await sandboxes.close()
            await setup.services.effects.http.close()

    try:
        with wiring.ending_interrupts():
            return asyncio.run(main())
    except KeyboardInterrupt:
        run_id = setup.services.run_id
        error: AgentciError = Interrupted(
            f"run `{run_id}` was interrupted; everything recorded is kept",
            hint=f"agentci resume {run_id}",
        )
    except AgentciError as caught:
        error = caught
    _stop(setup, error)
    raise error


def _stop(setup: RunSetup, error: AgentciError) -> None:
    """Seal what a run has done before `error` ended it, as far as that can still be written."""
    stopped: JsonObject = {"type": "run.stopped", "code": error.code, "message": error.message}
    with suppress(StorageError):
        setup.services.session.seal(complete=False)
    with suppress(StorageError):
        setup.journal.write(stopped, sync=True)


def _report(run: OpenRun, result: RunResult) -> RunReport:
    undertaking, setup = run.undertaking, run.setup
    services = setup.services
    passed = result.verdict == "passed"
    cassettes = services.session.seal(complete=passed, whole_folder=True)
    entry = lock_entry(undertaking, setup, result, cassettes=cassettes)
    comparison = LockComparison(None, "a live run cannot be compared")
    if undertaking.mode is not Mode.LIVE:
        comparison = compare(undertaking, entry, services.effects.files)
    repository = services.repository
    branch = undertaking.request.branch
    if passed and branch is not None and result.commit is not None:
        repository.publish(result.commit, branch)
    unplayed = services.session.unplayed() if passed else ()
    return RunReport(
        run_id=undertaking.folder.run_id,
        pipeline=undertaking.pipeline_name,
        mode=undertaking.mode,
        verdict=result.verdict,
        run_digest=result.run_digest,
        lock=comparison,
        base=repository.base_commit,
        commit=result.commit,
        tree=result.tree,
        patch=repository.diff(repository.base_tree, result.tree),
        output=result.output,
        records=result.records,
        stopped=result.stopped,
        lock_entry=entry.fields(),
        unplayed=tuple(f"{each.lane} {each.key}#{each.occurrence}" for each in unplayed),
        cassettes=undertaking.cassettes.as_posix(),
        notes=(*repository.notes, *services.session.notes, *run_notes(result.walk())),
    )
