"""`agentci record` and `agentci replay`: any program, its exit code, and when it is not green."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agentci.core.messages import ModelRequest, ModelResponse
from tests.support.command_line import CommandOutput, agentci
from tests.support.model_server import ModelServer
from tests.support.recorded_programs import answer

PROGRAM = """
import json, os, sys, urllib.error, urllib.request

def ask(text):
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps(body).encode(),
        {"authorization": "Bearer " + os.environ["OPENAI_API_KEY"]},
    )
    try:
        answer = json.load(urllib.request.urlopen(request))
        print(answer["choices"][0]["message"]["content"])
    except urllib.error.HTTPError as error:
        print("no answer:", error.code)

for text in sys.argv[2:]:
    ask(text)
sys.exit(int(sys.argv[1]))
"""


def respond(request: ModelRequest, _number: int) -> ModelResponse:
    return answer(text=f"{request.messages[-1].text}!")


def call(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> CommandOutput:
    done = agentci(*arguments, folder=folder, env=env)
    assert "Traceback" not in done.err, done.err
    return done


def program(code: int, *texts: str) -> list[str]:
    return ["--", sys.executable, "-c", PROGRAM, str(code), *texts]


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Return a folder with a recording of one program that asks two things."""
    with ModelServer(respond, api_key="a-key-of-the-user") as server:
        env = server.environment
        done = call(tmp_path, "record", "--cassette", "x", *program(0, "one", "two"), env=env)
    assert (done.code, done.out) == (0, "one!\ntwo!\n"), done.err
    assert "2 requests answered, from `cassettes/x`" in done.err
    return tmp_path


def test_a_program_is_replayed_without_a_key_or_a_server(recorded: Path) -> None:
    for _ in range(3):
        done = call(recorded, "replay", "--cassette", "x", *program(0, "one", "two"))
        assert (done.code, done.out) == (0, "one!\ntwo!\n"), done.err


def test_a_miss_is_exit_code_4_though_the_program_does_not_mind(recorded: Path) -> None:
    done = call(recorded, "replay", "--cassette", "x", *program(0, "one", "other"))
    assert done.code == 4
    assert done.out == "one!\nno answer: 400\n"
    assert "ACI-R101" in done.err
    assert "agentci record --cassette x" in done.err


def test_a_recording_that_nobody_asked_for_is_exit_code_4(recorded: Path) -> None:
    done = call(recorded, "replay", "--cassette", "x", *program(0, "one"))
    assert done.code == 4
    assert "ACI-R120" in done.err


def test_a_program_that_asks_for_nothing_was_not_replayed(tmp_path: Path) -> None:
    done = call(tmp_path, "replay", "--", "true")
    assert (done.code, "ACI-R121" in done.err) == (4, True)


def test_the_exit_code_is_the_programs(recorded: Path) -> None:
    done = call(recorded, "replay", "--cassette", "x", *program(7, "one", "two"))
    assert done.code == 7
    assert call(recorded, "record", "--cassette", "x", "--", "sh", "-c", "kill -9 $$").code == 137


def test_a_failed_program_drops_no_recording(recorded: Path) -> None:
    assert call(recorded, "record", "--cassette", "x", *program(3, "one")).code == 3
    assert call(recorded, "replay", "--cassette", "x", *program(0, "one", "two")).code == 0


def test_recording_again_keeps_what_is_still_asked_and_drops_the_rest(recorded: Path) -> None:
    with ModelServer(respond) as server:
        env = server.environment
        done = call(recorded, "record", "--cassette", "x", *program(0, "one", "new"), env=env)
        assert done.code == 0
        assert len(server.requests) == 1
    assert call(recorded, "replay", "--cassette", "x", *program(0, "one", "new")).code == 0
    assert call(recorded, "replay", "--cassette", "x", *program(0, "two")).code == 4


def test_two_programs_of_one_cassette_have_a_lane_each(recorded: Path) -> None:
    lane = ("--cassette", "x", "--lane", "second/agent")
    with ModelServer(respond) as server:
        env = server.environment
        assert call(recorded, "record", *lane, *program(0, "three"), env=env).code == 0
    assert call(recorded, "replay", *lane, *program(0, "three")).code == 0
    assert call(recorded, "replay", "--cassette", "x", *program(0, "one", "two")).code == 0
    assert (recorded / "cassettes/x/second/agent.yaml").is_file()


def test_without_an_endpoint_a_recording_says_what_is_missing(tmp_path: Path) -> None:
    done = call(tmp_path, "record", *program(0, "one"))
    assert done.code == 4
    assert "OPENAI_API_KEY" in done.err
    assert not (tmp_path / "cassettes").exists() or not list(tmp_path.rglob("*.yaml"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--", "no-such-program-anywhere"), "ACI-U170"),
        (("--cassette", "../up", "--", "true"), "ACI-U172"),
        (("--lane", "/", "--", "true"), "ACI-U173"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], code: str, tmp_path: Path) -> None:
    done = call(tmp_path, "record", *arguments)
    assert (done.code, code in done.err) == (2, True), done.err
