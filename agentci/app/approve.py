"""Decide an approval: bound to exactly what the run showed, void after any edit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from agentci.app import wiring
from agentci.app.resume import reopen
from agentci.app.run_folder import all_runs, find_run
from agentci.core.digest import Digest, hex_of
from agentci.core.errors import Diverged, NothingMatched, SafetyRefusal
from agentci.core.lane import Lane
from agentci.engine.journal_events import read_history
from agentci.engine.listener import SilentListener
from agentci.record.interaction import Interaction
from agentci.record.journal import Journal, read_journal
from agentci.record.keys import interaction_key
from agentci.record.redact import OnSecret
from agentci.record.session import Mode, RecordingSession

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.app.run_folder import RunFolder
    from agentci.app.undertaking import Undertaking
    from agentci.core.json_types import JsonObject

TOKEN_LENGTH = 16
"""Hexadecimal digits of the binding digest that a person types."""


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that a run waits for."""

    run_id: str
    lane: str
    question: str
    token: str


def token_of(binding: Digest) -> str:
    """Return the token of a binding digest."""
    return hex_of(binding)[:TOKEN_LENGTH]


def waiting(project: Path) -> tuple[Approval, ...]:
    """Return the approvals that runs of the project wait for, the newest first."""
    files = wiring.files()
    found: list[Approval] = []
    for run in all_runs(project, files):
        if not files.exists(run.journal):
            continue
        history = read_history(read_journal(files, run.journal).events)
        found.extend(
            Approval(run.run_id, str(event["lane"]), _question(event), token_of(binding))
            for binding, event in history.requested.items()
            if binding not in history.decisions
        )
    return tuple(found)


def execute(project: Path, token: str, *, approved: bool, by: str) -> Approval:
    """Record a decision for the approval with `token`, after checking that nothing changed.

    Raises:
        NothingMatched: when no run waits for such an approval.
        SafetyRefusal: when something that it binds to was edited; the approval is void.
    """
    approval = next(
        (each for each in waiting(project) if len(token) >= 8 and each.token.startswith(token)),
        None,
    )
    if approval is None:
        raise NothingMatched(
            f"no run waits for an approval with the token `{token}`",
            code="ACI-N120",
            hint="list them with `agentci approve`",
        )
    run = find_run(project, wiring.files(), approval.run_id)
    undertaking = _unchanged(project, run)
    binding, event = next(
        (binding, event)
        for binding, event in undertaking.history.requested.items()
        if token_of(binding) == approval.token
    )
    request = cast("JsonObject", event["request"])
    decision: JsonObject = {"approved": approved, "by": by}
    journal = Journal.open(run.files, run.journal)
    try:
        journal.write({"type": "approval.decided", "binding": binding, **decision}, sync=True)
    finally:
        journal.close()
    _record(undertaking, Lane(approval.lane), request, decision)
    return approval


def _unchanged(project: Path, run: RunFolder) -> Undertaking:
    try:
        return reopen(project, run.run_id, SilentListener())
    except Diverged as error:
        raise SafetyRefusal(
            f"the approval is void: {error.message}",
            code="ACI-P110",
            hint=f"look at the change, then start a new run; run `{run.run_id}` cannot go on",
        ) from error


def _record(
    undertaking: Undertaking, lane: Lane, request: JsonObject, decision: JsonObject
) -> None:
    """Keep the decision in the cassette, so that a replay needs no person."""
    if undertaking.mode in {Mode.LIVE, Mode.REPLAY}:
        return
    session = RecordingSession(
        wiring.files(),
        undertaking.cassettes,
        mode=undertaking.mode,
        on_secret=OnSecret.of(redact=undertaking.request.redact),
    )
    address = session.reserve(lane, interaction_key(request))
    if session.lookup(address) is None:
        session.append(Interaction(address, "approval", request, decision))
    session.close()


def _question(event: JsonObject) -> str:
    request = cast("JsonObject", event["request"])
    return str(request["approve"])
