"""A program's own code on tape: its HTTP calls are answered from recordings, or recorded.

Opens a folder of recordings for one lane, takes over what another recorder has left there, and
says at the end what is missing, unplayed or could not be kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentci.app import wiring
from agentci.core.digest import Digest
from agentci.core.errors import AgentciError, Location, UnplayedRecordings
from agentci.core.lane import Lane, child_lane
from agentci.record.folder import CassetteFolder
from agentci.record.importers.registry import read_foreign
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import interaction_key
from agentci.record.redact import OnSecret
from agentci.record.session import Mode, RecordingSession
from agentci.record.surroundings import Surroundings, surroundings
from agentci.record.tape import IMPORTED, Tape, TapeOptions

NAMED: Final = 3
"""How many unplayed recordings a message names."""


@dataclass(frozen=True, slots=True)
class UseRequest:
    """What to answer calls from."""

    folder: Path
    lane: Lane
    mode: Mode
    record_all: bool = False
    foreign: tuple[Path, ...] = ()
    """Recordings of another tool, which are taken over where the lane has none."""
    unplayed_fail: bool = True
    rerecord: str = 'mode="record"'
    """How the user says that recordings should be made again."""
    keep_headers: tuple[str, ...] = ()
    repeats: bool = False
    masks: tuple[str, ...] = ()
    """Patterns of what does not count in requests."""
    root: Path | None = None
    """Folder that is shown as the workspace while the program works below it; None for the working
    directory itself."""
    on_secret: OnSecret = OnSecret.REFUSE
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of vcrpy that change requests and answers."""


class TapeInUse:
    """A tape while the program's calls are answered from it. Used once."""

    def __init__(self, request: UseRequest) -> None:
        """Open the recordings and start to answer.

        Raises:
            AgentciError: when they cannot be read or taken over, or vcrpy does not do.
        """
        self.request = request
        self._stack = ExitStack()
        files = wiring.files()
        intercept = wiring.interception() if request.mode is not Mode.LIVE else None
        if intercept is not None:
            _take_over(request)
        self._session = RecordingSession(
            files,
            request.folder,
            mode=request.mode,
            record_all=request.record_all,
            note="recorded in process",
            rerecord=request.rerecord,
            on_secret=request.on_secret,
        )
        self.tape = Tape(
            self._session,
            lane=request.lane,
            clock=wiring.clock(),
            imported=frozenset() if request.record_all else self._imported(),
            options=TapeOptions(
                request.keep_headers, request.repeats, request.masks, _Whereabouts(request.root)
            ),
        )
        if intercept is not None:
            self._stack.enter_context(intercept(self.tape, request.options))

    def stop(self, *, failed: bool) -> None:
        """Answer no more, and bring the recordings in order; what is left out stays if `failed`.

        Raises:
            AgentciError: a miss, a refusal or another failure of a call, whatever the program made
                of it; recordings that nobody has asked for.
        """
        self._stack.close()
        tape = self.tape
        complete = not failed and not tape.failures
        if self._session.can_record:  # a replay changes nothing, and nobody asks for its digest
            self._session.seal(complete=complete, callers=tape.lanes())
        self._session.close()
        if tape.failures:
            raise _first_of(tape.failures)
        if complete and self.request.unplayed_fail and self.request.mode is not Mode.LIVE:
            unplayed = () if self._session.was_shared else tape.unplayed()
            if unplayed:
                error = self._unplayed(unplayed)
                error.add_note(f"hint: {error.hint}")
                raise error

    def _imported(self) -> frozenset[Digest]:
        files, request = wiring.files(), self.request
        cassettes = CassetteFolder(files, request.folder, self._session.blobs)
        documents = cassettes.load(child_lane(request.lane, IMPORTED)).documents
        return frozenset(key for key, _ in documents)

    def _unplayed(self, unplayed: tuple[Address, ...]) -> UnplayedRecordings:
        shown = [f"{each.lane}: {self._summary(each)}" for each in unplayed[:NAMED]]
        more = f"\n  and {len(unplayed) - NAMED} more" if len(unplayed) > NAMED else ""
        count = "1 recording was" if len(unplayed) == 1 else f"{len(unplayed)} recordings were"
        return UnplayedRecordings(
            f"{count} not played:\n  " + "\n  ".join(shown) + more,
            code="ACI-R126",
            hint=f"record again with `{self.request.rerecord}`, which removes them, or allow it "
            'with `unplayed="ignore"`',
            location=Location(lane=self.request.lane),
        )

    def _summary(self, address: Address) -> str:
        cassettes = CassetteFolder(wiring.files(), self.request.folder, self._session.blobs)
        place = (address.key, address.occurrence)
        request = cassettes.load(address.lane).request(place)
        where = request.get("url", request.get("path", ""))
        return f"{request.get('method', '')} {where}"


class _Whereabouts:
    """Says where the program is, which may change its directory and HOME at any time."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._known: tuple[Path, Path] | None = None
        self._around = Surroundings()

    def __call__(self) -> Surroundings:
        try:
            place = (Path.cwd(), Path(wiring.env().get("HOME") or "/"))
        except FileNotFoundError:  # the working directory is gone
            return Surroundings()
        if place != self._known:
            cwd, home = place
            root = self._root
            below = root is not None and cwd.is_relative_to(root)
            self._around = surroundings(cwd, home, root=root if below else None)
            self._known = place
        return self._around


def _take_over(request: UseRequest) -> None:
    """Take over another recorder's file, where there are no recordings yet."""
    files = wiring.files()
    found = [path for path in request.foreign if files.exists(path)]
    if not found or request.record_all or files.list(request.folder):
        return
    lane = child_lane(request.lane, IMPORTED)
    names = ", ".join(f"`{path.name}`" for path in found)
    session = RecordingSession(
        files,
        request.folder,
        mode=Mode.AUTO,
        note=f"imported from {names}, which is as it was",
        on_secret=request.on_secret,
    )
    for path in found:
        foreign = read_foreign(files.read(path), path.as_posix(), keep_headers=request.keep_headers)
        for each in foreign.recordings:
            recorded = session.as_recorded(each.request, lane)
            address = session.reserve(lane, interaction_key(recorded))
            session.append(
                Interaction(
                    address=address,
                    kind=each.kind,
                    request=recorded,
                    response=each.response,
                    notes=each.notes,
                    provenance={"imported": foreign.format, "file": path.name, "url": each.url},
                )
            )
    session.seal()
    session.close()


def _first_of(failures: list[AgentciError]) -> AgentciError:
    """Return the first failure; a client that tries again makes more of the same."""
    return failures[0]
