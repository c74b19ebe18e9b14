"""Run a pipeline: read and check it, bind its inputs, carry it out, keep its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.definitions import checked_bundle
from agentci.app.execution import carry_out
from agentci.app.run_folder import new_run
from agentci.app.run_report import save_report
from agentci.app.run_request import RunReport, RunRequest, request_json, resolve_mode
from agentci.app.undertaking import Undertaking
from agentci.engine.journal_events import RunHistory
from agentci.plan.inputs import bind_inputs, parse_input
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
    undertaking.folder.write("request", request_json(request))
    report = carry_out(undertaking)
    save_report(undertaking.folder, report)
    return report


def prepare(request: RunRequest, listener: RunListener) -> Undertaking:
    """Read and check everything that a run needs, before anything is executed."""
    files = wiring.files()
    config = load_config(request.project, files)
    bundle = checked_bundle(request.pipeline, files, root=request.project)
    given = {name: parse_input(bundle.spec, name, text) for name, text in request.settings.items()}
    return Undertaking(
        request=request,
        mode=resolve_mode(request.mode, config.defaults.mode, wiring.env()),
        bundle=bundle,
        inputs=bind_inputs(bundle.spec, given),
        config=config,
        folder=new_run(request.project, files, clock=wiring.clock(), random=wiring.random()),
        history=RunHistory(),
        listener=listener,
    )
