"""Show the plan of a run: every step, and what a run would do with it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from agentci.app import wiring
from agentci.app.run import prepare
from agentci.app.run_services import Sandboxes, build_services, open_cache, open_repository
from agentci.engine.executor import RunSetup
from agentci.engine.listener import SilentListener
from agentci.engine.preview import preview
from agentci.plan.planner import build_plan
from agentci.record.journal import Journal
from agentci.record.session import Mode, RecordingSession
from agentci.steps.registry import CONTAINERS

if TYPE_CHECKING:
    from agentci.app.run_request import RunRequest
    from agentci.app.undertaking import Undertaking
    from agentci.core.digest import Digest
    from agentci.core.lane import Lane
    from agentci.engine.preview import Action as Known
    from agentci.plan.planner import PlanNode

Action: TypeAlias = Literal["execute", "replay", "record", "miss", "cached", "skip", "wait", "-"]


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """A step and what a run would do with it."""

    lane: str
    """With `[*]` for repeats that only a run can know."""
    kind: str
    action: Action
    detail: str


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The plan of a run."""

    digest: Digest
    """Covers the definition, everything that it refers to, and the inputs."""
    mode: Mode
    steps: tuple[PlannedAction, ...]


def execute(request: RunRequest) -> PlanResult:
    """Return the plan; nothing is executed and nothing is kept.

    Raises:
        SpecError: when the definition is wrong.
        UsageError: when the inputs do not fit.
    """
    undertaking = prepare(request, SilentListener())
    plan = build_plan(undertaking.bundle, undertaking.inputs)
    session = RecordingSession(wiring.files(), undertaking.cassettes, mode=Mode.REPLAY)
    recorded = session.recorded_lanes()
    known = _preview(undertaking)
    steps = tuple(_planned(node, known, recorded, undertaking.mode) for node in plan.walk())
    return PlanResult(plan.digest, undertaking.mode, steps)


def _preview(undertaking: Undertaking) -> Mapping[Lane, Known]:
    effects = wiring.effects()
    folder = undertaking.folder
    try:
        with ExitStack() as stack:
            journal = Journal.create(effects.files, folder.journal, {"run": folder.run_id})
            stack.callback(journal.close)
            session = RecordingSession(effects.files, undertaking.cassettes, mode=Mode.REPLAY)
            stack.callback(session.close)
            services = build_services(
                undertaking,
                effects=effects,
                session=session,
                repository=open_repository(undertaking),
                journal=journal,
                sandboxes=Sandboxes(None),
            )
            setup = RunSetup(
                bundle=undertaking.bundle,
                inputs=undertaking.inputs,
                services=services,
                journal=journal,
                history=undertaking.history,
                cache=open_cache(undertaking, stack),
                listener=undertaking.listener,
                jobs=1,
            )
            return asyncio.run(preview(setup))
    finally:
        effects.files.remove(folder.path)


def _planned(
    node: PlanNode, known: Mapping[Lane, Known], recorded: tuple[Lane, ...], mode: Mode
) -> PlannedAction:
    lane, kind = node.lane_pattern, node.kind
    if kind in CONTAINERS:
        return PlannedAction(lane, kind, "-", _container_detail(node))
    pattern = _matching(lane)
    seen = {known[each] for each in known if pattern.fullmatch(each)}
    if seen == {"cached"}:
        return PlannedAction(lane, kind, "cached", "nothing that its key covers changed")
    if seen == {"skipped"}:
        return PlannedAction(lane, kind, "skip", "`when` is false")
    below = re.compile(f"{pattern.pattern}([/#~].*)?", re.DOTALL)
    count = sum(1 for each in recorded if below.fullmatch(each))
    return _guess(node, count, mode)


def _guess(node: PlanNode, lanes: int, mode: Mode) -> PlannedAction:
    """Say what a step does that is not known to be cached; `lanes` of it are recorded."""
    lane, kind = node.lane_pattern, node.kind
    outside = kind in {"agent", "approve"} or getattr(node.step, "side_effects", "") == "external"
    if not outside:
        return PlannedAction(lane, kind, "execute", "work of this machine")
    if mode is Mode.LIVE:
        return PlannedAction(lane, kind, "execute", "asks a live endpoint")
    if lanes:
        return PlannedAction(lane, kind, "replay", f"recorded in {lanes} lane{'s'[: lanes != 1]}")
    if mode is Mode.REPLAY:
        return PlannedAction(lane, kind, "miss", "nothing is recorded for it")
    if kind == "approve":
        return PlannedAction(lane, kind, "wait", "a person decides")
    return PlannedAction(lane, kind, "record", "nothing is recorded for it")


def _container_detail(node: PlanNode) -> str:
    if node.items is not None:
        return ", ".join(node.items)
    return f"{len(node.children)} steps inside"


def _matching(lane_pattern: str) -> re.Pattern[str]:
    """Return a pattern for the lanes of a plan node, whose repeats stand as `[*]`."""
    pieces = [re.escape(piece) for piece in lane_pattern.split("[*]")]
    return re.compile(r"\[[^/]*\]".join(pieces), re.DOTALL)
