"""Why a request has no recording: the nearest one in its lane, and what differs, on one screen.

Likeness is for explaining only; nothing here ever serves an answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentci.core.digest import short
from agentci.core.errors import CassetteMiss, Location
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.record.cassette import Cassette
from agentci.record.interaction import Address, InteractionKind
from agentci.record.json_diff import ABSENT, Absent, Difference, differences
from agentci.record.miss_cause import causes, is_reordered
from agentci.record.stored_document import Place
from agentci.record.text_diff import shown, word_diff

NOTHING_RECORDED: Final = "nothing is recorded in this lane"
OTHER_KEY: Final = "the recording of this request has another key"

_WORDS = re.compile(rb"\w{3,}")
_SHORTLIST: Final = 16  # recordings compared in full
_SHOWN: Final = 4  # differences shown
_PER_DIFFERENCE: Final = 40  # many small differences are worse than one of this many characters


@dataclass(frozen=True, slots=True)
class Missed:
    """A request that was not found."""

    address: Address
    request: JsonObject
    kind: InteractionKind
    rerecord: str
    """The command that would record it."""
    elsewhere: tuple[Lane, ...] = ()
    """Other lanes that have a recording of this very request."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The recording that is most like a request."""

    place: Place
    request: JsonObject
    differences: tuple[Difference, ...]
    played: bool


def explain_miss(missed: Missed, cassette: Cassette, *, played: Collection[Place]) -> CassetteMiss:
    """Return the error that tells a user what to look at.

    `played` are the places of the lane that were served already.
    """
    address = missed.address
    why = _explained(missed, cassette, played)
    lines = [
        f"no recording of {missed.kind} request `{short(address.key)}` in lane `{address.lane}`",
        f"cause: {'; '.join(why.causes)}",
        *why.lines,
    ]
    if missed.elsewhere:
        others = ", ".join(f"`{lane}`" for lane in missed.elsewhere[:3])
        lines.append(f"the same request is recorded in lane {others}")
    return CassetteMiss(
        "\n  ".join(lines),
        hint=f"record it with `{missed.rerecord}`",
        location=Location(lane=address.lane),
        causes=why.causes,
        changes=why.changes,
    )


@dataclass(frozen=True, slots=True)
class _Explanation:
    causes: tuple[str, ...]
    lines: Sequence[str]
    changes: tuple[str, ...] = ()
    """What differs, `place: words`."""


def _explained(missed: Missed, cassette: Cassette, played: Collection[Place]) -> _Explanation:
    key, occurrence = missed.address.key, missed.address.occurrence
    same = [place for place in cassette.documents if place[0] == key]
    if same:
        times = "once" if len(same) == 1 else f"{len(same)} times"
        line = f"the same request is recorded {times}; this is call number {occurrence}"
        return _Explanation(("extra call",), (line,))
    nearest = find_nearest(missed, cassette, played)
    if nearest is None:
        return _Explanation((NOTHING_RECORDED,), (f"looked in `{cassette.name}`",))
    kinds = causes(nearest.differences, nearest.request, missed.request) or (OTHER_KEY,)
    state = "already played" if nearest.played else "not played yet"
    count = len(nearest.differences)
    where = f"`{short(nearest.place[0])}`, {_where(cassette, nearest.place)}, {state}"
    if not count:
        line = "it was changed by hand, or has a key of another version: `agentci cassette rekey`"
        return _Explanation(kinds, (f"nearest recording: {where}", line))
    number = f"{count} difference{'s' * (count != 1)} (`[-recorded-]{{+now+}}`)"
    lines = [f"nearest recording: {where}; {number}:"]
    changes: list[str] = []
    for difference in nearest.differences[:_SHOWN]:
        words = _rendered(difference)
        lines += (f"  {difference.place}", f"    {words}")
        changes.append(f"{difference.place}: {words}")
    if count > _SHOWN:
        lines.append(f"  and {count - _SHOWN} more")
    return _Explanation(kinds, lines, tuple(changes))


def find_nearest(missed: Missed, cassette: Cassette, played: Collection[Place]) -> Nearest | None:
    """Return the recording of the same kind that differs least; of equals one not played yet."""
    found: list[Nearest] = []
    for place in _shortlist(missed.request, cassette):
        interaction = cassette.get(place)
        if interaction is not None and interaction.kind == missed.kind:
            request = cassette.request(place)
            parts = differences(request, missed.request)
            found.append(Nearest(place, request, parts, place in played))
    return min(found, key=lambda nearest: _distance(nearest, missed.request), default=None)


def _distance(nearest: Nearest, wanted: JsonObject) -> tuple[int, bool]:
    parts = nearest.differences
    if is_reordered(nearest.request, wanted):
        return (0, nearest.played)
    return (sum(_changed(part) + _PER_DIFFERENCE for part in parts), nearest.played)


def _changed(difference: Difference) -> int:
    """Return how many characters really differ, equal beginnings and ends left out."""
    old, new = difference.old, difference.new
    if not isinstance(old, str) or not isinstance(new, str):
        return difference.weight
    return len(word_diff(old, new))


def _shortlist(request: JsonObject, cassette: Cassette) -> Sequence[Place]:
    """Return the recordings whose text has most words in common with the request.

    And as many of those that are as far in a conversation, since a turn's own words are few.
    """
    places = list(cassette.documents)
    if len(places) <= _SHORTLIST:
        return places
    wanted = set(_WORDS.findall(json.dumps(request, default=dict).encode()))
    length = _longest_list(request)
    unlike: dict[Place, int] = {}
    for place in places:
        words = set(_WORDS.findall(cassette.documents[place].request_text()))
        unlike[place] = len(words - wanted) - len(words & wanted)

    def away(place: Place) -> tuple[int, int]:
        return (abs(cassette.documents[place].list_length() - length), unlike[place])

    like = sorted(places, key=unlike.__getitem__)[:_SHORTLIST]
    return list(dict.fromkeys([*like, *sorted(places, key=away)[:_SHORTLIST]]))


def _longest_list(request: JsonObject) -> int:
    body = request.get("body")
    values = body.values() if isinstance(body, Mapping) else ()
    return max((len(value) for value in values if isinstance(value, list | tuple)), default=0)


def _where(cassette: Cassette, place: Place) -> str:
    document = cassette.documents[place]
    if document.source is not cassette.data:
        return f"recorded by this run in `{cassette.name}`"
    line = cassette.data.count(b"\n", 0, document.start) + 1
    return f"`{cassette.name}:{line}`"


def _rendered(difference: Difference) -> str:
    old, new = difference.old, difference.new
    if isinstance(old, str) and isinstance(new, str):
        return word_diff(old, new)
    removed = "" if old is ABSENT else f"[-{_json(old)}-]"
    return removed + ("" if new is ABSENT else f"{{+{_json(new)}+}}")


def _json(value: JsonValue | Absent) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=dict, ensure_ascii=False)
    return shown(text)
