"""Which recordings still fit the pipelines, by lane: found by a replay that touches nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from agentci.app import wiring
from agentci.app.eval_cassettes import flat_name
from agentci.app.offline_replay import replay_offline
from agentci.app.project import open_project
from agentci.core.errors import UsageError
from agentci.core.lane import Lane
from agentci.record.lane_path import lane_path
from agentci.record.session import is_below

if TYPE_CHECKING:
    from agentci.app.offline_replay import OfflineReplay
    from agentci.app.project import Project
    from agentci.core.errors import CassetteMiss
    from agentci.record.interaction import Address
    from agentci.steps.results import StepRecord

LaneState: TypeAlias = Literal["fresh", "stale", "new", "unplayed", "unreached", "orphaned"]
"""`fresh`: all of it is still asked for, and nothing else. `stale`: something is asked that is not
recorded. `new`: nothing is recorded yet. `unplayed`: some of it is not asked for any more.
`unreached`: a step before it could not be replayed. `orphaned`: the plan has no such lane."""

DEFAULT_LIMIT: Final = 1_000_000
"""Bytes; a conversation of 200 turns takes less than 0.8 MB."""


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """Which pipelines to look at."""

    start: Path
    pipelines: tuple[str, ...] = ()
    """Names or folders; empty for all."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Inputs, for a single pipeline."""
    limit: int = DEFAULT_LIMIT
    """Bytes above which the file of a lane is oversized."""


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """How the recordings of one lane are."""

    lane: Lane
    state: LaneState
    reason: str
    """For a person; empty where the lane is fresh."""
    causes: tuple[str, ...]
    """Of a stale lane: the classes of change."""
    changes: tuple[str, ...]
    """Of a stale lane: what differs, `place: words`."""
    recordings: int
    unplayed: int
    file: str
    bytes: int
    oversized: bool

    @property
    def fresh(self) -> bool:
        """Whether nothing is to be done about the lane."""
        return self.state == "fresh" and not self.oversized


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """How the recordings of one pipeline are."""

    pipeline: str
    cassettes: str
    lanes: tuple[LaneStatus, ...]
    """In plan order, those that are gone last."""
    problem: str | None
    """What else ended the replay."""
    hint: str | None
    """What to do about it."""

    @property
    def fresh(self) -> bool:
        """Whether a replay would find everything, and use it."""
        return self.problem is None and all(lane.fresh for lane in self.lanes)


@dataclass(frozen=True, slots=True)
class StatusResult:
    """All pipelines that were looked at."""

    fresh: bool
    counts: Mapping[str, int]
    """Lanes by state, and how many are oversized."""
    pipelines: tuple[PipelineStatus, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A pipeline's status, and the replay that it was found with."""

    status: PipelineStatus
    replay: OfflineReplay


def execute(request: StatusRequest) -> StatusResult:
    """Say how the recordings are.

    Raises:
        NothingMatched: when there is no such pipeline, or none at all.
        SpecError: when a definition is wrong.
        UsageError: when the inputs are wrong.
    """
    project = open_project(request.start, wiring.files())
    judged = judge(request, project)
    statuses = tuple(each.status for each in judged)
    notes = () if request.pipelines else tuple(_others(project, judged))
    return StatusResult(all(s.fresh for s in statuses), _counts(statuses), statuses, notes)


def judge(request: StatusRequest, project: Project) -> tuple[Judged, ...]:
    """Replay each pipeline and judge its lanes. Raises what `execute` raises."""
    folders = project.find_pipelines(request.pipelines)
    if request.settings and len(folders) > 1:
        raise UsageError(
            "`--set` gives the inputs of one pipeline",
            code="ACI-U180",
            hint="name the pipeline",
        )
    replays = (replay_offline(project.root, each, request.settings) for each in folders)
    return tuple(Judged(_status(replay, request.limit), replay) for replay in replays)


def _status(replay: OfflineReplay, limit: int) -> PipelineStatus:
    misses: dict[Lane, list[CassetteMiss]] = {}
    for miss in replay.misses:
        misses.setdefault(Lane(miss.lane), []).append(miss)
    unplayed: dict[Lane, list[Address]] = {}
    for address in replay.unplayed:
        unplayed.setdefault(address.lane, []).append(address)
    lanes = sorted({*replay.recorded, *misses}, key=replay.planned.order)
    problem = replay.problem
    stopped = _first_failure(replay) if not misses and problem is None else None
    if stopped is not None:
        message: str | None = f"the step `{stopped.lane}` ended with `{stopped.outcome}`"
    else:
        message = problem.message if problem is not None else None
    return PipelineStatus(
        pipeline=replay.undertaking.pipeline_name,
        cassettes=replay.undertaking.cassettes.as_posix(),
        lanes=tuple(
            _lane_status(
                lane, replay, misses.get(lane, []), limit=limit, left=len(unplayed.get(lane, ()))
            )
            for lane in lanes
        ),
        problem=message,
        hint=problem.hint if problem is not None else None,
    )


def _lane_status(
    lane: Lane, replay: OfflineReplay, misses: list[CassetteMiss], *, limit: int, left: int
) -> LaneStatus:
    count = replay.recorded.get(lane, 0)
    path = replay.undertaking.cassettes / lane_path(lane)
    size = len(wiring.files().read(path)) if count else 0
    causes = tuple(dict.fromkeys(cause for miss in misses for cause in miss.causes))
    state = _state(lane, replay, misses=bool(misses), count=count, left=left)
    return LaneStatus(
        lane=lane,
        state=state,
        reason=_reason(state, causes=causes, left=left),
        causes=causes,
        changes=tuple(change for miss in misses for change in miss.changes),
        recordings=count,
        unplayed=left,
        file=path.as_posix(),
        bytes=size,
        oversized=size > limit,
    )


def _state(lane: Lane, replay: OfflineReplay, *, misses: bool, count: int, left: int) -> LaneState:
    if misses:
        return "stale" if count else "new"
    if not replay.planned.has(lane):
        return "orphaned"
    if not left:
        return "fresh"
    return "unplayed" if _had_its_turn(lane, replay) else "unreached"


def _had_its_turn(lane: Lane, replay: OfflineReplay) -> bool:
    """Say whether the replay came past `lane`, and would have asked in it if it still did."""
    around = [step for step in replay.finished if is_below(lane, step)]
    nearest = max(around, key=len, default=None)
    return nearest is not None and replay.finished[nearest].passed


def _reason(state: LaneState, *, causes: tuple[str, ...], left: int) -> str:
    if state == "stale":
        return "; ".join(causes)
    if state == "unplayed":
        what = "a recording is" if left == 1 else f"{left} recordings are"
        return f"{what} not asked for any more"
    if state == "unreached":
        return "a step before it could not be replayed"
    if state == "orphaned":
        return "no step of the pipeline has this lane"
    return "nothing is recorded yet" if state == "new" else ""


def _first_failure(replay: OfflineReplay) -> StepRecord | None:
    """Return the step that ended the replay, innermost, in plan order."""
    failed = [lane for lane, record in replay.finished.items() if not record.passed]
    leaves = [each for each in failed if not any(is_below(o, each) for o in failed if o != each)]
    first = min(leaves, key=replay.planned.order, default=None)
    return None if first is None else replay.finished[first]


def _counts(statuses: tuple[PipelineStatus, ...]) -> Mapping[str, int]:
    lanes = [lane for status in statuses for lane in status.lanes]
    states = [lane.state for lane in lanes]
    counts: dict[str, int] = {state: states.count(state) for state in _STATES}
    return {**counts, "oversized": sum(lane.oversized for lane in lanes)}


_STATES: Final[tuple[LaneState, ...]] = (
    "fresh", "stale", "new", "unplayed", "unreached", "orphaned",
)  # fmt: skip


def _others(project: Project, judged: tuple[Judged, ...]) -> Iterator[str]:
    """Say which recordings belong to no run that can be replayed without being told how."""
    top = project.root / project.config.cassettes
    seen = {Path(each.status.cassettes).name for each in judged}
    names = {each.replay.undertaking.bundle.spec.name for each in judged}
    suites = [os.path.relpath(folder, project.root) for folder in project.suite_folders()]
    inside = (path.relative_to(top).parts for path in project.files.list(top))
    for name in sorted({parts[0] for parts in inside if len(parts) > 1} - seen):
        if any(name == flat_name(suite) for suite in suites):
            continue  # what fits there, `agentci eval --mode replay` says
        if name.partition("@")[0] in names:
            yield f"`{name}` was recorded with other inputs: `agentci cassette status --set ...`"
        else:
            yield f"`{name}` is of no pipeline here; `agentci replay` says whether it still fits"
