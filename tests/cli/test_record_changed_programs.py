"""`agentci record --changed` for steps whose programs ask models through the proxy."""

from __future__ import annotations

import os
import pty
import subprocess
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
from tests.support.command_line import ROOT, CommandOutput
from tests.support.model_server import ModelServer
from tests.support.projects import Project, small

DEFINITION = "pipelines/small/pipeline.yaml"
PROGRAM = """
import json, os, sys, urllib.request
message = {"role": "user", "content": sys.argv[1]}
body = json.dumps({"model": "m", "max_tokens": 100, "messages": [message]}).encode()
url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
request = urllib.request.Request(url, body, {"content-type": "application/json"})
print(json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"])
"""
STEPS = f"""
models:
  m: {{provider: openai, id: m, price: {{input: 10, output: 100}}}}
steps:
  - {{id: a, needs: [], proxy: true, run: [{sys.executable}, ask.py, one]}}
  - {{id: b, needs: [], proxy: true, run: [{sys.executable}, ask.py, two]}}
  - {{id: c, needs: [], proxy: true, run: [{sys.executable}, ask.py, three]}}
"""
OUTPUT = 50
"""Tokens that each answer takes; at its price, half a cent."""


def says(request: ModelRequest, _number: int) -> ModelResponse:
    text = f"you said {request.messages[-1].text}"
    message = Message("assistant", (TextPart(text),))
    return ModelResponse(message, FinishReason.STOP, Usage(20, OUTPUT), "m")


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(says) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: ModelServer) -> Project:
    made = small(tmp_path, STEPS, ask__DOTpy=PROGRAM)
    project = Project(made.folder, env=server.environment)
    project.run("small", "--mode", "record")
    server.requests.clear()
    return project


def change(project: Project, **words: str) -> None:
    path = project.folder / DEFINITION
    text = path.read_text()
    for old, new in words.items():
        assert f"ask.py, {old}]" in text
        text = text.replace(f"ask.py, {old}]", f"ask.py, {new}]")
    path.write_text(text)


def cassettes(project: Project) -> dict[str, bytes]:
    top = project.folder / "cassettes/small"
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*.yaml")}


def at_a_terminal(project: Project, answer: bytes, *arguments: str) -> CommandOutput:
    """Run the command line with a terminal for its input, at which a person types `answer`."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer)
        done = subprocess.run(
            [sys.executable, "-m", "agentci", *arguments],
            cwd=project.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(project.folder)}
            | dict(project.env),
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    return CommandOutput(done.returncode, done.stdout, done.stderr)


def test_a_cost_limit_stops_before_it_is_exceeded_and_what_was_recorded_is_kept(
    project: Project, server: ModelServer
) -> None:
    before = cassettes(project)
    change(project, one="uno", two="due")
    # a call may cost 0.0104 at most, and costs 0.0052: there is room for one, and not for two
    done = project.call("record", "--changed", "--max-cost", "0.0150")
    assert (done.code, "ACI-B111" in done.err, "--max-cost" in done.err) == (7, True, True), done
    assert len(server.requests) == 1
    after = cassettes(project)
    kept = [name for name in after if after[name] != before[name]]
    assert kept in (["a.yaml"], ["b.yaml"])
    again = project.report("record", "--changed", "--max-cost", "0.0150")
    assert (again["calls"], len(server.requests)) == (1, 2)
    assert 0 < again["cost"] < 0.0150
    assert project.report("cassette", "status")["fresh"] is True
    (recorded,) = cassettes(project)[kept[0]].split(b"\n---\n")[1:]
    assert after[kept[0]].endswith(recorded)  # behind the old one, which is gone by now


def test_a_limit_on_tokens_and_a_model_without_a_price_stop_programs_as_well(
    project: Project, server: ModelServer
) -> None:
    change(project, one="uno")
    done = project.call("record", "--changed", "--max-tokens", "100")
    assert (done.code, "ACI-B111" in done.err, server.requests) == (7, True, []), done
    path = project.folder / DEFINITION
    path.write_text(path.read_text().replace("id: m,", "id: other,"))
    done = project.call("record", "--changed", "--max-cost", "5")
    assert (done.code, "ACI-B112" in done.err, server.requests) == (7, True, []), done


def test_a_person_sees_the_estimate_before_the_question_and_may_say_no(
    project: Project, server: ModelServer
) -> None:
    before = cassettes(project)
    change(project, one="uno")
    done = at_a_terminal(project, b"n\n", "record", "--changed")
    assert (done.code, server.requests) == (130, []), done
    estimate = f"estimate: 1 call, 20 input and {OUTPUT} output tokens, 0.0052 USD"
    assert 0 <= done.err.index(estimate) < done.err.index("record them now?"), done.err
    assert cassettes(project) == before
    done = at_a_terminal(project, b"y\n", "record", "--changed")
    assert (done.code, len(server.requests)) == (0, 1), done
    assert "1 live call, 20 input and 50 output tokens, 0.0052 USD" in done.out


def test_yes_asks_nobody(project: Project, server: ModelServer) -> None:
    change(project, one="uno")
    done = at_a_terminal(project, b"", "record", "--changed", "--yes")
    assert (done.code, len(server.requests)) == (0, 1), done
    assert "estimate: 1 call" in done.err
    assert "record them now?" not in done.err


TOKEN = "ghp_" + "Zk3vT9qLw2Xr8Yb5Nc7Md1Pf4Hs6Jg0aQeRu"


def test_a_secret_ends_a_program_or_is_replaced_where_that_is_asked_for(
    project: Project, server: ModelServer
) -> None:
    change(project, one=TOKEN)
    done = project.call("run", "small", "--mode", "record")
    assert (done.code, "ACI-P120" in done.err) == (8, True), done
    assert not any(TOKEN.encode() in text for text in cassettes(project).values())
    first = project.report("record", "--changed", "--redact", code=0)["runs"][0]
    texts = cassettes(project)
    assert not any(TOKEN.encode() in text for text in texts.values())
    assert b"you said <redacted:github-token:1>" in texts["a.yaml"]
    asked = len(server.requests)
    again = project.call("run", "small", "--mode", "replay", "--no-cache")
    assert len(server.requests) == asked
    # a program sees the answer itself while it is recorded, and the placeholder in a replay
    assert first["verdict"] == "passed"
    assert again.code == 0, again.err
