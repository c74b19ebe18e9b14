"""Resume a run: what is finished stays finished, what was under way goes on, nothing runs twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from agentci.app import wiring
from agentci.app.execution import carry_out
from agentci.app.run import prepare
from agentci.app.run_folder import all_runs, find_run
from agentci.app.run_report import save_report
from agentci.app.run_request import RunReport, read_request
from agentci.app.run_services import open_repository
from agentci.core.errors import Diverged, NothingMatched, UsageError
from agentci.core.lane import Lane
from agentci.engine.executor import inputs_digest
from agentci.engine.journal_events import RunHistory, read_history
from agentci.record.journal import Journal, read_journal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agentci.app.run_folder import RunFolder
    from agentci.app.undertaking import Undertaking
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonValue
    from agentci.engine.listener import RunListener


_SHOWN = {
    "definition": "the definition",
    "inputs": "the inputs",
    "seed": "the seed",
    "base": "the files to work on",
}


def execute(
    project: Path, name: str | None, listener: RunListener, *, resend: tuple[str, ...] = ()
) -> RunReport:
    """Go on with a run that was interrupted, killed, failed, or waits for an approval.

    `resend` names external steps that were sent without a known result and may be sent again.

    Raises:
        NothingMatched: when there is no such run, or it passed.
        Diverged: when the definition or the inputs changed since; nothing has run.
        AgentciError: what ended the run again.
    """
    undertaking = reopen(project, name, listener, resend=resend)
    report = carry_out(undertaking)
    save_report(undertaking.folder, report)
    return report


def reopen(
    project: Path, name: str | None, listener: RunListener, *, resend: tuple[str, ...] = ()
) -> Undertaking:
    """Read a stopped run again, with its history, and make sure that it is still the same run."""
    files = wiring.files()
    folder = find_run(project, files, name) if name else _newest_stopped(project, files)
    content = folder.read("request")
    if content is None or not files.exists(folder.journal):
        raise NothingMatched(
            f"run `{folder.run_id}` never started", code="ACI-N112", hint="agentci runs"
        )
    report = folder.read("run")
    if report is not None and report["verdict"] == "passed":
        raise NothingMatched(
            f"run `{folder.run_id}` has passed; there is nothing to resume",
            code="ACI-N113",
            hint=f"agentci show {folder.run_id}",
        )
    if resend:
        _allow_resend(folder, resend)
    history = read_history(read_journal(files, folder.journal).events)
    undertaking = prepare(read_request(content, project), listener)
    undertaking = replace(undertaking, folder=folder, history=history)
    _same_run(undertaking, history, folder)
    return undertaking


def _newest_stopped(project: Path, files: Files) -> RunFolder:
    """Return the newest run that has not passed."""
    for folder in all_runs(project, files):
        report = folder.read("run")
        if report is None or report["verdict"] != "passed":
            return folder
    raise NothingMatched(
        "every run has passed; there is nothing to resume", code="ACI-N113", hint="agentci runs"
    )


def _allow_resend(folder: RunFolder, lanes: tuple[str, ...]) -> None:
    journal = Journal.open(folder.files, folder.journal)
    try:
        known = read_history(journal.content.events).dispatched
        for lane in lanes:
            if Lane(lane) not in known:
                raise UsageError(
                    f"`{lane}` is not an external step that was sent without a known result",
                    code="ACI-U142",
                    hint=f"agentci show {folder.run_id}",
                )
            journal.write({"type": "step.resend", "lane": lane}, sync=True)
    finally:
        journal.close()


def _same_run(undertaking: Undertaking, history: RunHistory, folder: RunFolder) -> None:
    """Name what changed since the run started, before anything is executed."""
    if not history.started:
        return
    then = cast("Mapping[str, JsonValue]", history.started["identity"])
    now: Mapping[str, JsonValue] = {
        "definition": undertaking.bundle.digest,
        "inputs": inputs_digest(undertaking.inputs),
        "seed": undertaking.seed,
        "base": open_repository(undertaking).base_commit,
    }
    changed = [_SHOWN[name] for name, value in now.items() if then[name] != value]
    if changed:
        shown = " and ".join(changed)
        raise Diverged(
            f"{shown} changed since run `{folder.run_id}` started",
            code="ACI-R112",
            hint="undo the change, or start a new run; recorded answers that still fit are used",
        )
