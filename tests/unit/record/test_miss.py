"""A miss is explained on one screen: the nearest recording, the cause, the words that differ."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.adapters.files import LocalFiles
from agentci.core.errors import CassetteMiss
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.record.interaction import InteractionKind
from agentci.record.json_diff import differences
from agentci.record.keys import interaction_key
from agentci.record.session import Mode, RecordingSession
from agentci.record.text_diff import word_diff
from tests.support.recordings import LANE, SYSTEM, converse, play, request_of, response_of, user

LONG = " ".join(f"word{n}" for n in range(5000))


def turn(text: str = "done") -> JsonObject:
    return {"role": "assistant", "content": text}


def recorded(folder: Path) -> None:
    session = RecordingSession(LocalFiles(), folder, mode=Mode.RECORD)
    for number in range(30):
        play(session, request_of(user(f"Something else entirely, number {number}")), {})
    play(session, request_of(user("Review the patch of calc.py, please.")), response_of(turn()))
    play(
        session,
        request_of(
            user("Review the patch of calc.py, please."), turn("first"), user(f"Context: {LONG}")
        ),
        response_of(turn()),
    )
    tool: JsonObject = {"tool": "run_command", "version": 1, "arguments": {"argv": ["pytest"]}}
    play(session, {**tool, "tree": "a" * 40}, {"content": "ok"})
    session.seal()


def miss(folder: Path, request: JsonObject, lane: Lane = LANE) -> CassetteMiss:
    session = RecordingSession(
        LocalFiles(), folder, mode=Mode.REPLAY, rerecord="agentci run pipelines/x --mode record"
    )
    address = session.reserve(lane, interaction_key(request))
    assert session.lookup(address) is None
    kind: InteractionKind = "tool" if "tool" in request else "model"
    return session.miss(address, request, kind)


REVIEW = user("Review the patch of calc.py, please.")


def changed_system() -> JsonObject:
    request: Any = copy.deepcopy(dict(request_of(REVIEW)))
    request["body"]["messages"][0]["content"] = str(SYSTEM["content"]) + "Be brief.\n"
    return request  # type: ignore[no-any-return]  # JSON


def changed_tool() -> JsonObject:
    request: Any = copy.deepcopy(dict(request_of(REVIEW)))
    request["body"]["tools"][0]["function"]["description"] = "Read any file of the workspace."
    return request  # type: ignore[no-any-return]  # JSON


@pytest.mark.parametrize(
    ("request_body", "cause", "shown"),
    [
        (request_of(user("Review the patch of math.py, please.")), "prompt edited",
         "[-calc-]{+math+}.py"),
        (changed_system(), "system prompt edited", "{+Be brief.\\n+}"),
        (changed_tool(), "tool schema changed", "Read [-a-]{+any+} file"),
        (request_of(REVIEW, temperature=0.5), "field `temperature` added", "{+0.5+}"),
        (request_of(REVIEW, model="scripted-2"), "another model", "scripted-[-1-]{+2+}"),
        (request_of(REVIEW, user("And now?")), "the conversation has more messages than recorded",
         "And now?"),
        (request_of(REVIEW, turn("second"), user(f"Context: {LONG}")), "an earlier answer differs",
         "[-first-]{+second+}"),
        (request_of(REVIEW, turn("first"), user(f"Context: {LONG.replace('word2500', 'other')}")),
         "prompt edited", "word2499 [-word2500-]{+other+} word2501"),
        (request_of(user(f"Context: {LONG}"), turn("first"), REVIEW),
         "the messages come in another order", "messages"),
        ({"tool": "run_command", "version": 1, "arguments": {"argv": ["pytest"]}, "tree": "b" * 40},
         "the files differ from those at recording", "tree"),
        ({"tool": "run_command", "version": 1, "arguments": {"argv": ["ls"]}, "tree": "a" * 40},
         "the tool's arguments differ", "[-pytest-]{+ls+}"),
    ],
)  # fmt: skip
def test_the_cause_and_the_changed_words_are_named(
    request_body: JsonObject, cause: str, shown: str, tmp_path: Path
) -> None:
    recorded(tmp_path)
    error = miss(tmp_path, request_body)
    assert f"cause: {cause}\n" in error.message
    assert shown in error.message
    assert len(error.message) < 1500
    assert len(error.message.splitlines()) < 16
    assert "coder.yaml:" in error.message
    assert error.hint == "record it with `agentci run pipelines/x --mode record`"
    assert error.code == "ACI-R101"
    assert str(error.location) == "lane fix[1]/coder"


def test_one_call_too_many_is_told_from_a_changed_one(tmp_path: Path) -> None:
    recorded(tmp_path)
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    request = request_of(REVIEW)
    play(session, request, {})
    address = session.reserve(LANE, interaction_key(request))
    assert session.lookup(address) is None
    message = session.miss(address, request, "model").message
    assert "cause: extra call" in message
    assert "recorded once; this is call number 2" in message


def test_the_right_recording_in_the_wrong_lane_is_pointed_to(tmp_path: Path) -> None:
    recorded(tmp_path)
    message = miss(tmp_path, request_of(REVIEW), Lane("fix[2]/coder")).message
    assert "nothing is recorded in this lane" in message
    assert "the same request is recorded in lane `fix[1]/coder`" in message


def test_nothing_recorded_at_all_is_said(tmp_path: Path) -> None:
    assert "nothing is recorded in this lane" in miss(tmp_path, request_of(REVIEW)).message


def test_a_recording_not_played_yet_is_preferred_to_one_as_near(tmp_path: Path) -> None:
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD)
    for name in ("one", "two"):
        play(session, request_of(user(f"ask {name}")), {})
    replay = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    play(replay, request_of(user("ask one")), {})
    request = request_of(user("ask six"))
    address = replay.reserve(LANE, interaction_key(request))
    assert "[-two-]{+six+}" in replay.miss(address, request, "model").message


def test_a_tool_result_deep_in_a_long_conversation_is_found(tmp_path: Path) -> None:
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD)
    converse(session, 40, text="some output")
    replay = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    body: Any = None
    for address in replay.unplayed():
        found = replay.lookup(address)
        assert found is not None
        body = found.request["body"]
    request: Any = copy.deepcopy({**request_of(), "body": dict(body)})
    request["body"]["messages"][43]["content"] = "21\nother output\n"
    address = replay.reserve(LANE, interaction_key(request))
    message = replay.miss(address, request, "model").message
    assert "cause: a tool result differs" in message
    assert "body.messages[43].content" in message
    assert "[-some-]{+other+} output" in message


def test_a_live_run_has_no_recordings_to_miss(tmp_path: Path) -> None:
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.LIVE)
    address = session.reserve(LANE, interaction_key({}))
    assert "live" in session.miss(address, {}, "model").message


def test_a_change_is_shown_with_little_around_it() -> None:
    old = f"{'start ' * 100}the quick brown fox{' end' * 100}"
    shown = word_diff(old, old.replace("quick", "slow"))
    assert "the [-quick-]{+slow+} brown fox" in shown
    assert len(shown) < 130
    assert word_diff("a\nb", "a\nc") == "a\\n[-b-]{+c+}"
    assert word_diff("x" * 9000, "y" * 9000).count("x") < 200
    assert word_diff("a " * 9000, "b " * 9000).count("a") < 200


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_are_compared_and_stay_on_one_line(old: str, new: str) -> None:
    shown = word_diff(old, new)
    assert len(shown.splitlines()) <= 1
    assert ("[-" in shown or "{+" in shown) or old == new or "..." in shown


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.text(max_size=2)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=8,
)


@given(values, values)
def test_there_are_differences_exactly_where_keys_differ(old: Any, new: Any) -> None:
    same = interaction_key({"v": old}) == interaction_key({"v": new})
    assert (differences(old, new) == ()) == same
