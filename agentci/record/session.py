"""A run's view of its cassettes: addresses given out, recordings played, new ones appended.

Works the same from asyncio tasks and from threads. Knows nothing of providers or tools, and
nothing of who calls it: a caller brings its lane.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING

from agentci.core.digest import Digest, digest_bytes, digest_json
from agentci.core.errors import CassetteMiss
from agentci.record.cassette import content_digest
from agentci.record.company import KEPT_FOR_OTHERS, Company
from agentci.record.delta import Delta
from agentci.record.folder import CassetteFolder
from agentci.record.header import Header
from agentci.record.interaction import Address
from agentci.record.lane_state import LaneState
from agentci.record.object_store import ObjectStore
from agentci.record.redact import OnSecret, SecretGuard

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.core.effects import Files
    from agentci.core.json_types import JsonObject
    from agentci.core.lane import Lane
    from agentci.record.interaction import Interaction, InteractionKind


class Mode(StrEnum):
    """Where answers come from."""

    AUTO = "auto"
    """Replay what is recorded, record what is missing."""
    REPLAY = "replay"
    """Replay only; a miss is an error."""
    RECORD = "record"
    """Like auto, and what was not played is removed when the run is sealed."""
    LIVE = "live"
    """No cassette: nothing is replayed and nothing is kept."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An answer that was used: which one, and what it was."""

    address: Address
    response: Digest
    """Digest of the recorded response, as the text that it has in a cassette."""


class RecordingSession:
    """Gives out addresses, serves recordings and keeps new ones, for one run."""

    def __init__(  # noqa: PLR0913 - what a run decides on, each by name
        self,
        files: Files,
        folder: Path,
        *,
        mode: Mode,
        record_all: bool = False,
        note: str = "",
        rerecord: str = "agentci run --mode record",
        on_secret: OnSecret = OnSecret.REFUSE,
    ) -> None:
        """Work on the cassettes in `folder`.

        With `record_all`, recordings from before this session are not served. `note` goes into the
        header of new cassettes; `rerecord` is the command that hints tell the user to type. With
        `OnSecret.REDACT`, secrets are replaced where they would be refused.
        """
        self.mode = mode
        self.blobs = ObjectStore(files, folder, in_memory=mode in {Mode.REPLAY, Mode.LIVE})
        self._files = files
        self._guard = SecretGuard(files, folder, on_secret=on_secret)
        self._cassettes = CassetteFolder(files, folder, self.blobs)
        self._company = Company(files, folder)
        self._record_all = record_all
        self._note = note
        self._rerecord = rerecord
        self._lock = RLock()
        self._lanes: dict[Lane, LaneState] = {}
        self._notes: dict[Lane, list[str]] = {}
        self._probed = False

    @property
    def can_record(self) -> bool:
        """Whether a miss may be answered by the outside."""
        return self.mode is not Mode.REPLAY

    def as_recorded(self, request: JsonObject, lane: Lane) -> JsonObject:
        """Return a live request as it is keyed and stored; call before `reserve`.

        It is the same object, unless the recordings of this folder are redacted.

        Raises:
            FormatError: when they were redacted by a newer release.
        """
        return request if self.mode is Mode.LIVE else self._guard.as_recorded(request, lane)

    def reserve(self, lane: Lane, key: Digest, *, ordered: bool = True) -> Address:
        """Return the address of a request that is about to be issued; call before any await.

        Equal keys of one lane are counted from 1, in the order of these calls. A lane whose
        requests come from several threads of another program is not `ordered`: what is said of
        it does not depend on which came first.
        """
        state = self._state(lane)
        with state.lock:
            state.ordered = state.ordered and ordered
            return state.reserve(key)

    def release(self, address: Address) -> None:
        """Give back an address whose request got no answer that is worth keeping.

        A caller that asks again gets it, so that a replay, which never fails, has it played.
        """
        state = self._state(address.lane)
        with state.lock:
            state.release((address.key, address.occurrence))

    def lookup(self, address: Address) -> Interaction | None:
        """Return the recording at `address` and mark it as played, or None.

        Where None means that something will be recorded, makes sure first that it can be written.

        Raises:
            FormatError: when the recording cannot be read.
            StorageError: when there is none, and nothing could be written either.
        """
        state = self._state(address.lane)
        place = (address.key, address.occurrence)
        with state.lock:
            if self.mode is not Mode.LIVE and (not self._record_all or place in state.added):
                interaction = state.cassette.get(place)
                if interaction is not None:
                    state.use(place)
                    self._guard.learn(interaction.response, address.lane)
                    return interaction
        if self.mode in {Mode.AUTO, Mode.RECORD}:
            self._probe()
        return None

    def append(self, interaction: Interaction) -> Interaction:
        """Keep a new recording: in its file before this returns. Does nothing when live.

        No killed process loses it from then on; a power cut does only within `forcing.DELAY`.

        Returns it as it was kept: where recordings are redacted, go on with its response, because
        that is what a replay will see.

        Raises:
            SafetyRefusal: when it holds what looks like a secret; nothing is written.
            StorageError: when it could not be written; what was there before is intact.
        """
        if self.mode is Mode.LIVE:
            return interaction
        assert self.mode is not Mode.REPLAY, "a replay records nothing"
        from agentci.record.document import choose_parent, encode  # noqa: PLC0415 - as it says

        address = interaction.address
        place = (address.key, address.occurrence)
        state = self._state(address.lane)
        with state.lock:
            cassette = state.cassette
            parent = choose_parent(interaction.request, state.candidates())
            delta = parent.delta if parent is not None else Delta(interaction.request)
            interaction = self._guard.checked(interaction, delta.request, keeps=delta.keeps)
            with self._lock:
                self._company.enter(make=True)
            staged: list[bytes] = []
            text = encode(interaction, partial(_stage, staged), parent=parent)
            for data in staged:
                self.blobs.put(data)
            header = cassette.header or Header(address.lane, self._note)
            whole = text if cassette.header is not None else header.text() + text
            self._cassettes.append(cassette, whole)
            cassette.header = header
            cassette.add(interaction, text)
            state.order.setdefault(place)
            state.added.add(place)
            state.use(place)
        return interaction

    def miss(self, address: Address, request: JsonObject, kind: InteractionKind) -> CassetteMiss:
        """Return the error for a request without recording, with what is nearest and differs."""
        if self.mode is Mode.LIVE:
            return CassetteMiss(f"lane `{address.lane}` runs live, without recordings")
        from agentci.record.miss import Missed, explain_miss  # noqa: PLC0415 - ends a run

        state = self._state(address.lane)
        others = self._cassettes.lanes_with(address.key)
        elsewhere = tuple(lane for lane in others if lane != address.lane)
        missed = Missed(address, request, kind, self._rerecord, elsewhere)
        with state.lock:
            return explain_miss(missed, state.cassette, played=state.played)

    @property
    def played(self) -> tuple[Address, ...]:
        """All recordings that were served, appended or marked: lanes sorted, then as issued."""
        return self.played_under()

    def played_under(self, lane: Lane | None = None) -> tuple[Address, ...]:
        """Return what was played in `lane` and below it; with None, everywhere."""
        with self._lock:
            states = sorted(self._lanes.items())
        return tuple(
            Address(name, *place)
            for name, state in states
            if lane is None or is_below(name, lane)
            for place in state.in_order(state.played)
        )

    def evidence(self, lane: Lane) -> tuple[Evidence, ...]:
        """Return the answers that were used in `lane` and below it: lanes sorted, then as issued.

        Those of a resumed or cached step are with the step's own record, not here.
        """
        with self._lock:
            states = sorted(self._lanes.items())
        return tuple(
            Evidence(Address(name, *place), state.cassette.documents[place].digest("response"))
            for name, state in states
            if is_below(name, lane)
            for place in state.in_order(state.used)
        )

    def recorded_in(self, lane: Lane) -> bool:
        """Say whether this session has added a recording in `lane` or below it."""
        with self._lock:
            return any(state.added for name, state in self._lanes.items() if is_below(name, lane))

    def recorded_lanes(self) -> tuple[Lane, ...]:
        """Return the lanes that have recordings, sorted."""
        return self._cassettes.lanes()

    def recorded_count(self, lane: Lane) -> int:
        """Return how many recordings `lane` has."""
        return len(self._state(lane, keep=False).cassette.documents)

    def recording(self, address: Address) -> Interaction | None:
        """Return what is recorded at `address`, or None; it does not count as asked for."""
        state = self._state(address.lane, keep=False)
        return state.cassette.get((address.key, address.occurrence))

    def lane_digest(self, lane: Lane) -> Digest:
        """Return a digest of what is recorded in `lane` itself, whatever the order."""
        state = self._state(lane, keep=False)
        with state.lock:
            documents = state.cassette.documents.values()
            return digest_json(sorted(content_digest(document.text) for document in documents))

    def mark_lane_played(self, lane: Lane) -> None:
        """Count everything that is recorded in `lane` and below it as played."""
        for name in self._cassettes.lanes():
            if is_below(name, lane):
                state = self._state(name)
                with state.lock:
                    state.played.update(state.cassette.documents)

    def mark_played(self, addresses: Iterable[Address]) -> None:
        """Count recordings as played whose step was answered from the cache."""
        for address in addresses:
            state = self._state(address.lane)
            with state.lock:
                state.played.add((address.key, address.occurrence))

    @property
    def visited(self) -> tuple[Lane, ...]:
        """The lanes that asked for something, or were marked, sorted."""
        with self._lock:
            return tuple(sorted(self._lanes))

    def unplayed(self, lanes: Collection[Lane] | None = None) -> tuple[Address, ...]:
        """Return the recordings of `lanes` that nobody asked for; with None, of the whole folder.

        Sorted by lane, then in the order of the file.
        """
        if self.mode is Mode.LIVE:
            return ()
        wanted = self._cassettes.lanes() if lanes is None else lanes
        found: list[Address] = []
        for lane in sorted(set(wanted)):
            state = self._state(lane, keep=False)
            with state.lock:
                found += (
                    address
                    for address in state.cassette.addresses()
                    if (address.key, address.occurrence) not in state.played
                )
        return tuple(found)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about the files that were read."""
        with self._lock:
            found = [note for _, notes in sorted(self._notes.items()) for note in notes]
        shared = self.mode is Mode.RECORD and self._company.had_any
        return (*found, *((KEPT_FOR_OTHERS,) if shared else ()))

    @property
    def was_shared(self) -> bool:
        """Whether others recorded in the folder at the same time; known once it is sealed."""
        return self._company.had_any

    def seal(
        self,
        *,
        complete: bool = True,
        whole_folder: bool = False,
        callers: Collection[Lane] = (),
    ) -> Digest:
        """Bring the cassettes into canonical order and return the digest of them all.

        In record mode the recordings of visited lanes that were not played are removed, unless the
        run is not `complete`, or others recorded in the folder at the same time: then nobody knows
        what they need. With `whole_folder`, those of all other lanes go too, which belong to steps
        that are gone; with `callers`, those of these lanes. A replay that went as recorded writes
        nothing. What a session records after this counts as another session's.
        """
        if self.mode in {Mode.AUTO, Mode.RECORD}:
            try:
                with self._lock:
                    self._company.enter()
                    alone = self._company.is_alone()
                prunes = self.mode is Mode.RECORD and complete and alone
                more = self._cassettes.lanes() if whole_folder else callers
                self._seal_lanes(prunes=prunes, unvisited=frozenset(more if prunes else ()))
            finally:
                with self._lock:
                    self._company.leave()
            self._cassettes.settle()
        return self.digest()

    def digest(self) -> Digest:
        """Return the digest of all cassettes as they are on disk, without their provenance."""
        return self._cassettes.digest()

    def close(self) -> None:
        """Bring all recordings to the disk, and leave the folder; a second call does nothing.

        Raises:
            StorageError: when a recording could not be forced out.
        """
        with self._lock:
            self._company.leave()
        self._cassettes.settle()

    def _seal_lanes(self, *, prunes: bool, unvisited: Collection[Lane]) -> None:
        for lane in unvisited:
            self._state(lane)
        with self._lock:
            states = sorted(self._lanes.items())
        for lane, state in states:
            with state.lock:
                pruned = prunes and (lane in unvisited or bool(state.order))
                if state.added or (pruned and state.before - state.played):
                    from agentci.record.seal import seal_lane  # noqa: PLC0415 - not for a replay

                    seal_lane(state, self._cassettes, prunes=pruned)
        if prunes:
            self._cassettes.remove_unused_objects()

    def _state(self, lane: Lane, *, keep: bool = True) -> LaneState:
        with self._lock:
            state = self._lanes.get(lane)
            if state is None:
                if keep and self.mode in {Mode.AUTO, Mode.RECORD}:
                    self._company.enter()
                live = self.mode is Mode.LIVE
                state = LaneState(
                    self._cassettes.empty(lane) if live else self._cassettes.load(lane)
                )
                self._notes[lane] = state.cassette.notes
                if keep:
                    self._lanes[lane] = state
            return state

    def _probe(self) -> None:
        with self._lock:
            if not self._probed:
                self._cassettes.probe()
                self._probed = True


def is_below(lane: Lane, top: Lane) -> bool:
    """Say whether `lane` is `top` or belongs to it: a child, an iteration, a sample, an attempt."""
    return lane == top or not top or (lane.startswith(top) and lane[len(top)] in "/[#~")


def _stage(staged: list[bytes], data: bytes) -> Digest:
    staged.append(data)
    return digest_bytes(data)
