"""`agentci cassette rekey`: a new masking rule makes recordings fit that nothing else could."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    TextPart,
    Usage,
)
from tests.support.model_server import ModelServer
from tests.support.projects import Project, shipped, small

PROGRAM = """
import json, os, sys, urllib.request

def ask(text):
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    address = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    headers = {"content-type": "application/json", "authorization": "Bearer x"}
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)
    urllib.request.urlopen(request).read()

for text in sys.argv[1:]:
    ask(text.replace("PID", str(os.getpid())))
"""
DEFINITION = "pipelines/small/pipeline.yaml"


def answer(_request: ModelRequest, number: int) -> ModelResponse:
    text = (TextPart(f"answer {number}"),)
    return ModelResponse(Message("assistant", text), FinishReason.STOP, Usage(3, 2), "m")


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(answer) as running:
        yield running


def recorded(folder: Path, server: ModelServer, words: str) -> Project:
    step = f"{{id: ask, run: [{sys.executable}, ask.py, {words}], proxy: true}}"
    project = small(folder, f"steps:\n  - {step}\n", ask__DOTpy=PROGRAM)
    project.run("small", "--mode", "record", env=server.environment)
    return project


def mask(project: Project, pattern: str) -> None:
    path = project.folder / DEFINITION
    path.write_text(path.read_text().replace("proxy: true", f"proxy: true, mask: ['{pattern}']"))


def test_a_volatile_value_is_masked_afterwards_without_asking_again(
    tmp_path: Path, server: ModelServer
) -> None:
    project = recorded(tmp_path, server, "'Process PID asks.', 'Nothing special.'")
    assert project.report("cassette", "status", code=4)["counts"]["stale"] == 1
    file = project.folder / "cassettes/small/ask.yaml"
    before = file.read_bytes()
    mask(project, "Process [0-9]+")
    would = project.report("cassette", "rekey", "--check", code=4)
    assert (would["changed"], would["recordings"], file.read_bytes()) == (1, 2, before)
    assert would["files"][0]["reasons"] == {"rule `pipeline: Process [0-9]+`": 1}
    done = project.call("cassette", "rekey")
    assert done.code == 0
    assert "1 of 2 keys changed" in done.out
    assert "agentci accept" in done.err
    assert b"<masked> asks." in file.read_bytes()
    assert project.report("cassette", "status")["fresh"] is True
    assert project.report("cassette", "rekey", "--check")["changed"] == 0
    assert project.call("cassette", "verify").code == 0


def test_requests_that_would_collide_are_refused_and_nothing_is_written(
    tmp_path: Path, server: ModelServer
) -> None:
    project = recorded(tmp_path, server, "'Number 1.', 'Number 2.'")
    file = project.folder / "cassettes/small/ask.yaml"
    before = file.read_bytes()
    mask(project, "Number [0-9]+")
    done = project.call("cassette", "rekey")
    assert (done.code, "would get the same key" in done.err) == (2, True)
    assert file.read_bytes() == before


def test_shipped_recordings_have_the_keys_of_today(tmp_path: Path) -> None:
    result = shipped(tmp_path).report("cassette", "rekey", "--check")
    assert (result["changed"], result["files"], result["by_hand"]) == (0, [], [])
