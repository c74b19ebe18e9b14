"""Recordings with secrets are refused; redacted ones replay with any secrets, or none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agentci.core.errors import CassetteMiss, FormatError, SafetyRefusal, SpecError
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import interaction_key
from agentci.record.redact import OnSecret, SecretGuard
from agentci.record.session import Mode
from tests.support.command_line import ROOT
from tests.support.planted_secrets import PLANTED, POSITIONS, Planted, drawn
from tests.support.recordings import request_of, user
from tests.support.secret_talks import FILES, Secrets, content_of, open_talk, talk

OURS = Secrets("ghp_" + drawn("a", 36), "sk-proj-" + drawn("b", 60), "sk_live_" + drawn("c", 24))
THEIRS = Secrets("ghp_" + drawn("d", 36), "sk-proj-" + drawn("e", 60), "sk_live_" + drawn("f", 24))


def secrets_in(data: bytes, known: Secrets = OURS) -> list[str]:
    return [each for each in (known.given, known.made, known.read) if each.encode() in data]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.kind)
def test_a_recording_with_a_secret_is_refused_wherever_it_stands(
    planted: Planted, tmp_path: Path
) -> None:
    for name, position in POSITIONS.items():
        parts = position(planted.text)
        session = open_talk(tmp_path / "c", Mode.RECORD)
        request = parts.get("request", {"body": {}})
        address = session.reserve(Lane("plan"), interaction_key(request))
        response = parts.get("response", {"text": "fine"})
        with pytest.raises(SafetyRefusal) as caught:
            session.append(Interaction(address, "model", request, response))
        error = caught.value
        assert (error.code, error.exit_code) == ("ACI-P120", 8)
        assert f"`{planted.kind}` in `re" in error.message, name
        assert planted.secret not in f"{error} {error.hint} {error.location}"
        assert not list(tmp_path.rglob("*.yaml"))


def test_what_an_earlier_recording_has_already_is_counted_in_the_place(tmp_path: Path) -> None:
    session = open_talk(tmp_path / "c", Mode.RECORD)
    start = [user(f"{n} " + "long text " * 50) for n in range(3)]
    for request in (request_of(*start), request_of(*start, user(f"now {OURS.given}"))):
        address = session.reserve(Lane("plan"), interaction_key(request))
        interaction = Interaction(address, "model", request, {"text": "fine"})
        if OURS.given not in json.dumps(request):
            session.append(interaction)
            continue
        with pytest.raises(SafetyRefusal, match=r"request\.body\.messages\[4\]\.content"):
            session.append(interaction)


def test_a_text_that_was_clean_once_is_searched_again_in_a_field_that_makes_it_a_secret(
    tmp_path: Path,
) -> None:
    guard = SecretGuard(FILES, tmp_path / "c")
    text = drawn("g", 24)

    def record(body: JsonObject) -> None:
        request: JsonObject = {"body": body}
        address = Address(Lane("plan"), interaction_key(request), 1)
        guard.checked(Interaction(address, "model", request, {"text": "fine"}), request)

    for _ in range(2):
        record({"note": text})
    for _ in range(2):
        with pytest.raises(SafetyRefusal):
            record({"client_secret": text})
    for _ in range(2):
        with pytest.raises(SafetyRefusal):
            record({"note": OURS.given})


def test_an_allowed_finding_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "secrets.allow.yaml").write_text(
        "format: agentci/secret-allow\nversion: 1\nallow:\n"
        f"  - text: {OURS.given}\n    lane: pl*\n    kind: github-token\n"
        "    reason: a key of the test server\n"
    )
    request = request_of(user(OURS.given))
    guard = SecretGuard(FILES, tmp_path / "c")
    for lane, allowed in ((Lane("plan"), True), (Lane("code"), False)):
        interaction = Interaction(
            Address(lane, interaction_key(request), 1), "model", request, {"text": "fine"}
        )
        if allowed:
            assert guard.checked(interaction, request) is interaction
        else:
            with pytest.raises(SafetyRefusal):
                guard.checked(interaction, request)


@pytest.mark.parametrize(
    "entry", ["reason: because it is so", "kind: jwt\n    reason: short", "text: abcdefgh"]
)
def test_an_entry_of_the_list_needs_a_condition_and_a_reason(entry: str, tmp_path: Path) -> None:
    header = "format: agentci/secret-allow\nversion: 1\nallow:\n"
    (tmp_path / "secrets.allow.yaml").write_text(f"{header}  - {entry}\n")
    with pytest.raises(SpecError):
        talk(open_talk(tmp_path / "c", Mode.RECORD), OURS)


@pytest.mark.parametrize("mode", [Mode.RECORD, Mode.AUTO])
def test_a_redacted_recording_replays_with_any_secrets(mode: Mode, tmp_path: Path) -> None:
    session = open_talk(tmp_path / "c", mode, OnSecret.REDACT)
    said = talk(session, OURS)
    session.seal()
    assert not secrets_in(content_of(tmp_path))
    assert said[0] == (
        "You gave me <redacted:github-token:1>; I have made <redacted:openai-key:2> for you."
    )
    placeholders = Secrets(
        "<redacted:github-token:1>", "<redacted:openai-key:2>", "<redacted:stripe-key:3>"
    )
    for known in (OURS, THEIRS, placeholders):
        replay = open_talk(tmp_path / "c", Mode.REPLAY)
        assert talk(replay, known) == said
        assert replay.unplayed() == ()
    other = Secrets(OURS.given, OURS.made, "no secret at all")
    with pytest.raises(CassetteMiss):
        talk(open_talk(tmp_path / "c", Mode.REPLAY), other)


def test_a_redacted_folder_goes_on_redacting(tmp_path: Path) -> None:
    talk(open_talk(tmp_path / "c", Mode.RECORD, OnSecret.REDACT), OURS)
    talk(open_talk(tmp_path / "c", Mode.AUTO), THEIRS, Lane("code"))
    assert not secrets_in(content_of(tmp_path))
    assert not secrets_in(content_of(tmp_path), THEIRS)


def test_a_replay_that_goes_on_in_the_middle_finds_its_recordings(tmp_path: Path) -> None:
    session = open_talk(tmp_path / "c", Mode.RECORD, OnSecret.REDACT)
    said = talk(session, OURS)
    session.seal()
    replay = open_talk(tmp_path / "c", Mode.REPLAY)
    request = request_of(
        user(f"Use {THEIRS.given} for the deployment. " + "Text. " * 60),
        {"role": "assistant", "content": said[0]},
        user(f"KEY={THEIRS.read}\nother text"),
    )
    redacted = replay.as_recorded(request, Lane("plan"))
    assert replay.lookup(replay.reserve(Lane("plan"), interaction_key(redacted))) is not None


def test_a_secret_written_to_a_file_cannot_be_redacted(tmp_path: Path) -> None:
    session = open_talk(tmp_path / "c", Mode.RECORD, OnSecret.REDACT)
    request = {"tool": "write_file"}
    address = session.reserve(Lane("plan"), interaction_key(request))
    response = {"content": "ok", "before": "a", "after": "b", "patch": f"+{OURS.given}\n"}
    with pytest.raises(SafetyRefusal) as caught:
        session.append(Interaction(address, "tool", request, response))
    assert caught.value.code == "ACI-P122"
    assert not secrets_in(content_of(tmp_path))


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "agentci/redaction", "version": 1}'])
def test_a_note_that_cannot_be_read_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "redaction.json").write_text(text)
    with pytest.raises(FormatError) as caught:
        open_talk(tmp_path, Mode.REPLAY).as_recorded({}, Lane("plan"))
    assert caught.value.code == "ACI-F125"


def test_a_request_is_untouched_where_nothing_is_redacted(tmp_path: Path) -> None:
    request = request_of(user(OURS.given))
    for mode in (Mode.REPLAY, Mode.AUTO, Mode.LIVE):
        assert open_talk(tmp_path, mode).as_recorded(request, Lane("plan")) is request


def test_keys_do_not_depend_on_which_number_a_placeholder_has() -> None:
    def key(first: int, second: int) -> str:
        text = f"<redacted:jwt:{first}> and <redacted:jwt:{second}>"
        return interaction_key({"a": text, "b": [f"<redacted:jwt:{second}>"]})

    assert key(1, 2) == key(7, 3)
    assert key(1, 2) != key(1, 1)


def test_a_replay_imports_nothing_of_it(tmp_path: Path) -> None:
    session = open_talk(tmp_path / "c", Mode.RECORD)
    talk(session, Secrets("one", "two", "three"))
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.support.secret_talks import *\n"
        f"folder = Path({str(tmp_path / 'c')!r})\n"
        "talk(open_talk(folder, Mode.REPLAY), Secrets('one', 'two', 'three'))\n"
        "print([name for name in sys.modules if 'record.secrets' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
