"""`agentci cassette scan` and `agentci cassette redact`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentci.core.lane import Lane
from agentci.record.session import Mode
from tests.support.command_line import agentci
from tests.support.planted_secrets import drawn
from tests.support.secret_talks import Secrets, content_of, open_talk, record_unguarded, talk

OURS = Secrets("ghp_" + drawn("a", 36), "sk-proj-" + drawn("b", 60), "sk_live_" + drawn("c", 24))
OTHERS = Secrets("ghp_" + drawn("g", 36), OURS.made, "xoxb-1234567890-" + drawn("h", 24))
CLEAN = Secrets("one", "two", "three")
ALL = {*(OURS.given, OURS.made, OURS.read), OTHERS.given, OTHERS.read}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a folder of recordings with secrets, and one without."""
    (tmp_path / "agentci.yaml").write_text("format: agentci/config\nversion: 1\n")
    lanes = {Lane("code"): CLEAN, Lane("plan"): OURS, Lane("test"): OTHERS}
    record_unguarded(tmp_path / "cassettes" / "bugfix", lanes)
    record_unguarded(tmp_path / "cassettes" / "fleet", {Lane("plan"): CLEAN})
    return tmp_path


def test_scan_names_every_place_and_no_secret(project: Path) -> None:
    done = agentci("cassette", "scan", folder=project)
    assert done.code == 8
    assert not [secret for secret in ALL if secret in done.out + done.err]
    result = json.loads(agentci("cassette", "scan", "--json", folder=project).out)
    first = result["findings"][0]
    assert first["kind"] == "github-token"
    assert first["file"] == "cassettes/bugfix/plan.yaml"
    assert first["lane"] == "plan"
    assert first["path"] == "request.body.messages[1].content"
    line = (project / first["file"]).read_text().splitlines()[first["line"] - 1]
    assert OURS.given in line
    assert {each["file"] for each in result["findings"]} == {
        "cassettes/bugfix/plan.yaml",
        "cassettes/bugfix/test.yaml",
    }


def test_scan_of_one_folder_or_of_any_file(project: Path) -> None:
    assert agentci("cassette", "scan", "fleet", folder=project).code == 0
    assert agentci("cassette", "scan", "cassettes/fleet", folder=project).code == 0
    (project / "notes.txt").write_text(f"a\n{OURS.given}\n")
    done = agentci("cassette", "scan", "notes.txt", folder=project)
    assert (done.code, "notes.txt:2" in done.out) == (8, True)
    done = agentci("cassette", "scan", "nothing.txt", folder=project)
    assert done.code == 5


def test_verify_refuses_what_scan_finds(project: Path) -> None:
    assert agentci("cassette", "verify", "bugfix", folder=project).code == 8
    assert agentci("cassette", "verify", "fleet", folder=project).code == 0


def test_allowed_findings_pass_and_entries_about_nothing_are_named(project: Path) -> None:
    (project / "cassettes" / "secrets.allow.yaml").write_text(
        "format: agentci/secret-allow\nversion: 1\nallow:\n"
        "  - kind: github-token\n    reason: tokens of a test server\n"
        "  - cassette: bugfix\n    path: re*\n    reason: all else in this folder\n"
        "  - kind: jwt\n    reason: there is none of this kind\n"
    )
    done = agentci("cassette", "scan", folder=project)
    assert (done.code, "entry 3 of" in done.err) == (0, True)
    assert agentci("cassette", "verify", folder=project).code == 0
    assert "secrets.allow" not in agentci("cassette", "list", folder=project).out


def test_redact_leaves_no_secret_and_recordings_that_replay(project: Path) -> None:
    folder = project / "cassettes" / "bugfix"
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    assert agentci("cassette", "redact", "--dry-run", folder=project).code == 0
    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == before
    assert not (folder / "redaction.json").exists()

    done = agentci("cassette", "redact", folder=project)
    assert done.code == 0
    assert "bugfix: 5 secrets were replaced in 6 recordings of 2 lanes" in done.out
    assert "fleet: nothing to redact" in done.out
    data = content_of(project)
    assert not [secret for secret in ALL if secret.encode() in data]
    assert (folder / "code.yaml").read_bytes() == before[folder / "code.yaml"]
    assert agentci("cassette", "scan", folder=project).code == 0
    assert agentci("cassette", "verify", folder=project).code == 0

    for plan, test in ((OURS, OTHERS), (OTHERS, OURS)):
        replay = open_talk(folder, Mode.REPLAY)
        assert talk(replay, CLEAN, Lane("code"))[0].startswith("You gave me one;")
        if plan is OURS:
            assert "<redacted:" in talk(replay, plan, Lane("plan"))[2]
            talk(replay, test, Lane("test"))
            assert replay.unplayed() == ()

    after = content_of(project)
    assert agentci("cassette", "redact", folder=project).code == 0
    assert content_of(project) == after


def test_redact_removes_objects_with_secrets(project: Path) -> None:
    folder = project / "cassettes" / "large"
    known = Secrets("word " * 20_000 + OURS.given, "two", "three")
    record_unguarded(folder, {Lane("plan"): known})
    assert OURS.given.encode() in content_of(folder / "objects-v1")
    result = json.loads(agentci("cassette", "redact", "large", "--json", folder=project).out)
    assert result["folders"][0]["removed"] >= 1
    assert OURS.given.encode() not in content_of(folder)
    assert agentci("cassette", "verify", "large", folder=project).code == 0
    talk(open_talk(folder, Mode.REPLAY), known)


def test_a_secret_that_shows_only_elsewhere_is_redacted_and_the_miss_announced(
    project: Path,
) -> None:
    word = "hunter2-wonderland"
    folder = project / "cassettes" / "odd"
    lanes = {
        Lane("a"): Secrets(word, "two", "three"),
        Lane("b"): Secrets("one", "two", f"password={word}"),
    }
    record_unguarded(folder, lanes)
    done = agentci("cassette", "redact", "odd", folder=project)
    assert "will miss at replay" in done.err
    assert word.encode() not in content_of(folder)


def test_a_folder_can_be_redacted_from_its_first_recording_on(project: Path) -> None:
    done = agentci("cassette", "redact", "new", "--always", folder=project)
    assert (done.code, "nothing to redact" in done.out) == (0, True)
    folder = project / "cassettes" / "new"
    said = talk(open_talk(folder, Mode.RECORD), OURS)
    assert not [secret for secret in ALL if secret.encode() in content_of(folder)]
    assert talk(open_talk(folder, Mode.REPLAY), OURS) == said
    assert agentci("cassette", "verify", folder=project).code == 8  # only of `bugfix`
    assert agentci("cassette", "verify", "new", folder=project).code == 0
    assert agentci("cassette", "redact", "../x y", "--always", folder=project).code == 2


def test_unknown_names_are_answered_with_the_nearest(project: Path) -> None:
    done = agentci("cassette", "redact", "bugfx", folder=project)
    assert (done.code, "did you mean `bugfix`?" in done.err) == (5, True)
