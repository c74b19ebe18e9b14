"""There is no size at which a saved cassette cannot be read, and a hit costs the same at any."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agentci.adapters.files import LocalAppendFile, LocalFiles
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.record.keys import interaction_key
from agentci.record.session import Mode, RecordingSession
from tests.support.recordings import LANE, converse, play, request_of, response_of, user


class QuickFiles(LocalFiles):
    """Forces nothing to the disk, which is not what is measured here."""

    def open_append(self, path: Path) -> LocalAppendFile:
        class File(LocalAppendFile):
            def append(self, data: bytes, *, sync: bool = False) -> None:
                super().append(data)

        return File(path)


def tool_request(number: int) -> JsonObject:
    return {"tool": "search", "version": 1, "arguments": {"pattern": f"p{number}"}, "tree": "0"}


@pytest.mark.slow
def test_20_000_recordings_in_one_lane_are_found_in_any_order(tmp_path: Path) -> None:
    count = 20_000
    session = RecordingSession(QuickFiles(), tmp_path, mode=Mode.RECORD)
    for number in range(count):
        play(session, tool_request(number), {"content": f"line {number}\nnext\n"})
    digest = session.seal()

    replay = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    began = time.process_time()
    for number in reversed(range(count)):
        key = interaction_key(tool_request(number))
        found = replay.lookup(replay.reserve(LANE, key))
        assert found is not None
        assert found.response == {"content": f"line {number}\nnext\n"}
    assert time.process_time() - began < 20
    assert replay.unplayed() == ()
    assert replay.seal() == digest

    changed = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    address = changed.reserve(LANE, interaction_key(tool_request(-1)))
    began = time.process_time()
    message = changed.miss(address, tool_request(-1), "tool").message
    assert "the tool's arguments differ" in message
    assert time.process_time() - began < 10


@pytest.mark.slow
def test_a_conversation_of_2_000_turns_is_recorded_read_from_its_end_and_replayed(
    tmp_path: Path,
) -> None:
    turns = 2_000
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD)
    answers = converse(session, turns, text="ok")
    played = session.played
    session.seal()

    replay = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    found = replay.lookup(played[-1])
    assert found is not None
    body = found.request["body"]
    assert isinstance(body, dict)
    assert len(body["messages"]) == 2 + 2 * (turns - 1)
    assert interaction_key(found.request) == played[-1].key

    again = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    for address, answer in zip(played, answers, strict=True):
        found = again.lookup(again.reserve(LANE, address.key))
        assert found is not None
        assert found.response == answer
    assert again.unplayed() == ()


def test_a_conversation_of_200_turns_takes_at_most_0_8_megabytes(tmp_path: Path) -> None:
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD)
    converse(session, 200)
    session.seal()
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.yaml")) <= 800_000


def test_a_very_long_text_is_kept_exactly(tmp_path: Path) -> None:
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD)
    for text in ("x y " * 1_000_000, "line\n" * 500_000, "z" * 3_000_000):
        answer = response_of({"role": "assistant", "content": text})
        play(session, request_of(user(text)), answer)
        replay = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
        assert play(replay, request_of(user(text)), {}).response == answer
    (cassette,) = tmp_path.rglob("*.yaml")
    assert cassette.stat().st_size < 20_000


def test_many_lanes_do_not_need_many_open_files(tmp_path: Path) -> None:
    session = RecordingSession(QuickFiles(), tmp_path, mode=Mode.RECORD)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for number in range(300):
        play(session, tool_request(0), {"content": ""}, Lane(f"each[{number}]/agent"))
    after = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    assert after - before < 5
    assert len(session.unplayed()) == 0
