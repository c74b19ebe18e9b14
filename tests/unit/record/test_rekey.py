"""Keys computed again: the lines of keys change and what points to them, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.digest import Digest, digest_json
from agentci.core.errors import FormatError, UsageError
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.record import header as header_module
from agentci.record.cassette import Cassette
from agentci.record.folder import CassetteFolder
from agentci.record.header import Header, read_header
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import KEY_VERSION, interaction_key
from agentci.record.object_store import ObjectStore
from agentci.record.rekey import MaskedRequest, RekeyedLane, new_keys, rekey, rekeyed_text
from agentci.record.session import Mode, RecordingSession
from tests.support.recordings import LANE, converse, play, request_of, response_of, user

NEXT = KEY_VERSION + 1


def next_key(request: JsonObject) -> Digest:
    return digest_json({"next": request})


def as_it_is(interaction: Interaction) -> MaskedRequest:
    return MaskedRequest(dict(interaction.request))


def without_numbers(interaction: Interaction) -> MaskedRequest:
    request: Any = dict(interaction.request)
    text = request["body"]["messages"][1]["content"]
    masked = "".join("#" if character.isdigit() else character for character in text)
    if masked == text:
        return MaskedRequest(request)
    messages = [request["body"]["messages"][0], {"role": "user", "content": masked}]
    messages += request["body"]["messages"][2:]
    changed = {**request, "body": {**request["body"], "messages": messages}}
    return MaskedRequest(changed, {"test/1": {"number": 1}})


def recorded(folder: Path) -> Cassette:
    session = RecordingSession(LocalFiles(), folder, mode=Mode.RECORD, note="A note.")
    converse(session, 4)
    for _ in range(2):  # the same request twice: two occurrences
        play(session, request_of(user("Again 12, please.")), response_of(user("x")))
    session.seal()
    return load(folder)


def load(folder: Path, lane: Lane = LANE) -> Cassette:
    files = LocalFiles()
    return CassetteFolder(files, folder, ObjectStore(files, folder)).load(lane)


def text_of(lane: RekeyedLane) -> bytes:
    return rekeyed_text(lane, new_keys([lane]), lane.cassette.objects.put)


def test_nothing_changes_while_rules_and_version_are_the_same(tmp_path: Path) -> None:
    cassette = recorded(tmp_path)
    lane = rekey(cassette, as_it_is)
    assert (lane.changed, lane.by_hand) == ((), ())
    assert text_of(lane) == cassette.data


def test_a_new_version_changes_keys_pointers_and_the_header_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cassette = recorded(tmp_path)
    lane = rekey(cassette, as_it_is, key_of=next_key, version=NEXT)
    after = text_of(lane)
    old, new = cassette.data.splitlines(), after.splitlines()
    assert new.pop(3) == b"keys: 2"
    assert len(old) == len(new)
    changed = [line for line, other in zip(old, new, strict=True) if line != other]
    assert {line.partition(b":")[0] for line in changed} == {b"key", b"continues"}
    assert len(lane.changed) == len(cassette.documents)
    assert lane.changed[0].reasons == ("keys of version 2 instead of 1",)
    monkeypatch.setattr(header_module, "KEY_VERSION", NEXT)
    again = Cassette(after, lane=LANE, name="x", objects=cassette.objects)
    for address, before in zip(again.addresses(), cassette.addresses(), strict=True):
        request = again.request((address.key, address.occurrence))
        assert address.key == next_key(request)
        assert address.occurrence == before.occurrence
        assert request == cassette.request((before.key, before.occurrence))
    assert text_of(rekey(again, as_it_is, key_of=next_key, version=NEXT)) == after


def test_a_new_rule_changes_the_text_that_it_masks_and_is_noted(tmp_path: Path) -> None:
    cassette = recorded(tmp_path)
    lane = rekey(cassette, without_numbers)
    assert {each.reasons for each in lane.changed} == {("rule `test/1: number`",)}
    after = Cassette(text_of(lane), lane=LANE, name="x", objects=cassette.objects)
    places = [(each.key, each.occurrence) for each in after.addresses()]
    assert [place[1] for place in places] == [a.occurrence for a in cassette.addresses()]
    for place in places:
        assert interaction_key(after.request(place)) == place[0]
        interaction = after.get(place)
        assert interaction is not None
        assert "12" not in str(after.request(place))
    last = after.get(places[-1])
    assert last is not None
    assert last.notes["masked"] == {"test/1": {"number": 1}}
    again = rekey(after, without_numbers)
    assert again.changed == ()
    assert text_of(again) == after.data


def test_requests_that_would_become_one_are_refused_and_named(tmp_path: Path) -> None:
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD)
    requests = [request_of(user(f"Number {number} of many.")) for number in (7, 8)]
    keys = [play(session, each, response_of(user("x"))).address.key for each in requests]
    session.seal()
    with pytest.raises(UsageError) as caught:
        rekey(load(tmp_path), without_numbers)
    assert caught.value.exit_code == 2
    assert all(key in caught.value.message for key in keys)
    assert f"lane `{LANE}`" in caught.value.message


def test_an_edit_by_hand_keeps_its_key_and_is_named(tmp_path: Path) -> None:
    cassette = recorded(tmp_path)
    data = cassette.data.replace(b"Again 12", b"Again 13")
    edited = Cassette(data, lane=LANE, name="x", objects=cassette.objects)
    lane = rekey(edited, as_it_is)
    assert lane.by_hand
    assert text_of(lane) == edited.data


def test_notes_on_lost_attempts_follow_the_keys_of_other_lanes(tmp_path: Path) -> None:
    cassette = recorded(tmp_path)
    first = cassette.addresses()[0]
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD)
    request: JsonObject = {"attempt": "other"}
    address = Address(Lane("other"), interaction_key(request), 1)
    answers: JsonObject = {"lost": "timeout", "answers": [[LANE, first.key], ["gone", first.key]]}
    session.append(Interaction(address, "command", request, answers))
    lanes = [
        rekey(each, as_it_is, key_of=next_key, version=NEXT)
        for each in (cassette, load(tmp_path, Lane("other")))
    ]
    text = rekeyed_text(lanes[1], new_keys(lanes), cassette.objects.put).decode()
    assert lanes[0].recordings[0].new.key in text
    assert text.count(first.key) == 1


def test_headers_name_their_version_of_keys_unless_it_is_the_first() -> None:
    header = Header(LANE)
    assert b"keys:" not in header.text()
    assert read_header(header.text(), "x", alone=False) == header
    newer = replace(header, keys=NEXT).text()
    with pytest.raises(FormatError, match="of version 2; this release computes 1"):
        read_header(newer, "x", alone=False)
    for bad in (b"keys: 0", b"keys: yes", b"keys: 1.5"):
        with pytest.raises(FormatError, match="is no version of keys"):
            read_header(newer.replace(b"keys: 2", bad), "x", alone=False)
