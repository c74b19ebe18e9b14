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
    project: Path, cassette: str, lane: str, kind: InteractionKind, request: JsonObject
) -> None:
    session = RecordingSession(LocalFiles(), project / "cassettes" / cassette, mode=Mode.AUTO)
    address = session.reserve(Lane(lane), interaction_key(request))
    session.append(Interaction(address, kind, request, {"answer": f"to {kind}"}))
    session.close()


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
    assert done.code == 4
    assert "changed by hand" in done.err
    assert "cassettes/bugfix/plan.yaml:" in done.err


def test_verify_finds_a_missing_and_a_changed_blob(project: Path) -> None:
    (blob,) = (path for path in (project / "cassettes").rglob("objects-v1/*/*") if path.is_file())
    blob.chmod(0o644)
    blob.write_bytes(b"something else")
    assert agentci("cassette", "verify", folder=project).code == 8
    blob.unlink()
    done = agentci("cassette", "verify", "bugfix", folder=project)
    assert (done.code, "is missing" in done.err) == (4, True)


def test_verify_finds_a_damaged_file(project: Path) -> None:
    _lane_file(project).write_text("no cassette\n")
    done = agentci("cassette", "verify", "--json", folder=project)
    assert done.code == 4
    assert json.loads(done.out)["problems"][0]["code"].startswith("ACI-F")


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
