"""Looks into recordings: lists them, shows them, and proves that they are what was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.eval_cassettes import recording_folders
from agentci.app.project import open_project
from agentci.core.digest import Digest
from agentci.core.errors import NothingMatched
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.record.cassette import Cassette
from agentci.record.folder import CassetteFolder
from agentci.record.interaction import Interaction
from agentci.record.object_store import ObjectStore
from agentci.spec.suggestion import did_you_mean

if TYPE_CHECKING:
    from agentci.app.project import Project
    from agentci.core.effects import Files

_REFERENCE: Final = re.compile(rb"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class CassetteRequest:
    """Which recordings to look at."""

    start: Path
    cassette: str | None = None
    """Folder below `cassettes/`; None for all."""
    lane: str | None = None


@dataclass(frozen=True, slots=True)
class LaneSummary:
    """One file of recordings."""

    cassette: str
    lane: Lane
    file: str
    model_calls: int
    tool_calls: int
    approvals: int
    http_calls: int
    """Of any other program, recorded or imported."""
    bytes: int


@dataclass(frozen=True, slots=True)
class ListResult:
    """All lanes, sorted by cassette and lane."""

    lanes: tuple[LaneSummary, ...]


@dataclass(frozen=True, slots=True)
class ShownInteraction:
    """A recording in full."""

    key: Digest
    occurrence: int
    kind: str
    request: JsonObject
    """Complete: what it continues is put in."""
    response: JsonObject
    notes: JsonObject
    provenance: JsonObject


@dataclass(frozen=True, slots=True)
class ShownLane:
    """The recordings of a lane."""

    cassette: str
    lane: Lane
    file: str
    text: str
    """The file as it is: a transcript in which each message stands once."""
    interactions: tuple[ShownInteraction, ...]


@dataclass(frozen=True, slots=True)
class ShowResult:
    """The lanes that were asked for."""

    lanes: tuple[ShownLane, ...]


@dataclass(frozen=True, slots=True)
class OpenedCassette:
    """A folder of recordings."""

    name: str
    folder: CassetteFolder


@dataclass(frozen=True, slots=True)
class OpenedLane:
    """A lane whose recordings can be read."""

    cassette: str
    lane: Lane
    folder: CassetteFolder

    def interactions(self) -> Iterator[Interaction]:
        """Yield the recordings in the order of the file. Raises `FormatError` for a damaged one."""
        return _interactions(self.folder.load(self.lane))


def open_lanes(request: CassetteRequest) -> tuple[OpenedLane, ...]:
    """Return the lanes that `request` asks for, sorted. Raises what `list_lanes` raises."""
    return tuple(
        OpenedLane(opened.name, lane, opened.folder)
        for opened in open_cassettes(request, wiring.files())
        for lane in _lanes(opened, request.lane)
    )


def list_lanes(request: CassetteRequest) -> ListResult:
    """List recordings.

    Raises:
        NothingMatched: when there are none.
        FormatError: for a file that is no cassette.
    """
    files = wiring.files()
    found = (
        _summary(opened, lane, files)
        for opened in open_cassettes(request, files)
        for lane in _lanes(opened, request.lane)
    )
    return ListResult(tuple(found))


def show(request: CassetteRequest) -> ShowResult:
    """Return recordings in full. Raises what `list_lanes` raises."""
    files = wiring.files()
    shown: list[ShownLane] = []
    for opened in open_cassettes(request, files):
        for lane in _lanes(opened, request.lane):
            cassette = opened.folder.load(lane)
            shown.append(
                ShownLane(
                    cassette=opened.name,
                    lane=lane,
                    file=opened.folder.path(lane).as_posix(),
                    text=cassette.data.decode("utf-8", "replace"),
                    interactions=tuple(_shown(each) for each in _interactions(cassette)),
                )
            )
    return ShowResult(tuple(shown))


def open_cassettes(request: CassetteRequest, files: Files) -> tuple[OpenedCassette, ...]:
    """Return the folders that `request` asks for, sorted.

    Raises:
        NothingMatched: when there are none.
    """
    project = open_project(request.start, files)
    top = project.root / project.config.cassettes
    inside = (path.relative_to(top).parts for path in files.list(top))
    names = recording_folders(inside)
    if request.cassette is not None:
        names = _find(request.cassette, names, project)
    if not names:
        message = f"there are no recordings below `{top.as_posix()}`"
        hint = "`agentci run pipelines/<name>` records with an endpoint"
        raise NothingMatched(message, code="ACI-N311", hint=hint)
    return tuple(OpenedCassette(name, _folder(top / name, files)) for name in names)


def _folder(place: Path, files: Files) -> CassetteFolder:
    return CassetteFolder(files, place, ObjectStore(files, place))


def _find(wanted: str, names: tuple[str, ...], project: Project) -> tuple[str, ...]:
    """Return the folder that a user typed; of a suite or a case, those of all its trials."""
    name = wanted.strip("/")
    if (project.start / wanted).is_dir():
        place = (project.start / wanted).resolve()
        top = (project.root / project.config.cassettes).resolve()
        name = place.relative_to(top).as_posix() if place.is_relative_to(top) else place.name
    found = tuple(each for each in names if each == name or each.startswith(f"{name}/"))
    if found:
        return found
    hint = did_you_mean(name, names) or "list them with `agentci cassette list`"
    raise NothingMatched(f"there are no recordings `{wanted}`", code="ACI-N312", hint=hint)


def _lanes(opened: OpenedCassette, wanted: str | None) -> tuple[Lane, ...]:
    lanes = opened.folder.lanes()
    if wanted is None:
        return lanes
    if wanted not in lanes:
        hint = (
            did_you_mean(wanted, lanes) or f"list them with `agentci cassette list {opened.name}`"
        )
        message = f"`{opened.name}` has no lane `{wanted}`"
        raise NothingMatched(message, code="ACI-N313", hint=hint)
    return (Lane(wanted),)


def _summary(opened: OpenedCassette, lane: Lane, files: Files) -> LaneSummary:
    kinds = [interaction.kind for interaction in _interactions(opened.folder.load(lane))]
    path = opened.folder.path(lane)
    return LaneSummary(
        cassette=opened.name,
        lane=lane,
        file=path.as_posix(),
        model_calls=kinds.count("model"),
        tool_calls=kinds.count("tool"),
        approvals=kinds.count("approval"),
        http_calls=kinds.count("http"),
        bytes=len(files.read(path)),
    )


def _interactions(cassette: Cassette) -> Iterator[Interaction]:
    for address in cassette.addresses():
        interaction = cassette.get((address.key, address.occurrence))
        assert interaction is not None
        yield interaction


def _shown(interaction: Interaction) -> ShownInteraction:
    return ShownInteraction(
        key=interaction.address.key,
        occurrence=interaction.address.occurrence,
        kind=interaction.kind,
        request=dict(interaction.request),
        response=dict(interaction.response),
        notes=dict(interaction.notes),
        provenance=dict(interaction.provenance),
    )
