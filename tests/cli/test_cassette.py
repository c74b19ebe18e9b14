"""`agentci cassette`: listing, showing and proving recordings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.record.interaction import Interaction, InteractionKind
from agentci.record.keys import interaction_key
from agentci.record.session import Mode, RecordingSession
from tests.support.command_line import agentci

BLOB = "QUJD" * 2000  # long enough to be kept as an object


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with recordings of two pipelines."""
    (tmp_path / "agentci.yaml").write_text("format: agentci/config\nversion: 1\n")
    _record(tmp_path, "bugfix", "plan", "model", {"messages": ["say hello"]})
    _record(tmp_path, "bugfix", "fix[1]/code", "model", {"messages": ["write", BLOB]})
    _record(tmp_path, "bugfix", "fix[1]/code", "tool", {"tool": "search"})
    _record(tmp_path, "fleet", "plan", "model", {"messages": ["other"]})
    return tmp_path


def _record(
    project: Path, cassette: str, lane: str, kind: InteractionKind, *requests: JsonObject
) -> None:
    session = RecordingSession(LocalFiles(), project / "cassettes" / cassette, mode=Mode.AUTO)
    for request in requests:
        address = session.reserve(Lane(lane), interaction_key(request))
        session.append(Interaction(address, kind, request, {"answer": f"to {kind}"}))
    session.close()


def _talk(project: Path, turns: int) -> Path:
    """Record a conversation, in which each request continues the one before."""
    said = ["a long first message " * 20, *(f"turn {turn}" for turn in range(1, turns))]
    requests: list[JsonObject] = [{"body": {"messages": said[: turn + 1]}} for turn in range(turns)]
    _record(project, "bugfix", "talk", "model", *requests)
    return project / "cassettes" / "bugfix" / "talk.yaml"


def _lane_file(project: Path) -> Path:
    return project / "cassettes" / "bugfix" / "plan.yaml"


def test_list_counts_calls_of_every_lane(project: Path) -> None:
    done = agentci("cassette", "list", folder=project)
    assert done.code == 0
    rows = [line.split()[:4] for line in done.out.splitlines()[1:]]
    assert rows == [
        ["bugfix", "fix[1]/code", "1", "1"],
        ["bugfix", "plan", "1", "0"],
        ["fleet", "plan", "1", "0"],
    ]


def test_list_of_one_cassette_by_name_or_path(project: Path) -> None:
    for name in ("fleet", "cassettes/fleet", "fleet/"):
        result = json.loads(agentci("cassette", "list", name, "--json", folder=project).out)
        assert [lane["cassette"] for lane in result["lanes"]] == ["fleet"]


def test_show_prints_the_transcript_of_a_lane(project: Path) -> None:
    done = agentci("cassette", "show", "bugfix", "plan", folder=project)
    assert (done.code, done.out) == (0, _lane_file(project).read_text())


def test_show_as_json_has_complete_requests(project: Path) -> None:
    done = agentci("cassette", "show", "bugfix", "fix[1]/code", "--json", folder=project)
    (lane,) = json.loads(done.out)["lanes"]
    first = lane["interactions"][0]
    assert first["request"] == {"messages": ["write", BLOB]}
    assert first["key"] == interaction_key(first["request"])
    assert first["response"] == {"answer": "to model"}


def test_verify_counts_what_it_checked(project: Path) -> None:
    done = agentci("cassette", "verify", folder=project)
    assert (done.code, done.err) == (0, "")
    assert done.out == "ok: 2 cassettes, 4 interactions, 1 blob\n"


def test_verify_finds_an_edited_request(project: Path) -> None:
    file = _lane_file(project)
    file.write_text(file.read_text().replace("say hello", "say hullo"))
    done = agentci("cassette", "verify", folder=project)
    assert done.code == 8
    assert "changed by hand" in done.err
    assert "cassettes/bugfix/plan.yaml:6" in done.err


def test_verify_finds_an_edited_key(project: Path) -> None:
    file = _lane_file(project)
    key = interaction_key({"messages": ["say hello"]})
    file.write_text(file.read_text().replace(key, interaction_key({"messages": ["other"]})))
    done = agentci("cassette", "verify", folder=project)
    assert (done.code, "changed by hand" in done.err) == (8, True)


def test_verify_finds_an_edit_in_what_later_requests_continue(project: Path) -> None:
    file = _talk(project, 3)
    assert file.read_text().count("continues:") == 2
    file.write_text(file.read_text().replace("a long first", "a short first", 1))
    done = agentci("cassette", "verify", "--json", folder=project)
    problems = json.loads(done.out)["problems"]
    assert (done.code, [each["code"] for each in problems]) == (8, ["ACI-P123"] * 3)


def test_verify_finds_a_recording_that_others_continue_gone(project: Path) -> None:
    file = _talk(project, 2)
    header, _, second = file.read_text().split("---\n")
    file.write_text(f"{header}---\n{second}")
    done = agentci("cassette", "verify", folder=project)
    assert (done.code, "which others continue, is gone" in done.err) == (2, True)
    assert "talk.yaml:6" in done.err


def test_verify_finds_a_missing_and_a_changed_blob(project: Path) -> None:
    (blob,) = (path for path in (project / "cassettes").rglob("objects-v1/*/*") if path.is_file())
    blob.chmod(0o644)
    blob.write_bytes(b"something else")
    assert agentci("cassette", "verify", folder=project).code == 8
    blob.unlink()
    done = agentci("cassette", "verify", "bugfix", folder=project)
    assert (done.code, "is missing" in done.err) == (2, True)


def test_verify_finds_a_damaged_file_and_looks_at_the_others(project: Path) -> None:
    _lane_file(project).write_text("no cassette\n")
    done = agentci("cassette", "verify", "--json", folder=project)
    assert done.code == 2
    result = json.loads(done.out)
    assert [each["code"] for each in result["problems"]] == ["ACI-F110"]
    assert result["interactions"] == 3


@pytest.mark.parametrize("part", ["request:", "response:", "kind: model"])
def test_verify_finds_a_part_that_cannot_be_read(project: Path, part: str) -> None:
    file = _lane_file(project)
    file.write_text(file.read_text().replace(part, f"{part} ["))
    done = agentci("cassette", "verify", folder=project)
    assert (done.code, "cannot be read" in done.err) == (2, True)
    assert "Traceback" not in done.err


def test_verify_finds_a_file_in_the_place_of_another_lane(project: Path) -> None:
    file = _lane_file(project)
    file.rename(file.with_name("plain.yaml"))
    done = agentci("cassette", "verify", folder=project)
    assert (done.code, "plain.yaml` is not the cassette of a lane" in done.err) == (2, True)


def test_tampering_counts_more_than_what_cannot_be_read(project: Path) -> None:
    file = _lane_file(project)
    file.write_text(file.read_text().replace("say hello", "say hullo"))
    (file.parent / "other.yaml").write_text("no cassette\n")
    assert agentci("cassette", "verify", folder=project).code == 8


def test_verify_notes_what_nothing_reads_and_what_is_recorded_twice(project: Path) -> None:
    folder = _lane_file(project).parent
    (folder / "notes.txt").write_text("mine\n")
    (folder / "objects-v1" / "ab").mkdir(parents=True, exist_ok=True)
    (folder / "objects-v1" / "ab" / "short").write_text("mine\n")
    text = _lane_file(project).read_text()
    _lane_file(project).write_text(text + text[text.index("---\n") :])
    done = agentci("cassette", "verify", folder=project)
    assert done.code == 0
    assert "bugfix/notes.txt`: nothing reads it" in done.err
    assert "objects-v1/ab/short`: nothing reads it" in done.err
    assert "is recorded more than once" in done.err


def test_verify_names_a_secret_that_was_pasted_in_and_does_not_repeat_it(project: Path) -> None:
    file = _lane_file(project)
    secret = "sk-ant-" + "a1B2c3D4e5F6g7H8i9J0k1"
    file.write_text(file.read_text().replace("to model", secret))
    done = agentci("cassette", "verify", folder=project)
    assert done.code == 8
    assert "looks like a secret" in done.err
    assert secret not in done.err + done.out


def test_unknown_names_are_answered_with_the_nearest(project: Path) -> None:
    done = agentci("cassette", "list", "bugfx", folder=project)
    assert (done.code, "did you mean `bugfix`?" in done.err) == (5, True)
    done = agentci("cassette", "show", "bugfix", "plam", folder=project)
    assert (done.code, "did you mean `plan`?" in done.err) == (5, True)


def test_without_recordings_it_says_how_to_make_some(tmp_path: Path) -> None:
    (tmp_path / "pipelines").mkdir()
    done = agentci("cassette", "list", folder=tmp_path)
    assert (done.code, "agentci run" in done.err) == (5, True)
