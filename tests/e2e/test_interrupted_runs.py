"""Ctrl-C and SIGTERM: exit 130, no child is left, everything is sealed, and resume goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentci.spec.script import read_script
from tests.support.model_server import Fault, ModelServer
from tests.support.projects import Project, environment, small

COMMAND = """
steps:
  - {id: first, run: [python, -c, "print(1)"]}
  - id: both
    parallel:
      branches:
        a: [{id: sleep, run: [sh, -c, "echo $$ > PIDFILE; sleep 300 & wait"]}]
        b: [{id: quick, run: [python, -c, "print(2)"]}]
"""
LIVE = """
models: {m: {provider: openai, id: a-model, parameters: {max_tokens: 9}}}
agents: {a: {model: m}}
steps:
  - {id: first, agent: a, prompt: ask.md, with: {question: first}}
  - {id: second, agent: a, prompt: ask.md, with: {question: second}}
"""


@pytest.fixture(autouse=True)
def _heeded() -> Iterator[None]:
    """Tests that a shell runs in the background ignore Ctrl-C, and so would all that they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def start(project: Project, *arguments: str, env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "agentci", *arguments],
        cwd=project.folder,
        env={**environment(project.folder), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end, "it did not happen in 30 seconds"
        time.sleep(0.02)


def end(process: subprocess.Popen[bytes], number: int) -> str:
    os.killpg(process.pid, number)
    _out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err.decode()
    assert "Traceback" not in err.decode()
    return err.decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_under_way_is_ended_with_all_that_it_started(tmp_path: Path, number: int) -> None:
    pid_file = tmp_path / "pid"
    project = small(tmp_path / "project", COMMAND.replace("PIDFILE", str(pid_file)))
    process = start(project, "run", "small", env={})
    journal = project.folder / ".agentci" / "runs"
    wait_for(lambda: pid_file.exists() and bool(pid_file.read_text().strip()))
    wait_for(lambda: b'"lane":"both/b/quick","' in b"".join(
        path.read_bytes() for path in journal.glob("*/journal.jsonl")
    ))  # fmt: skip
    err = end(process, number)
    assert "agentci resume" in err
    shell = int(pid_file.read_text())
    wait_for(lambda: not Path(f"/proc/{shell}").exists())
    text = project.folder / "pipelines/small/pipeline.yaml"
    original = text.read_text()
    text.write_text(original.replace("sleep 300", "sleep 0"))
    refused = project.call("resume")
    assert (refused.code, "the definition changed" in refused.err) == (4, True)
    text.write_text(original)
    pid_file.write_text("")
    again = start(project, "resume", env={})
    wait_for(lambda: bool(pid_file.read_text().strip()))
    assert "agentci resume" in end(again, signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_call_under_way_is_dropped_and_what_was_recorded_is_kept(
    tmp_path: Path, number: int
) -> None:
    script = '[{reply: {text: "yes"}}]'
    project = small(tmp_path / "project", LIVE)
    rules = read_script(f"format: agentci/script\nversion: 1\nrules: {script}\n".encode(), "script")
    with ModelServer(rules, faults=[None, Fault(delay=60)]) as server:
        process = start(project, "run", "small", env=server.environment)
        wait_for(lambda: len(server.requests) == 2)
        end(process, number)
        recorded = sorted((project.folder / "cassettes/small").rglob("*.yaml"))
        assert [path.parent.name for path in recorded] == ["first"]
        server.faults.clear()
        report = project.report("resume", env=server.environment)
        assert report["verdict"] == "passed"
        assert [step["source"] for step in report["steps"]] == ["resumed", "recorded"]
        assert len(server.requests) == 3
    project.forget()
    assert project.run("small", "--mode", "replay")["run_digest"] == report["run_digest"]


def test_sigterm_ends_a_run_that_ignores_ctrl_c(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    project = small(tmp_path / "project", COMMAND.replace("PIDFILE", str(pid_file)))
    process = subprocess.Popen(
        [
            "sh",
            "-c",
            "trap '' INT; exec \"$@\"",
            "sh",
            sys.executable,
            "-m",
            "agentci",
            "run",
            "small",
        ],
        cwd=project.folder,
        env=environment(project.folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_for(lambda: pid_file.exists() and bool(pid_file.read_text().strip()))
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    end(process, signal.SIGTERM)
    shell = int(pid_file.read_text())
    wait_for(lambda: not Path(f"/proc/{shell}").exists())
