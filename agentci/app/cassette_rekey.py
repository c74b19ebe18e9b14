"""Gives recordings the keys of today, where a masking rule or the version of keys has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from agentci.app import wiring
from agentci.app.cassette import CassetteRequest, open_lanes
from agentci.app.definitions import checked_bundle
from agentci.app.project import open_project
from agentci.core.errors import StorageError
from agentci.core.lane import Lane
from agentci.plan.lane_patterns import PlannedLanes
from agentci.plan.planner import nodes_of_any_run
from agentci.record.keys import rename_call_ids
from agentci.record.mask_file import shipped_masks
from agentci.record.masking_rules import ClientRequest, find_masks, mask_body
from agentci.record.object_store import ObjectStore
from agentci.record.rekey import MaskedRequest, RekeyedLane, new_keys, rekey, rekeyed_text
from agentci.record.surroundings import HOME, WORKSPACE, Spelling, Surroundings, slug

if TYPE_CHECKING:
    from agentci.app.cassette import OpenedLane
    from agentci.app.project import Project
    from agentci.core.json_types import JsonObject
    from agentci.record.interaction import Interaction
    from agentci.record.mask_file import MaskFile

_AS_SHOWN: Final = Surroundings(
    (
        Spelling("home", HOME, HOME),
        Spelling("cwd", WORKSPACE, WORKSPACE),
        Spelling("home_slug", slug(HOME), slug(HOME)),
        Spelling("cwd_slug", slug(WORKSPACE), slug(WORKSPACE)),
    )
)
"""What a stored request has in the place of folders."""


@dataclass(frozen=True, slots=True)
class RekeyRequest:
    """Which recordings to give new keys."""

    start: Path
    cassette: str | None = None
    """Folder below `cassettes/`; None for all."""
    check: bool = False
    """Change nothing."""


@dataclass(frozen=True, slots=True)
class RekeyedFile:
    """A lane whose file changes."""

    cassette: str
    lane: Lane
    file: str
    changed: int
    """Recordings that get another key."""
    recordings: int
    reasons: Mapping[str, int]
    """Why, and for how many of them."""


@dataclass(frozen=True, slots=True)
class RekeyResult:
    """What changed, or would."""

    changed: int
    recordings: int
    files: tuple[RekeyedFile, ...]
    by_hand: tuple[str, ...]
    """Recordings whose request is not the one that was recorded; they keep their keys."""
    checked_only: bool


@dataclass(frozen=True, slots=True)
class _Planned:
    opened: OpenedLane
    lane: RekeyedLane
    text: bytes


def execute(request: RekeyRequest) -> RekeyResult:
    """Compute all keys again and write the files that change. Asks nobody.

    Raises:
        NothingMatched: when there are no such recordings.
        UsageError: when two requests of one lane would get the same key; nothing is written then.
        FormatError: when a recording cannot be read; nothing is written then.
        StorageError: when a file cannot be written.
    """
    project = open_project(request.start, wiring.files())
    rules = _Rules(project)
    planned: list[_Planned] = []
    by_folder: dict[Path, list[tuple[OpenedLane, RekeyedLane]]] = {}
    for opened in open_lanes(CassetteRequest(request.start, request.cassette)):
        cassette = opened.folder.load(opened.lane)
        mask = partial(_masked, rules=rules.of(opened.cassette, opened.lane))
        by_folder.setdefault(opened.folder.folder, []).append((opened, rekey(cassette, mask)))
    for place, pairs in by_folder.items():
        keys = new_keys([lane for _, lane in pairs])
        objects = ObjectStore(wiring.files(), place, in_memory=request.check)
        for opened, lane in pairs:
            text = rekeyed_text(lane, keys, objects.put)
            if text != lane.cassette.data:
                planned.append(_Planned(opened, lane, text))
    if not request.check:
        for each in planned:
            each.opened.folder.update(each.opened.lane, _replacing(each))
    lanes = [lane for pairs in by_folder.values() for _, lane in pairs]
    return RekeyResult(
        changed=sum(len(each.lane.changed) for each in planned),
        recordings=sum(len(lane.recordings) for lane in lanes),
        files=tuple(_file(each) for each in planned),
        by_hand=tuple(f"{a.lane} {a.key}#{a.occurrence}" for lane in lanes for a in lane.by_hand),
        checked_only=request.check,
    )


def _replacing(planned: _Planned) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        if data != planned.lane.cassette.data and data.replace(b"\r\n", b"\n") != (
            planned.lane.cassette.data
        ):
            raise StorageError(
                f"`{planned.lane.cassette.name}` was written to by somebody else",
                code="ACI-E185",
                hint="wait until nobody records, then `agentci cassette rekey` again",
            )
        return planned.text

    return change


def _file(planned: _Planned) -> RekeyedFile:
    reasons: dict[str, int] = {}
    for each in planned.lane.changed:
        for reason in each.reasons:
            reasons[reason] = reasons.get(reason, 0) + 1
    return RekeyedFile(
        cassette=planned.opened.cassette,
        lane=planned.opened.lane,
        file=planned.opened.folder.path(planned.opened.lane).as_posix(),
        changed=len(planned.lane.changed),
        recordings=len(planned.lane.recordings),
        reasons=dict(sorted(reasons.items())),
    )


class _Rules:
    """The patterns under `mask` of the steps that a lane belongs to, by cassette and lane."""

    def __init__(self, project: Project) -> None:
        self._planned: dict[str, PlannedLanes] = {}
        for folder in project.pipeline_folders():
            bundle = checked_bundle(folder, project.files, root=project.root)
            self._planned[bundle.spec.name] = PlannedLanes(nodes_of_any_run(bundle))

    def of(self, cassette: str, lane: Lane) -> tuple[str, ...]:
        planned = self._planned.get(cassette.partition("@")[0])
        step = planned.step_of(lane) if planned is not None else None
        return tuple(getattr(step, "mask", ()))


def _masked(interaction: Interaction, *, rules: tuple[str, ...]) -> MaskedRequest:
    """Mask a stored request with the rules of today; only the proxy's are masked at all."""
    request = dict(interaction.request)
    body = request.get("body")
    if "client" not in interaction.provenance or not isinstance(body, Mapping | list | tuple):
        return MaskedRequest(request)
    masked = mask_body(body, _masks(interaction), _AS_SHOWN, rules=rules)
    if not masked.counts and masked.body == body:
        return MaskedRequest(request)
    new = masked.body
    if interaction.kind == "model" and isinstance(new, Mapping):
        new = rename_call_ids(new)
    return MaskedRequest({**request, "body": new}, masked.counts)


def _masks(interaction: Interaction) -> tuple[MaskFile, ...]:
    """Return the masks that a request had when it was recorded, else those it has a sign of."""
    noted = interaction.notes.get("masked")
    names = {name.partition("/")[0] for name in noted} if isinstance(noted, Mapping) else set()
    found = tuple(mask for mask in shipped_masks() if mask.name in names)
    if found:
        return found
    request: JsonObject = interaction.request
    path = str(request.get("path") or urlsplit(str(request.get("url", ""))).path)
    text = json.dumps(request["body"], ensure_ascii=False, separators=(",", ":"), default=dict)
    sender = ClientRequest(str(interaction.provenance["client"]), path, text)
    return find_masks(sender, shipped_masks())
