"""One HTTP call of a program in a session: placed, answered from its recording, or kept.

The proxy and the tapes of Python programs do all of this alike. Must not know how calls come in,
nor how their answers go back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agentci.core.errors import CassetteMiss
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.core.wire import WireResponse
from agentci.record.http.form import HttpAnswer, load_answer, store_answer
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import interaction_key
from agentci.record.provenance import provenance
from agentci.record.read_call import ReadCall, masking_notes
from agentci.record.response_marks import fill, mark
from agentci.record.session import RecordingSession
from agentci.record.surroundings import Surroundings


@dataclass(frozen=True, slots=True, eq=False)
class PlacedCall:
    """A call that has its address."""

    read: ReadCall
    request: JsonObject
    """As it is keyed and stored: redacted, where recordings are."""
    address: Address
    around: Surroundings
    """Where the program was."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How an answer is kept, and what is noted beside it."""

    now: float
    """Seconds since 1970."""
    client: str
    """The program, as it names itself."""
    source: Mapping[str, str] = field(default_factory=dict)
    """Where the answer comes from."""
    headers: tuple[str, ...] = ()
    """Names in small letters, of headers that are kept besides the few that always are."""
    cut: bool = False
    """Whether the program has not read the answer to its end."""
    bounded: bool = False
    """Whether the chunks are as they arrived, also where there is only one."""
    seconds: float | None = None
    """From sending the request until the end of the answer; None where that is not known."""


def place(
    session: RecordingSession,
    read: ReadCall,
    lane: Lane,
    *,
    around: Surroundings,
    ordered: bool = True,
) -> PlacedCall:
    """Give a call its address; `ordered` as in `RecordingSession.reserve`. Call before any await.

    Raises:
        FormatError: when the recordings were redacted by a newer release.
    """
    request = session.as_recorded(read.canonical, lane)
    address = session.reserve(lane, interaction_key(request), ordered=ordered)
    return PlacedCall(read, request, address, around)


def miss(session: RecordingSession, call: PlacedCall) -> CassetteMiss:
    """Return the error for a call without recording."""
    return session.miss(call.address, call.request, call.read.kind)


def play(recorded: Interaction, around: Surroundings) -> WireResponse:
    """Return a recorded answer with the present folders in it.

    Raises:
        FormatError: when it cannot be read.
    """
    response = load_answer(recorded.response)
    if recorded.notes.get("marks"):
        return replace(response, chunks=fill(response.chunks, around))
    return response


def keep(
    session: RecordingSession, call: PlacedCall, answer: HttpAnswer, *, how: Keeping
) -> Interaction:
    """Keep the answer to a call and return the recording.

    Raises:
        SafetyRefusal: when the call holds what looks like a secret.
        StorageError: when it could not be written.
    """
    marks: Mapping[str, int] = {}
    if call.read.names_folders:
        marked = mark(answer.chunks, call.around)
        answer, marks = replace(answer, chunks=marked.chunks), marked.counts
    notes = masking_notes(call.read.masked, marks) | ({"cut": True} if how.cut else {})
    noted = provenance(how.source, now=how.now, seconds=how.seconds)
    return session.append(
        Interaction(
            address=call.address,
            kind=call.read.kind,
            request=call.request,
            response=store_answer(answer, keep_headers=how.headers, bounded=how.bounded),
            notes=notes,
            provenance={**noted, "client": how.client},
        )
    )
