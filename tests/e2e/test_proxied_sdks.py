"""Programs on the official SDKs: recorded through the proxy, replayed in another place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.model_server import ModelServer
from tests.support.recorded_programs import ProgramBench, record_and_replay, writes_a_file

APIS = ("openai", "responses", "anthropic", "gemini")


def command(api: str, *ways: str) -> list[str]:
    return [sys.executable, "-m", "tests.support.sdk_program", api, *ways]


@pytest.mark.parametrize("api", APIS)
def test_an_sdk_replays_in_another_directory_and_home(api: str, tmp_path: Path) -> None:
    bench = ProgramBench(tmp_path)
    with ModelServer(writes_a_file) as server:
        recorded = record_and_replay(bench, server, command(api))
    assert recorded.files == {"out.txt": b"hello\n"}
    for way in ("sync", "async", "stream", "async-stream"):
        assert f"{way} it is in {tmp_path / 'one' / 'work'}/out.txt, done" in recorded.out
    assert len(bench.keys()) == 8
    text = (bench.project / "cassettes/program/main.yaml").read_text()
    assert str(tmp_path) not in text


def test_a_replay_names_the_present_directory(tmp_path: Path) -> None:
    bench = ProgramBench(tmp_path)
    with ModelServer(writes_a_file) as server:
        bench.run("record", "one", command("openai", "stream"), env=server.environment)
    replayed = bench.run("replay", "two", command("openai", "stream"))
    assert f"it is in {tmp_path / 'two' / 'work'}/out.txt, done" in replayed.out
