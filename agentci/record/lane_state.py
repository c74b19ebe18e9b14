"""What a session knows of one lane: what was asked, what was played, what is new.

The session holds `lock` around every use. Knows nothing of modes or files.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Collection
from threading import RLock
from typing import TYPE_CHECKING, Final

from agentci.record.interaction import Address

if TYPE_CHECKING:
    from agentci.core.digest import Digest
    from agentci.record.cassette import Cassette
    from agentci.record.document import Candidate
    from agentci.record.stored_document import Place

_WINDOW: Final = 8  # how many of the last recordings of a lane a new one may continue


class LaneState:
    """One lane of a session."""

    __slots__ = (
        "added",
        "before",
        "cassette",
        "counts",
        "lock",
        "order",
        "ordered",
        "played",
        "recent",
        "released",
        "used",
    )

    def __init__(self, cassette: Cassette) -> None:
        self.lock = RLock()
        self.cassette = cassette
        self.before = frozenset(cassette.documents)
        """Recordings from before this session."""
        self.counts: dict[Digest, int] = {}
        self.order: dict[Place, None] = {}
        """Everything that was asked for, in that order."""
        self.ordered = True
        """Whether that order is the same every time."""
        self.played: set[Place] = set()
        """Used by this run, in whatever way."""
        self.used: set[Place] = set()
        """Served or appended by this session."""
        self.added: set[Place] = set()
        """Appended by this session."""
        self.recent: deque[Place] = deque(maxlen=_WINDOW)
        self.released: dict[Digest, list[int]] = {}
        """Occurrences that were given back, by key; sorted."""

    def reserve(self, key: Digest) -> Address:
        """Return the next address of `key`."""
        free = self.released.get(key)
        if free:
            occurrence = free.pop(0)
        else:
            occurrence = self.counts[key] = self.counts.get(key, 0) + 1
        self.order[key, occurrence] = None
        return Address(self.cassette.lane, key, occurrence)

    def release(self, place: Place) -> None:
        """Take back an address that got no answer; the next request of its key gets it."""
        key, occurrence = place
        insort(self.released.setdefault(key, []), occurrence)
        self.order.pop(place, None)

    def use(self, place: Place) -> None:
        """Note that the recording at `place` gave an answer."""
        self.played.add(place)
        self.used.add(place)
        self.recent.append(place)

    def in_order(self, places: Collection[Place]) -> list[Place]:
        """Return `places` as issued; those that were not issued follow as they are in the file.

        Where the order is not the same every time, they come sorted.
        """
        if not self.ordered:
            return sorted(places)
        issued = [place for place in self.order if place in places]
        rest = (place for place in self.cassette.documents if place not in self.order)
        return [*issued, *(place for place in rest if place in places)]

    def candidates(self) -> list[Candidate]:
        """Return what a new recording may continue: the last ones, each after its own parent.

        A parent comes first, so that many requests with one beginning all continue the first of
        them and do not form a chain.
        """
        from agentci.record.document import Candidate  # noqa: PLC0415 - only to record

        cassette = self.cassette
        places: dict[Place, None] = {}
        for place in reversed(self.recent):
            if place in cassette:
                parent = cassette.parent(place)
                if parent is not None and parent in cassette:
                    places[parent] = None
                places[place] = None
        return [
            Candidate(Address(cassette.lane, *place), cassette.request(place)) for place in places
        ]

    def renew(self, cassette: Cassette) -> None:
        """Go on with the sealed `cassette`."""
        self.cassette = cassette
        self.before = frozenset(cassette.documents)
        self.added.clear()
