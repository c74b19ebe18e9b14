"""Sealing: a cassette's documents in the order in which a run asked for them, nothing left over.

A document whose request still continues an earlier one keeps its bytes, so re-recording one call
changes one place of the file. Knows nothing of modes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agentci.record.cassette import Cassette
from agentci.record.document import Candidate, choose_parent, encode
from agentci.record.folder import CassetteFolder
from agentci.record.interaction import Address
from agentci.record.lane_state import LaneState
from agentci.record.stored_document import Place

_WINDOW = 8


def seal_lane(state: LaneState, folder: CassetteFolder, *, prunes: bool) -> None:
    """Bring the file of a lane into the order of `state`; with `prunes`, without the unplayed."""
    dropped = state.before - state.played if prunes else frozenset()
    lane, order = state.cassette.lane, tuple(state.order)

    def change(data: bytes) -> bytes | None:
        return seal_text(folder.parse(data, lane), order=order, dropped=dropped)

    folder.update(lane, change)
    state.renew(folder.load(lane))


def seal_text(
    cassette: Cassette, *, order: Sequence[Place], dropped: Collection[Place]
) -> bytes | None:
    """Return the sealed bytes of `cassette`, or None where no document is left.

    Places of `order` come in that order. Others follow the one that they follow now.
    """
    kept = [place for place in cassette.documents if place not in dropped]
    places = _ordered(kept, order)
    if not places:
        return None
    if cassette.is_clean and places == list(cassette.documents):
        return cassette.data
    assert cassette.header is not None
    out = [cassette.header.text()]
    written: dict[Place, None] = {}
    for place in places:
        parent = cassette.parent(place)
        if parent is None or parent in written:
            text = b"---\n" + cassette.documents[place].text
            out.append(text if text.endswith(b"\n") else text + b"\n")
        else:
            out.append(_encoded_again(cassette, place, list(written)[-_WINDOW:]))
        written[place] = None
    return b"".join(out)


def _encoded_again(cassette: Cassette, place: Place, before: Sequence[Place]) -> bytes:
    interaction = cassette.get(place)
    assert interaction is not None
    candidates = [
        Candidate(Address(cassette.lane, *other), cassette.request(other))
        for other in reversed(before)
    ]
    parent = choose_parent(interaction.request, candidates)
    return encode(interaction, cassette.objects.put, parent=parent)


def _ordered(kept: Sequence[Place], order: Sequence[Place]) -> list[Place]:
    rank = {place: index for index, place in enumerate(order)}
    followers: dict[Place | None, list[Place]] = {}
    leader: Place | None = None
    for place in kept:
        if place in rank:
            leader = place
        else:
            followers.setdefault(leader, []).append(place)
    result = list(followers.get(None, ()))
    for place in sorted((place for place in kept if place in rank), key=rank.__getitem__):
        result += (place, *followers.get(place, ()))
    return result
