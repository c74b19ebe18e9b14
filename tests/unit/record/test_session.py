"""A session replays exactly, records what is missing, and says what was not used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentci.adapters.files import LocalFiles
from agentci.core.errors import CassetteMiss, FormatError, SafetyRefusal
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.record.interaction import Interaction
from agentci.record.keys import interaction_key
from agentci.record.session import Mode, RecordingSession, is_below
from tests.support.recordings import LANE, converse, play, request_of, user

FILES = LocalFiles()


def open_session(folder: Path, mode: Mode, *, record_all: bool = False) -> RecordingSession:
    return RecordingSession(FILES, folder, mode=mode, record_all=record_all)


def ask(session: RecordingSession, text: str, answer: str = "", lane: Lane = LANE) -> JsonObject:
    return play(session, request_of(user(text)), {"content": answer or f"to {text}"}, lane).response


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_was_recorded_is_replayed_to_the_bit_and_sealing_writes_nothing(
    tmp_path: Path,
) -> None:
    first = open_session(tmp_path, Mode.RECORD)
    answers = converse(first, 4)
    digest = first.seal()
    before = content(tmp_path)
    for mode in (Mode.REPLAY, Mode.AUTO, Mode.RECORD):
        session = open_session(tmp_path, mode)
        assert converse(session, 4) == answers
        assert session.unplayed() == ()
        assert session.seal() == digest
        assert content(tmp_path) == before
        session.close()


def test_the_recorded_request_notes_and_provenance_come_back_whole(tmp_path: Path) -> None:
    session = open_session(tmp_path, Mode.RECORD)
    request = request_of(user("q"), temperature=0.5, stop=["\n---\n"], nested={"b": [1, True]})
    address = session.reserve(LANE, interaction_key(request))
    interaction = Interaction(
        address, "model", request, {"chunks": ["data: 1\n\n", "data: [DONE]\n\n"]},
        notes={"seed": {"sent": True}}, provenance={"recorded": "2026-11-23T00:00:00Z"},
    )  # fmt: skip
    session.append(interaction)
    replay = open_session(tmp_path, Mode.REPLAY)
    found = replay.lookup(replay.reserve(LANE, address.key))
    assert found == interaction
    assert interaction_key(found.request) == address.key


def test_equal_requests_of_a_lane_get_their_answers_in_the_order_of_asking(tmp_path: Path) -> None:
    session = open_session(tmp_path, Mode.RECORD)
    given_answers = [ask(session, "same", f"answer {n}") for n in range(5)]
    session.seal()
    replay = open_session(tmp_path, Mode.REPLAY)
    assert [ask(replay, "same") for _ in range(5)] == given_answers
    assert len({str(answer) for answer in given_answers}) == 5


def test_lanes_do_not_share_recordings(tmp_path: Path) -> None:
    session = open_session(tmp_path, Mode.RECORD)
    ask(session, "q", "a", Lane("one"))
    ask(session, "q", "b", Lane("two"))
    replay = open_session(tmp_path, Mode.REPLAY)
    assert ask(replay, "q", lane=Lane("two")) == {"content": "b"}
    assert ask(replay, "q", lane=Lane("one")) == {"content": "a"}


@pytest.mark.parametrize("kind", ["model", "tool"])
def test_a_replay_records_nothing_and_a_miss_is_an_error(kind: str, tmp_path: Path) -> None:
    session = open_session(tmp_path, Mode.REPLAY)
    request = request_of(user("q"))
    address = session.reserve(LANE, interaction_key(request))
    assert session.lookup(address) is None
    assert not session.can_record
    miss = session.miss(address, request, "model")
    assert isinstance(miss, CassetteMiss)
    assert miss.exit_code == 4
    session.seal()
    assert content(tmp_path) == {}


def test_unplayed_recordings_are_named_by_lane_and_in_the_order_of_the_file(tmp_path: Path) -> None:
    session = open_session(tmp_path, Mode.RECORD)
    for lane in ("b", "a", "a/c"):
        for text in ("1", "2"):
            ask(session, text, lane=Lane(lane))
    session.seal()
    replay = open_session(tmp_path, Mode.REPLAY)
    ask(replay, "1", lane=Lane("a"))
    key = {text: interaction_key(request_of(user(text))) for text in ("1", "2")}
    assert [(a.lane, a.key) for a in replay.unplayed()] == [
        ("a", key["2"]), ("a/c", key["1"]), ("a/c", key["2"]), ("b", key["1"]), ("b", key["2"]),
    ]  # fmt: skip
    assert [a.lane for a in replay.unplayed([Lane("a"), Lane("none")])] == ["a"]
    assert replay.visited == ("a",)
    assert [(a.lane, a.key) for a in replay.played] == [("a", key["1"])]


def test_what_a_cached_step_used_counts_as_played(tmp_path: Path) -> None:
    session = open_session(tmp_path, Mode.RECORD)
    ask(session, "1", lane=Lane("step/agent"))
    ask(session, "2", lane=Lane("other"))
    used = session.played_under(Lane("step"))
    session.seal()
    replay = open_session(tmp_path, Mode.REPLAY)
    replay.mark_played(used)
    assert replay.played == used
    assert [address.lane for address in replay.unplayed()] == ["other"]


def test_auto_records_only_what_is_missing_and_keeps_the_rest_as_it_is(tmp_path: Path) -> None:
    first = open_session(tmp_path, Mode.AUTO)
    ask(first, "1")
    ask(first, "3")
    first.seal()
    (name, before), *_ = content(tmp_path).items()
    second = open_session(tmp_path, Mode.AUTO)
    for text in ("1", "2", "3"):
        ask(second, text)
    second.seal()
    after = content(tmp_path)[name]
    header, one, three = before.split(b"---\n")
    assert after.split(b"---\n")[:2] == [header, one]
    assert after.split(b"---\n")[3] == three
    replay = open_session(tmp_path, Mode.REPLAY)
    for text in ("3", "2", "1"):
        assert ask(replay, text) == {"content": f"to {text}"}


def test_auto_never_removes_and_record_removes_what_visited_lanes_did_not_ask_for(
    tmp_path: Path,
) -> None:
    first = open_session(tmp_path, Mode.RECORD)
    for lane in ("visited", "other"):
        for text in ("1", "2", "3"):
            ask(first, text, lane=Lane(lane))
    first.seal()
    for mode, complete, left in (
        (Mode.AUTO, True, 5),
        (Mode.RECORD, False, 5),
        (Mode.RECORD, True, 3),
    ):
        session = open_session(tmp_path, mode)
        ask(session, "2", lane=Lane("visited"))
        session.seal(complete=complete)
        assert len(session.unplayed()) == left


def test_a_lane_left_without_recordings_has_no_file(tmp_path: Path) -> None:
    first = open_session(tmp_path, Mode.RECORD)
    ask(first, "1")
    first.seal()
    session = open_session(tmp_path, Mode.RECORD)
    session.reserve(LANE, interaction_key({}))
    session.seal()
    assert content(tmp_path) == {}


def test_recording_all_asks_again_and_gives_the_same_file_for_the_same_answers(
    tmp_path: Path,
) -> None:
    first = open_session(tmp_path, Mode.RECORD)
    converse(first, 3)
    digest = first.seal()
    before = content(tmp_path)
    again = open_session(tmp_path, Mode.RECORD, record_all=True)
    assert again.lookup(again.reserve(Lane("x"), interaction_key({}))) is None
    converse(again, 3)
    assert again.seal() == digest
    assert content(tmp_path) == before
    changed = open_session(tmp_path, Mode.RECORD, record_all=True)
    converse(changed, 2, text="other")
    changed.seal()
    assert len(open_session(tmp_path, Mode.REPLAY).unplayed()) == 2


def test_the_digest_covers_answers_and_not_provenance(tmp_path: Path) -> None:
    def record(folder: Path, answer: str, date: str) -> str:
        session = open_session(folder, Mode.RECORD)
        request = request_of(user("q"))
        for _ in range(2):
            address = session.reserve(LANE, interaction_key(request))
            session.append(
                Interaction(
                    address, "model", request, {"content": answer},
                    provenance={"recorded": date, "text": "a\n\nb\n"},
                )
            )  # fmt: skip
        return session.seal()

    one = record(tmp_path / "1", "a", "2026-01-01")
    assert record(tmp_path / "2", "a", "2027-01-01") == one
    assert record(tmp_path / "3", "b", "2026-01-01") != one


def test_live_neither_reads_nor_writes(tmp_path: Path) -> None:
    ask(open_session(tmp_path, Mode.RECORD), "q", "recorded")
    before = content(tmp_path)
    session = open_session(tmp_path, Mode.LIVE)
    assert session.can_record
    assert ask(session, "q", "live") == {"content": "live"}
    digest = session.blobs.put(b"x")
    assert session.blobs.get(digest) == b"x"
    assert session.unplayed() == ()
    session.seal()
    assert content(tmp_path) == before


def test_a_replay_keeps_attachments_in_memory(tmp_path: Path) -> None:
    session = open_session(tmp_path, Mode.REPLAY)
    assert session.blobs.get(session.blobs.put(b"image")) == b"image"
    assert content(tmp_path) == {}


@pytest.mark.parametrize("where", ["request", "response"])
def test_a_secret_is_refused_and_not_repeated(where: str, tmp_path: Path) -> None:
    secret = "sk-proj-" + "aB3dE6gH9jK2mN5pQ8sT"
    session = open_session(tmp_path, Mode.RECORD)
    with pytest.raises(SafetyRefusal) as caught:
        ask(session, secret if where == "request" else "q", secret if where == "response" else "a")
    assert caught.value.code == "ACI-P120"
    assert secret not in f"{caught.value} {caught.value.hint}"
    assert not any(secret.encode() in data for data in content(tmp_path).values())
    assert session.played == ()
    ask(session, "harmless")
    session.seal()
    assert len(open_session(tmp_path, Mode.REPLAY).unplayed()) == 1


def test_a_secret_in_a_large_text_is_refused_before_it_is_stored(tmp_path: Path) -> None:
    secret = "ghp_" + "aB3dE6gH9jK2mN5pQ8sTuV1wX4yZ7aB3dE6g"
    session = open_session(tmp_path, Mode.RECORD)
    with pytest.raises(SafetyRefusal):
        ask(session, "q", f"{'text ' * 20_000}\n{secret}\n")
    assert content(tmp_path) == {}


def test_a_file_of_another_lane_newer_version_or_no_cassette_is_named(tmp_path: Path) -> None:
    ask(open_session(tmp_path, Mode.RECORD), "q", lane=Lane("a"))
    path = tmp_path / "a.yaml"
    good = path.read_bytes()
    for old, new, code in (
        (b"version: 1", b"version: 2", "ACI-F111"),
        (b"format: agentci/cassette", b"format: other", "ACI-F110"),
        (b"lane: a", b"lane: b", "ACI-F112"),
        (b"lane: a", b"lane: [", "ACI-F110"),
        (good, b"\xff\xfe\x00", "ACI-F110"),
        (b"response:", b"response: [", "ACI-F112"),
        (b"kind: model", b"kind: dream", "ACI-F112"),
    ):
        path.write_bytes(good.replace(old, new, 1))
        with pytest.raises(FormatError, match=r"a\.yaml") as caught:
            ask(open_session(tmp_path, Mode.REPLAY), "q", lane=Lane("a"))
        assert caught.value.code == code
        assert caught.value.exit_code == 2
        assert caught.value.hint


def test_a_checkout_with_windows_line_ends_replays(tmp_path: Path) -> None:
    session = open_session(tmp_path, Mode.RECORD)
    answers = converse(session, 3)
    digest = session.seal()
    for path in tmp_path.rglob("*.yaml"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    replay = open_session(tmp_path, Mode.REPLAY)
    assert converse(replay, 3) == answers
    assert replay.seal() == digest


def test_a_cassette_that_somebody_formatted_by_hand_replays(tmp_path: Path) -> None:
    ask(open_session(tmp_path, Mode.RECORD), "q")
    (path,) = tmp_path.rglob("*.yaml")
    text = path.read_text()
    key = interaction_key(request_of(user("q")))
    text = text.replace(
        f"---\nkey: {key}\nkind: model\n", f'--- # mine\nkind: "model"\nkey: "{key}"\n'
    )
    path.write_text(text)
    assert ask(open_session(tmp_path, Mode.REPLAY), "q") == {"content": "to q"}


def test_a_hand_edited_answer_is_served_and_changes_the_digest(tmp_path: Path) -> None:
    session = open_session(tmp_path, Mode.RECORD)
    ask(session, "q")
    digest = session.seal()
    (path,) = tmp_path.rglob("*.yaml")
    path.write_text(path.read_text().replace("to q", "edited"))
    replay = open_session(tmp_path, Mode.REPLAY)
    assert ask(replay, "q") == {"content": "edited"}
    assert replay.seal() != digest


def test_a_message_list_that_its_owner_goes_on_growing_does_no_harm(tmp_path: Path) -> None:
    session = open_session(tmp_path, Mode.RECORD)
    messages: list[JsonObject] = [user("long text " * 50)]
    requests = []
    for number in range(4):
        body: JsonObject = {"model": "m", "messages": messages}
        request: JsonObject = {"dialect": "d", "method": "POST", "path": "/", "body": body}
        requests.append((interaction_key(request), [*messages]))
        play(session, request, {"n": number})
        messages.append(user(f"turn {number}"))
    session.seal()
    replay = open_session(tmp_path, Mode.REPLAY)
    for key, expected in requests:
        found = replay.lookup(replay.reserve(LANE, key))
        assert found is not None
        stored = found.request["body"]
        assert isinstance(stored, dict)
        assert stored["messages"] == expected


def test_the_parts_below_a_lane() -> None:
    for part in ("a", "a/b", "a[1]", "a#2", "a~2/x"):
        assert is_below(Lane(part), Lane("a"))
    for other in ("ab", "b", "ab/a"):
        assert not is_below(Lane(other), Lane("a"))


words = st.sampled_from(["a", "b", "long " * 60, "c\n---\nd\n", "e\r"])


@given(
    calls=st.lists(
        st.tuples(st.sampled_from(["x", "y[1]"]), st.lists(words, min_size=1, max_size=4)),
        min_size=1,
        max_size=12,
    )
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_sequence_of_calls_replays_also_after_partial_recordings(
    calls: list[tuple[str, list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cassettes")

    def run(session: RecordingSession, chosen: list[tuple[str, list[str]]]) -> list[JsonObject]:
        return [
            play(session, request_of(*map(user, texts)), {"content": f"{n}"}, Lane(lane)).response
            for n, (lane, texts) in enumerate(chosen)
        ]

    part = calls[: len(calls) // 2]
    run(open_session(folder, Mode.AUTO), part[::-1])
    session = open_session(folder, Mode.RECORD)
    answers = run(session, calls)
    digest = session.seal()
    replay = open_session(folder, Mode.REPLAY)
    assert run(replay, calls) == answers
    assert replay.unplayed() == ()
    assert replay.seal() == digest
    for address in replay.played:
        check = open_session(folder, Mode.REPLAY)
        found = check.lookup(address)
        assert found is not None
        assert interaction_key(found.request) == address.key


def test_objects_leave_with_the_recordings_that_named_them(tmp_path: Path) -> None:
    picture = "QUJD" * 1000
    first = open_session(tmp_path, Mode.RECORD)
    ask(first, "old", picture)
    ask(first, "new", "DEFG" * 1000)
    first.seal()
    assert len(list(first.blobs.digests())) == 2
    for mode, left in ((Mode.AUTO, 2), (Mode.RECORD, 1)):
        session = open_session(tmp_path, mode)
        ask(session, "new")
        session.seal()
        assert len(list(session.blobs.digests())) == left
    assert ask(open_session(tmp_path, Mode.REPLAY), "new") == {"content": "DEFG" * 1000}
