"""Runs any program with its clients pointed at the proxy: records its calls, or replays them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.project import open_project
from agentci.app.run_proxy import RunProxy
from agentci.core.errors import (
    Interrupted,
    NothingMatched,
    NotReproducible,
    UnplayedRecordings,
    UsageError,
)
from agentci.core.lane import Lane
from agentci.record.redact import OnSecret
from agentci.record.session import Mode, RecordingSession
from agentci.record.surroundings import surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.models.endpoints import EndpointSettings

DEFAULT_LANE: Final = "main"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ProgramRequest:
    """A program to record or replay."""

    argv: tuple[str, ...]
    start: Path
    """Where the call was made; the project is around it."""
    mode: Mode
    folder: Path | None = None
    """Where the program works; None for `start`."""
    cassette: str | None = None
    """Folder below `cassettes/`; None for the program's name."""
    lane: str = DEFAULT_LANE
    record_all: bool = False
    note: str = ""
    redact: bool = False
    """Whether secrets are replaced in new recordings; else a recording with one is refused."""


@dataclass(frozen=True, slots=True)
class ProgramReport:
    """What became of it."""

    exit_code: int
    """Of the program."""
    answered: int
    """Requests that got an answer."""
    cassettes: str
    """The folder of the recordings."""


@dataclass(frozen=True, slots=True)
class _Place:
    cassettes: Path
    endpoints: Mapping[str, EndpointSettings]


def execute(request: ProgramRequest) -> ProgramReport:
    """Run the program to its end.

    Raises:
        CassetteMiss: when it asked for something that is not recorded, whatever its exit code.
        UnplayedRecordings: when a replay left recordings of the lane unused.
        NotReproducible: when a replay served nothing.
        UsageError: when the program, or a name, cannot be.
        Interrupted: when the user stopped it.
    """
    place = _place(request)
    lane = _lane(request.lane)
    session = RecordingSession(
        wiring.files(),
        place.cassettes,
        mode=request.mode,
        record_all=request.record_all,
        note=request.note,
        rerecord=f"agentci record --cassette {place.cassettes.name} -- {request.argv[0]} ...",
        on_secret=OnSecret.of(redact=request.redact),
    )
    try:
        report = asyncio.run(_run(request, session, lane, place))
    except KeyboardInterrupt:
        session.seal(complete=False)
        raise Interrupted("the program was interrupted; everything recorded is kept") from None
    except BaseException:
        session.seal(complete=False)
        raise
    session.seal(complete=report.exit_code == 0)
    if request.mode is Mode.REPLAY and report.exit_code == 0:
        _check(session, lane, report)
    session.close()
    return report


async def _run(
    request: ProgramRequest, session: RecordingSession, lane: Lane, place: _Place
) -> ProgramReport:
    proxy = RunProxy(session, place.endpoints, stand_in=request.mode is Mode.REPLAY)
    folder = request.folder if request.folder is not None else request.start
    around = surroundings(folder, Path(wiring.env().get("HOME") or "/"))
    async with proxy.attached(lane, around) as changes:
        code = await wiring.foreground().run(request.argv, folder=folder, changes=changes)
    return ProgramReport(code, proxy.answered, place.cassettes.as_posix())


def _check(session: RecordingSession, lane: Lane, report: ProgramReport) -> None:
    unplayed = session.unplayed([lane])
    if unplayed:
        shown = ", ".join(f"`{each.key}#{each.occurrence}`" for each in unplayed[:_SHOWN])
        raise UnplayedRecordings(
            f"the replay left {len(unplayed)} recordings of the lane `{lane}` unused: {shown}",
            code="ACI-R120",
            hint=f"look at them with `agentci cassette show`, or record again; they are in "
            f"`{report.cassettes}`",
        )
    if not report.answered:
        raise NotReproducible(
            "the program asked for nothing, so nothing was replayed",
            code="ACI-R121",
            hint="make it use the base URLs in its environment, such as `OPENAI_BASE_URL`",
        )


def _place(request: ProgramRequest) -> _Place:
    name = request.cassette or PurePosixPath(request.argv[0]).name
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/"):
        raise UsageError(
            f"`{name}` cannot be the name of a cassette",
            code="ACI-U172",
            hint="give the name of a folder below `cassettes/`",
        )
    try:
        project = open_project(request.start, wiring.files())
    except NothingMatched:  # a program needs no project
        return _Place(request.start / "cassettes" / name, {})
    return _Place(project.root / project.config.cassettes / name, project.config.endpoints)


def _lane(name: str) -> Lane:
    if not name.strip("/ ") or name != name.strip("/ "):
        raise UsageError(
            f"`{name}` cannot be the name of a lane",
            code="ACI-U173",
            hint="give a name such as `main` or `agents/coder`",
        )
    return Lane(name)
