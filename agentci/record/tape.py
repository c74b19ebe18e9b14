"""A tape: the recordings of one piece of a program's own code, as whole HTTP calls.

A call is issued, which gives it its address before anything is awaited; then it is either answered
from its recording, or sent by whoever intercepts it, and kept. Failures are remembered, because
many a client hides them. Must not know how calls are intercepted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from sys import intern
from threading import RLock
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from agentci.core.digest import Digest
from agentci.core.effects import Clock
from agentci.core.errors import AgentciError, CassetteMiss
from agentci.core.lane import Lane, child_lane
from agentci.record.http.encodings import UndecodableError, decode_content
from agentci.record.http.form import HttpAnswer, reason_of
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import interaction_key
from agentci.record.read_call import (
    IN_PROGRAM,
    Masking,
    ReadCall,
    Sent,
    read_call,
)
from agentci.record.session import RecordingSession
from agentci.record.surroundings import Surroundings
from agentci.record.whole_call import Keeping, PlacedCall, keep, miss, place, play

IMPORTED: Final = "imported"
"""Lane below a tape's own with what another recorder has left, which does not know its callers."""
ROOM_FOR_BODIES: Final = 8 * 1024 * 1024
"""Bytes of sent bodies that a tape remembers, for who asks what was sent."""


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as a program sends it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    """Names in small letters. They decide how the body is read, and are not kept."""
    body: bytes


@dataclass(frozen=True, slots=True)
class TapedAnswer:
    """An answer as it is on tape."""

    status: int
    reason: str
    headers: Mapping[str, str]
    chunks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A request that has its address."""

    sent: SentRequest
    placed: PlacedCall
    answer: TapedAnswer | None
    """From its recording; None where it has to be sent."""
    since: float
    """When it was issued, by a clock that never goes back."""


@dataclass(slots=True, eq=False)
class Issued:
    """What is remembered of a call."""

    method: str
    url: str
    is_played: bool
    """Whether the answer came from a recording."""
    body: bytes | None
    """None where there was no room for it."""


@dataclass(frozen=True, slots=True)
class TapeOptions:
    """How a tape keeps and finds answers."""

    keep_headers: tuple[str, ...] = ()
    """Headers of answers, in small letters, that are kept besides the few that always are."""
    repeats: bool = False
    """Whether the last recording of a request may serve again."""
    masks: tuple[str, ...] = ()
    """Patterns of what does not count in requests."""
    around: Callable[[], Surroundings] = Surroundings
    """Says where the program is at the moment."""


def canonical_call(sent: SentRequest, masking: Masking | None = None) -> ReadCall:
    """Return what a call asks for, as gateway, proxy and importers read it.

    Raises:
        ValueError: when its address is not absolute.
        EnvironmentProblem: when the package for its content encoding is not installed.
    """
    try:
        body = decode_content(sent.body, sent.headers.get("content-encoding", "")).data
    except UndecodableError:
        body = sent.body
    return read_call(
        Sent(
            method=sent.method,
            url=sent.url,
            path=urlsplit(sent.url).path,
            body=body,
            content_type=sent.headers.get("content-type", ""),
            user_agent=sent.headers.get("user-agent", ""),
        ),
        masking,
    )


class Tape:
    """The recordings of a lane and of the tasks and jobs below it. Works from any thread."""

    def __init__(
        self,
        session: RecordingSession,
        *,
        lane: Lane,
        clock: Clock,
        imported: frozenset[Digest] = frozenset(),
        options: TapeOptions | None = None,
    ) -> None:
        """Answer for `lane`; what has its key in `imported` from the lane `IMPORTED` below."""
        self.session = session
        self.lane = lane
        self.failures: list[AgentciError] = []
        """What went wrong, whatever the program made of it."""
        self.calls: list[Issued] = []
        """All calls, as issued."""
        self.recorded = 0
        """How many answers are new."""
        self._clock = clock
        self._options = options or TapeOptions()
        self._with_body: deque[Issued] = deque()
        self._bytes = 0
        self._imported = imported
        self._lock = RLock()
        self._last: dict[tuple[Lane, Digest], Interaction] = {}

    def issue(self, sent: SentRequest, lane: Lane) -> Call:
        """Give a request of `lane` its address, and its answer where there is one.

        Raises:
            CassetteMiss: when there is none and nothing may be recorded.
            AgentciError: when a recording cannot be read.
        """
        __tracebackhide__ = True  # a test that misses a recording shows its own lines
        with self._remembered():
            around = self._options.around()
            masking = Masking(around, self._options.masks, declared_in=IN_PROGRAM, of_all=False)
            lane, read = self._read(sent, lane, masking)
            placed = place(self.session, read, lane, around=around)
            recorded = self.session.lookup(placed.address) or self._again(placed.address)
            if recorded is None and not self.session.can_record:
                raise miss(self.session, placed)
            answer = None
            if recorded is not None:
                self._remember(recorded)
                answer = _answer(recorded, around)
            self._note(sent, is_played=answer is not None)
            return Call(sent, placed, answer, self._clock.monotonic())

    def keep(
        self, call: Call, answer: HttpAnswer, *, cut: bool = False, bounded: bool = False
    ) -> None:
        """Keep the answer to a call; with `cut`, the program has not read it to its end.

        With `bounded`, its chunks are as they arrived, also where there is only one.

        Raises:
            AgentciError: when it holds a secret, or cannot be written.
        """
        with self._remembered():
            taken = self._clock.monotonic() - call.since
            how = Keeping(
                now=self._clock.now(),
                client=call.sent.headers.get("user-agent", ""),
                headers=self._options.keep_headers,
                cut=cut,
                bounded=bounded,
                seconds=None if cut else taken,
            )
            recording = keep(self.session, call.placed, _decoded(answer), how=how)
            with self._lock:
                self.recorded += 1
            self._remember(recording)

    def give_up(self, call: Call) -> None:
        """Take note that a call has got no answer; who asks again gets its address."""
        self.session.release(call.placed.address)

    def unplayed(self) -> tuple[Address, ...]:
        """Return the recordings of this tape that nobody has asked for."""
        return self.session.unplayed(self.lanes())

    def lanes(self) -> tuple[Lane, ...]:
        """Return the lanes of this tape that have recordings, sorted."""
        top = self.lane
        return tuple(
            lane
            for lane in self.session.recorded_lanes()
            if lane == top or lane.startswith(f"{top}/")
        )

    def _read(self, sent: SentRequest, lane: Lane, masking: Masking) -> _Placed:
        """Return what a call asks for and where it belongs: to its caller, with everything masked.

        A call that another recorder has the answer to is as that one has kept it: with nothing
        masked, and without a caller.
        """
        if self._imported:
            shared = child_lane(self.lane, IMPORTED)
            plain = canonical_call(sent)
            if interaction_key(self.session.as_recorded(plain.canonical, shared)) in self._imported:
                return _Placed(shared, plain)
        return _Placed(lane, canonical_call(sent, masking))

    def _note(self, sent: SentRequest, *, is_played: bool) -> None:
        """Remember a call; of bodies, only the last ones, as many as there is room for."""
        issued = Issued(sent.method, intern(sent.url), is_played, sent.body)
        with self._lock:
            self.calls.append(issued)
            self._with_body.append(issued)
            self._bytes += len(sent.body)
            while self._bytes > ROOM_FOR_BODIES and len(self._with_body) > 1:
                oldest = self._with_body.popleft()
                self._bytes -= len(oldest.body or b"")
                oldest.body = None

    def _remember(self, interaction: Interaction) -> None:
        if self._options.repeats:  # otherwise it would only take memory
            with self._lock:
                self._last[interaction.address.lane, interaction.address.key] = interaction

    def _again(self, address: Address) -> Interaction | None:
        if not self._options.repeats:
            return None
        return self._last.get((address.lane, address.key))

    def _remembered(self) -> _Remembered:
        return _Remembered(self.failures.append)


class _Placed(NamedTuple):
    lane: Lane
    read: ReadCall


@dataclass(frozen=True, slots=True)
class _Remembered:
    """Notes an error on its way to the program."""

    note: Callable[[AgentciError], None]

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, ValueError):
            error = CassetteMiss(str(error), code="ACI-R125")
        if isinstance(error, AgentciError):
            if error.hint:
                error.add_note(f"hint: {error.hint}")  # for whoever sees it in a traceback
            self.note(error)


def _decoded(answer: HttpAnswer) -> HttpAnswer:
    """Undo content encodings; clients have often done so already, and left the header."""
    encodings = answer.headers.get("content-encoding", "")
    if not encodings:
        return answer
    body = b"".join(answer.chunks)
    try:
        decoded = decode_content(body, encodings)
    except UndecodableError:
        return answer
    if not decoded.undone:
        return answer
    return HttpAnswer(answer.status, answer.headers, (decoded.data,), answer.reason)


def _answer(recorded: Interaction, around: Surroundings) -> TapedAnswer:
    response, reason = play(recorded, around), reason_of(recorded.response)
    return TapedAnswer(response.status, reason, response.headers, response.chunks)
