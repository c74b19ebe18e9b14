"""A replay that leaves nothing behind, to find out which recordings still fit."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.execution import open_run, record_command, run_to_end
from agentci.app.run import prepare
from agentci.app.run_folder import RunFolder
from agentci.app.run_request import RunRequest
from agentci.core.errors import AgentciError, CassetteMiss, Interrupted
from agentci.engine.listener import SilentListener
from agentci.plan.lane_patterns import PlannedLanes
from agentci.plan.planner import build_plan

if TYPE_CHECKING:
    from agentci.app.undertaking import Undertaking
    from agentci.core.lane import Lane
    from agentci.record.interaction import Address
    from agentci.steps.results import StepRecord


@dataclass(frozen=True, slots=True)
class OfflineReplay:
    """What a replay of a pipeline found."""

    undertaking: Undertaking
    """As for a replay: with the inputs and the base of the accepted run, where there is one."""
    planned: PlannedLanes
    recorded: Mapping[Lane, int]
    """Lanes with recordings, and how many each has."""
    unplayed: tuple[Address, ...]
    misses: tuple[CassetteMiss, ...]
    finished: Mapping[Lane, StepRecord]
    problem: AgentciError | None
    """What else ended the run."""
    record_command: str
    """Records the same run."""


def replay_offline(
    project: Path, pipeline: Path, settings: Mapping[str, str] | None = None
) -> OfflineReplay:
    """Replay `pipeline` with the network closed and without the cache, in a scratch folder.

    Raises:
        SpecError: when the definition is wrong.
        UsageError: when the inputs are wrong.
        Interrupted: when the user stopped it.
    """
    request = RunRequest(
        project=project,
        pipeline=pipeline,
        settings=settings or {},
        mode="replay",
        use_cache=False,
    )
    listener = _Collector()
    with wiring.scratch() as scratch, ExitStack() as stack:
        undertaking = prepare(request, listener)
        folder = RunFolder(scratch / undertaking.folder.run_id, wiring.files())
        run = open_run(replace(undertaking, folder=folder), stack)
        session = run.setup.services.session
        misses: tuple[CassetteMiss, ...] = ()
        problem: AgentciError | None = None
        try:
            run_to_end(run)
        except CassetteMiss as miss:
            misses = miss.misses
        except Interrupted:
            raise
        except AgentciError as error:
            problem = error
        recorded = {lane: session.recorded_count(lane) for lane in session.recorded_lanes()}
        return OfflineReplay(
            undertaking=undertaking,
            planned=PlannedLanes(build_plan(undertaking.bundle, undertaking.inputs).nodes),
            recorded=recorded,
            unplayed=session.unplayed(),
            misses=misses,
            finished=listener.finished,
            problem=problem,
            record_command=record_command(undertaking),
        )


@dataclass(slots=True)
class _Collector(SilentListener):
    """Keeps the record of every step that ended."""

    finished: dict[Lane, StepRecord] = field(default_factory=dict)

    def step_finished(self, record: StepRecord) -> None:
        self.finished[record.lane] = record
