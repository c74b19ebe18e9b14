"""Run a pipeline: read and check it, bind its inputs, carry it out, keep its report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.definitions import checked_bundle
from agentci.app.execution import carry_out
from agentci.app.lock_entries import accepted_run
from agentci.app.run_folder import new_run
from agentci.app.run_report import save_report
from agentci.app.run_request import RunReport, RunRequest, request_json, resolve_mode
from agentci.app.state_folder import state_folder
from agentci.app.undertaking import Undertaking
from agentci.engine.journal_events import RunHistory
from agentci.plan.inputs import bind_inputs, parse_input
from agentci.record.session import Mode
from agentci.spec.config import load_config

if TYPE_CHECKING:
    from agentci.engine.listener import RunListener


def execute(request: RunRequest, listener: RunListener) -> RunReport:
    """Carry out a new run.

    Raises:
        SpecError: when the definition is wrong; nothing has run.
        UsageError: when the inputs or options are wrong; nothing has run.
        AgentciError: what ended the run.
    """
    undertaking = prepare(request, listener)
    state_folder(request.project, wiring.files())
    undertaking.folder.write("request", request_json(request))
    report = carry_out(undertaking)
    save_report(undertaking.folder, report)
    return report


def prepare(request: RunRequest, listener: RunListener) -> Undertaking:
    """Read and check everything that a run needs, before anything is executed."""
    files = wiring.files()
    config = load_config(request.project, files)
    bundle = checked_bundle(request.pipeline, files, root=request.project)
    mode = resolve_mode(request.mode, config.defaults.mode, wiring.env())
    given = {name: parse_input(bundle.spec, name, text) for name, text in request.settings.items()}
    undertaking = Undertaking(
        request=request,
        mode=mode,
        bundle=bundle,
        inputs={},
        config=config,
        folder=new_run(request.project, files, clock=wiring.clock(), random=wiring.random()),
        history=RunHistory(),
        listener=listener,
    )
    accepted = accepted_run(undertaking, files) if mode is Mode.REPLAY else None
    if accepted is not None and not given:
        given = dict(accepted.inputs)
    undertaking = replace(undertaking, inputs=bind_inputs(bundle.spec, given))
    if accepted is not None and accepted.inputs == undertaking.inputs:
        # what was recorded belongs to the files of that commit, wherever HEAD is by now
        undertaking = replace(undertaking, base=accepted.base)
    return undertaking
