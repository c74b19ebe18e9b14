"""Keys computed again from stored requests, when a masking rule or the version of keys has changed.

What a key does not cover stays as it is, to the byte: the `key:` lines change, what points to them,
and the text that a new rule masks. Pure but for objects: a cassette in, the new text out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, cast

from agentci.core.digest import Digest
from agentci.core.errors import Location, UsageError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.record.blob_refs import Put
from agentci.record.cassette import Cassette
from agentci.record.delta import restore, shrink
from agentci.record.document import Continuation, encode, pointer
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import KEY_VERSION, interaction_key
from agentci.record.stored_document import Place

BY_HAND: Final = "changed by hand"
_KEY: Final = re.compile(rb"^key: .*\n(?:occurrence: .*\n)?")
_CONTINUES: Final = re.compile(rb"^continues: .*$", re.MULTILINE)

KeyOf: TypeAlias = Callable[[JsonObject], Digest]
Counts: TypeAlias = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class MaskedRequest:
    """A stored request after the rules of today."""

    request: JsonObject
    counts: Counts = field(default_factory=dict)
    """What they masked that was not masked before, by mask and rule."""


Mask: TypeAlias = Callable[[Interaction], MaskedRequest]


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """A recording and its new key."""

    old: Address
    new: Address
    interaction: Interaction
    """As it is to be stored."""
    reasons: tuple[str, ...]
    """Why its key changes; empty where it does not."""


@dataclass(frozen=True, slots=True)
class RekeyedLane:
    """All recordings of a lane, in the order of the file."""

    cassette: Cassette
    recordings: tuple[Rekeyed, ...]
    by_hand: tuple[Address, ...]
    """Those whose request is not the one that was recorded; they keep their keys."""
    version: int

    @property
    def changed(self) -> tuple[Rekeyed, ...]:
        """Those that get another key."""
        return tuple(each for each in self.recordings if each.new.key != each.old.key)


def rekey(
    cassette: Cassette, mask: Mask, *, key_of: KeyOf = interaction_key, version: int = KEY_VERSION
) -> RekeyedLane:
    """Return the recordings of `cassette` with the keys that `key_of` gives them today.

    Raises:
        UsageError: when requests with different keys would get one and the same: which of them is
            asked first would then decide which answer comes.
        FormatError: when a recording cannot be read.
    """
    header = cassette.header
    before = header.keys if header is not None else version
    recordings: list[Rekeyed] = []
    by_hand: list[Address] = []
    for address in cassette.addresses():
        interaction = cassette.get((address.key, address.occurrence))
        assert interaction is not None
        request = dict(interaction.request)
        if before == version and key_of(request) != address.key:
            by_hand.append(address)
            recordings.append(Rekeyed(address, address, interaction, ()))
            continue
        masked = mask(interaction)
        key = key_of(masked.request)
        reasons = [
            f"rule `{name}: {rule}`" for name in masked.counts for rule in masked.counts[name]
        ]
        if before != version:
            reasons.append(f"keys of version {version} instead of {before}")
        new = replace(address, key=key)
        notes = _added(interaction.notes, masked.counts) if masked.counts else interaction.notes
        rebuilt = replace(interaction, address=new, request=masked.request, notes=notes)
        recordings.append(
            Rekeyed(address, new, rebuilt, tuple(reasons) if key != address.key else ())
        )
    _refuse_collisions(cassette, recordings)
    return RekeyedLane(cassette, tuple(recordings), tuple(by_hand), version)


def rekeyed_text(
    lane: RekeyedLane, keys: Mapping[Lane, Mapping[Digest, Digest]], put: Put
) -> bytes:
    """Return the new file of a lane; `keys` has the new key of each old one, by lane."""
    cassette = lane.cassette
    assert cassette.header is not None
    places = {(each.old.key, each.old.occurrence): each for each in lane.recordings}
    out = [_header(cassette, lane.version)]
    for place, each in places.items():
        parent = cassette.parent(place)
        continued = places[parent] if parent is not None else None
        each = replace(each, interaction=_pointing(each.interaction, keys))  # noqa: PLW2901
        text = (
            _patched(cassette, place, each, continued)
            if _keeps(cassette, place, each, continued)
            else None
        )
        out.append(text or _encoded(each, continued, put))
    return b"".join(out)


def new_keys(lanes: Sequence[RekeyedLane]) -> dict[Lane, dict[Digest, Digest]]:
    """Return the new key of each old one that changes, by lane."""
    return {
        lane.cassette.lane: {each.old.key: each.new.key for each in lane.changed}
        for lane in lanes
        if lane.changed
    }


def _header(cassette: Cassette, version: int) -> bytes:
    assert cassette.header is not None
    if cassette.header.keys == version:
        return cassette.data[: cassette.data.index(b"\n---\n") + 1]
    return replace(cassette.header, keys=version).text()


def _keeps(cassette: Cassette, place: Place, each: Rekeyed, parent: Rekeyed | None) -> bool:
    """Say whether what is stored gives the new request, put on the new parent."""
    old = cassette.get(place)
    assert old is not None
    parts = ((old.response, each.interaction.response), (old.notes, each.interaction.notes))
    if any(dict(one) != dict(other) for one, other in parts):
        return False
    delta = cassette.stored_request(place).delta
    try:
        now = delta.request if parent is None else restore(delta, dict(parent.interaction.request))
    except ValueError:
        return False
    return interaction_key(now) == interaction_key(dict(each.interaction.request))


def _patched(cassette: Cassette, place: Place, each: Rekeyed, parent: Rekeyed | None) -> bytes:
    text = cassette.documents[place].text
    if each.new.key != each.old.key:
        line = f"key: {each.new.key}\n"
        if each.new.occurrence != 1:
            line += f"occurrence: {each.new.occurrence}\n"
        text = _KEY.sub(line.encode(), text, count=1)
    if parent is not None and parent.new.key != parent.old.key:
        text = _CONTINUES.sub(f"continues: {pointer(parent.new)}".encode(), text, count=1)
    return b"---\n" + (text if text.endswith(b"\n") else text + b"\n")


def _encoded(each: Rekeyed, parent: Rekeyed | None, put: Put) -> bytes:
    interaction = each.interaction
    delta = None
    if parent is not None:
        delta = shrink(dict(interaction.request), dict(parent.interaction.request))
    continued = Continuation(parent.new, delta) if parent is not None and delta else None
    return encode(interaction, put, parent=continued)


def _pointing(
    interaction: Interaction, keys: Mapping[Lane, Mapping[Digest, Digest]]
) -> Interaction:
    """Return a note on a lost attempt with the new keys of the answers that it had got."""
    answers = interaction.response.get("answers")
    if "attempt" not in interaction.request or not isinstance(answers, list | tuple):
        return interaction
    named: list[JsonValue] = []
    for each in answers:
        assert isinstance(each, list | tuple)
        lane, key = Lane(str(each[0])), Digest(str(each[1]))
        named.append([lane, keys.get(lane, {}).get(key, key)])
    return replace(interaction, response={**interaction.response, "answers": named})


def _added(notes: Mapping[str, JsonValue], counts: Counts) -> Mapping[str, JsonValue]:
    noted = notes.get("masked")
    old = cast("Counts", noted if isinstance(noted, Mapping) else {})
    total = {name: Counter(rules) for name, rules in old.items()}
    for name, rules in counts.items():
        total.setdefault(name, Counter()).update(rules)
    masked: JsonObject = {name: dict(sorted(total[name].items())) for name in sorted(total)}
    return {**notes, "masked": masked}


def _refuse_collisions(cassette: Cassette, recordings: Sequence[Rekeyed]) -> None:
    first: dict[Digest, Rekeyed] = {}
    for each in recordings:
        other = first.setdefault(each.new.key, each)
        if other.old.key != each.old.key:
            lines = [_line(cassette, one.old) for one in (other, each)]
            raise UsageError(
                f"the requests `{other.old.key}` and `{each.old.key}` of lane `{cassette.lane}`, "
                f"`{cassette.name}:{lines[0]}` and line {lines[1]}, would get the same key",
                code="ACI-U185",
                hint="mask less, or record the lane again; nothing was changed",
                location=Location(file=cassette.name, line=lines[1], lane=cassette.lane),
            )


def _line(cassette: Cassette, address: Address) -> int:
    start = cassette.documents[(address.key, address.occurrence)].start
    return cassette.data.count(b"\n", 0, start) + 1
