"""A tape: the recordings of one piece of a program's own code, as whole HTTP calls.

A call is issued, which gives it its address before anything is awaited; then it is either answered
from its recording, or sent by whoever intercepts it, and kept. Failures are remembered, because
many a client hides them. Must not know how calls are intercepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import RLock
from typing import Final

from agentci.core.digest import Digest
from agentci.core.effects import Clock
from agentci.core.errors import AgentciError, CassetteMiss
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane, child_lane
from agentci.record.http.content import parse_json_body
from agentci.record.http.encodings import UndecodableError, decode_content
from agentci.record.http.form import HttpAnswer, http_request, load_answer, reason_of, store_answer
from agentci.record.importers.dialects import model_request
from agentci.record.interaction import Address, Interaction, InteractionKind
from agentci.record.keys import interaction_key
from agentci.record.session import RecordingSession

IMPORTED: Final = "imported"
"""Lane below a tape's own with what another recorder has left, which does not know its callers."""


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
    kind: InteractionKind
    request: JsonObject
    address: Address
    answer: TapedAnswer | None
    """From its recording; None where it has to be sent."""


def canonical_call(sent: SentRequest) -> tuple[InteractionKind, JsonObject]:
    """Return the kind and the canonical request of a call, as gateway, proxy and importers do.

    Raises:
        ValueError: when its address is not absolute.
        EnvironmentProblem: when the package for its content encoding is not installed.
    """
    try:
        body = decode_content(sent.body, sent.headers.get("content-encoding", "")).data
    except UndecodableError:
        body = sent.body
    request = model_request(sent.method, sent.url, parse_json_body(body))
    if request is not None:
        return "model", request
    content_type = sent.headers.get("content-type", "")
    return "http", http_request(sent.method, sent.url, body=body, content_type=content_type)


class Tape:
    """The recordings of a lane and of the tasks and jobs below it. Works from any thread."""

    def __init__(
        self,
        session: RecordingSession,
        *,
        lane: Lane,
        clock: Clock,
        imported: frozenset[Digest] = frozenset(),
        keep_headers: tuple[str, ...] = (),
        repeats: bool = False,
    ) -> None:
        """Answer for `lane`; what has its key in `imported` from the lane `IMPORTED` below.

        With `repeats`, the last recording of a request may serve again. `keep_headers` are headers
        of answers, in small letters, that are kept besides the few that always are.
        """
        self.session = session
        self.lane = lane
        self.failures: list[AgentciError] = []
        """What went wrong, whatever the program made of it."""
        self.calls: list[Call] = []
        """All calls, as issued."""
        self.recorded = 0
        """How many answers are new."""
        self._clock = clock
        self._keep_headers = keep_headers
        self._repeats = repeats
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
            kind, request = canonical_call(sent)
            lane = self._lane_of(request, lane)
            request = self.session.as_recorded(request, lane)
            address = self.session.reserve(lane, interaction_key(request))
            recorded = self.session.lookup(address) or self._again(address)
            if recorded is None and not self.session.can_record:
                raise self.session.miss(address, request, kind)
            answer = None
            if recorded is not None:
                self._remember(recorded)
                answer = _answer(recorded.response)
            call = Call(sent, kind, request, address, answer)
            self.calls.append(call)
            return call

    def keep(
        self, call: Call, answer: HttpAnswer, *, cut: bool = False, bounded: bool = False
    ) -> None:
        """Keep the answer to a call; with `cut`, the program has not read it to its end.

        With `bounded`, its chunks are as they arrived, also where there is only one.

        Raises:
            AgentciError: when it holds a secret, or cannot be written.
        """
        notes: dict[str, JsonValue] = {"cut": True} if cut else {}
        with self._remembered():
            stored = store_answer(_decoded(answer))
            if bounded and len(answer.chunks) == 1 and len(_texts(stored)) > 1:
                stored = {**stored, "chunks": ["".join(_texts(stored))]}
            headers = stored["headers"]
            assert isinstance(headers, Mapping)
            more = {n: answer.headers[n] for n in self._keep_headers if n in answer.headers}
            kept = self.session.append(
                Interaction(
                    address=call.address,
                    kind=call.kind,
                    request=call.request,
                    response={**stored, "headers": {**headers, **more}},
                    notes=notes,
                    provenance={
                        "at": datetime.fromtimestamp(int(self._clock.now()), UTC).isoformat(),
                        "client": call.sent.headers.get("user-agent", ""),
                    },
                )
            )
            with self._lock:
                self.recorded += 1
            self._remember(kept)

    def give_up(self, call: Call) -> None:
        """Take note that a call has got no answer; who asks again gets its address."""
        self.session.release(call.address)

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

    def _lane_of(self, request: JsonObject, lane: Lane) -> Lane:
        """Return where a call belongs: to its caller, if no other recorder has its answer."""
        if not self._imported:
            return lane
        shared = child_lane(self.lane, IMPORTED)
        key = interaction_key(self.session.as_recorded(request, shared))
        return shared if key in self._imported else lane

    def _remember(self, interaction: Interaction) -> None:
        if self._repeats:  # otherwise it would only take memory
            with self._lock:
                self._last[interaction.address.lane, interaction.address.key] = interaction

    def _again(self, address: Address) -> Interaction | None:
        if not self._repeats:
            return None
        return self._last.get((address.lane, address.key))

    def _remembered(self) -> _Remembered:
        return _Remembered(self.failures.append)


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


def _texts(stored: JsonObject) -> list[str]:
    chunks = stored.get("chunks")
    return [str(chunk) for chunk in chunks] if isinstance(chunks, list) else []


def _answer(stored: JsonObject) -> TapedAnswer:
    response = load_answer(stored)
    return TapedAnswer(response.status, reason_of(stored), response.headers, response.chunks)
