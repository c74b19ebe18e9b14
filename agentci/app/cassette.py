"""Looks into recordings: lists them, shows them, and proves that they are what was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.project import open_project
from agentci.core.digest import Digest, parse_digest
from agentci.core.errors import AgentciError, FormatError, Location, NothingMatched, Problem
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.record.cassette import Cassette
from agentci.record.folder import CassetteFolder
from agentci.record.interaction import Interaction
from agentci.record.keys import interaction_key
from agentci.record.object_store import ObjectStore
from agentci.spec.suggestion import did_you_mean

if TYPE_CHECKING:
    from agentci.app.project import Project
    from agentci.core.effects import Files
    from agentci.record.secrets.allow import AllowList

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
class VerifyResult:
    """What was looked at, and what is wrong with it."""

    cassettes: int
    interactions: int
    blobs: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    """What is odd and harms nothing: blobs that nothing refers to."""


@dataclass(frozen=True, slots=True)
class _Opened:
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
        for opened in _open(request, wiring.files())
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
        for opened in _open(request, files)
        for lane in _lanes(opened, request.lane)
    )
    return ListResult(tuple(found))


def show(request: CassetteRequest) -> ShowResult:
    """Return recordings in full. Raises what `list_lanes` raises."""
    files = wiring.files()
    shown: list[ShownLane] = []
    for opened in _open(request, files):
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


def verify(request: CassetteRequest) -> VerifyResult:
    """Check that every key is the digest of its request, and every blob has its bytes.

    Also looks for secrets. Problems are collected, not raised.

    Raises:
        NothingMatched: when there are no recordings.
    """
    files = wiring.files()
    problems: list[Problem] = []
    notes: list[str] = []
    interactions = blobs = 0
    opened_all = _open(request, files)
    from agentci.record.secrets.allow import load_allow_list  # noqa: PLC0415 - only here

    allowed = load_allow_list(files, opened_all[0].folder.folder.parent)
    for opened in opened_all:
        referenced: set[Digest] = set()
        for lane in _lanes_or_problem(opened, request.lane, problems):
            for found in _verify_lane(opened, lane, referenced=referenced, allowed=allowed):
                interactions += found is None
                problems += () if found is None else (found,)
        stored = set(opened.folder.objects.digests())
        blobs += len(stored)
        problems += _changed_blobs(opened)
        if request.lane is None:
            notes += _unused_blobs(opened, stored - referenced)
    return VerifyResult(
        cassettes=len(opened_all),
        interactions=interactions,
        blobs=blobs,
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _open(request: CassetteRequest, files: Files) -> tuple[_Opened, ...]:
    project = open_project(request.start, files)
    top = project.root / project.config.cassettes
    inside = (path.relative_to(top).parts for path in files.list(top))
    names = sorted({parts[0] for parts in inside if len(parts) > 1})
    if request.cassette is not None:
        names = [_find(request.cassette, names, project)]
    if not names:
        message = f"there are no recordings below `{top.as_posix()}`"
        hint = "`agentci run pipelines/<name>` records with an endpoint"
        raise NothingMatched(message, code="ACI-N311", hint=hint)
    return tuple(_Opened(name, _folder(top / name, files)) for name in names)


def _folder(place: Path, files: Files) -> CassetteFolder:
    return CassetteFolder(files, place, ObjectStore(files, place))


def _find(wanted: str, names: list[str], project: Project) -> str:
    name = Path(wanted).name if (project.start / wanted).is_dir() else wanted.strip("/")
    if name in names:
        return name
    hint = did_you_mean(name, names) or "list them with `agentci cassette list`"
    raise NothingMatched(f"there are no recordings `{wanted}`", code="ACI-N312", hint=hint)


def _lanes(opened: _Opened, wanted: str | None) -> tuple[Lane, ...]:
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


def _lanes_or_problem(
    opened: _Opened, wanted: str | None, problems: list[Problem]
) -> tuple[Lane, ...]:
    try:
        return _lanes(opened, wanted)
    except FormatError as error:
        problems.append(_problem(error))
        return ()


def _summary(opened: _Opened, lane: Lane, files: Files) -> LaneSummary:
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


def _verify_lane(
    opened: _Opened, lane: Lane, *, referenced: set[Digest], allowed: AllowList
) -> Iterator[Problem | None]:
    """Yield None for each sound recording, and a problem for each other one."""
    try:
        cassette = opened.folder.load(lane)
    except FormatError as error:
        yield _problem(error)
        return
    file = opened.folder.path(lane).as_posix()
    referenced.update(parse_digest(found.decode()) for found in _REFERENCE.findall(cassette.data))
    from agentci.app.cassette_scan import secret_problems  # noqa: PLC0415 - slow to import

    yield from secret_problems(cassette, file=file, name=opened.name, allowed=allowed)
    for address in cassette.addresses():
        try:
            interaction = cassette.get((address.key, address.occurrence))
            assert interaction is not None
            sound = interaction_key(dict(interaction.request)) == address.key
        except AgentciError as error:
            yield _problem(error)
            continue
        if sound:
            yield None
        else:
            message = f"the request of `{address.key}` has another digest: it was changed by hand"
            hint = "restore the file from version control, or record again"
            line = cassette.data[: cassette.data.find(address.key.encode())].count(b"\n") + 1
            yield Problem("ACI-R311", message, Location(file, line, lane=lane), hint)


def _changed_blobs(opened: _Opened) -> Iterator[Problem]:
    for digest in opened.folder.objects.verify():
        hint = "restore it from version control, or record again"
        message = f"the object `{digest}` of `{opened.name}` is not what was stored"
        yield Problem("ACI-P121", message, Location(), hint)


def _unused_blobs(opened: _Opened, unused: set[Digest]) -> Iterator[str]:
    for digest in sorted(unused):
        yield f"`{opened.name}`: nothing refers to the object `{digest}`"


def _problem(error: AgentciError) -> Problem:
    return Problem(error.code, error.message, error.location or Location(), error.hint)
