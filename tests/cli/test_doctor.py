"""`agentci doctor`: says what is there and what to do, and never shows a secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import agentci


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pipelines").mkdir()
    return tmp_path


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An endpoint on loopback, and the headers of the requests that it got."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(dict(self.headers))
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
        server.shutdown()
        thread.join()


def _findings(out: str) -> dict[str, dict[str, Any]]:
    return {finding["name"]: finding for finding in json.loads(out)["findings"]}


def test_it_names_what_is_there(project: Path) -> None:
    done = agentci("doctor", "--json", folder=project)
    assert done.code == 0
    found = _findings(done.out)
    for name in ("agentci", "python", "pydantic", "git", "process", "write access"):
        assert found[name]["status"] == "ok", found[name]
    assert {"docker", "bwrap"} <= set(found)
    for finding in found.values():
        if finding["status"] in {"warning", "problem"}:
            assert finding["hint"], "whatever is wrong has something to do about it"


def test_text_has_the_same_in_sections(project: Path) -> None:
    out = agentci("doctor", folder=project).out
    sections = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert sections == ["agentci", "tools", "project", "sandboxes", "endpoints"]


def test_keys_are_named_and_never_shown(project: Path) -> None:
    done = agentci("doctor", folder=project, env={"OPENAI_API_KEY": "very-private-value"})
    assert "key from `OPENAI_API_KEY`" in done.out
    assert "very-private-value" not in done.out + done.err


def test_nothing_is_called_unless_asked(
    project: Path, endpoint: tuple[str, list[dict[str, str]]]
) -> None:
    url, seen = endpoint
    env = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "very-private-value"}
    done = agentci("doctor", "--json", folder=project, env=env)
    assert _findings(done.out)["openai"]["status"] == "ok"
    assert seen == []


def test_online_calls_configured_endpoints_without_the_key(
    project: Path, endpoint: tuple[str, list[dict[str, str]]]
) -> None:
    url, seen = endpoint
    env = {"VLLM_BASE_URL": url, "VLLM_API_KEY": "very-private-value"}
    done = agentci("doctor", "--online", "--json", folder=project, env=env)
    assert "answers with status 404" in _findings(done.out)["vllm"]["detail"]
    assert len(seen) == 1
    assert "very-private-value" not in json.dumps(seen)


def test_an_endpoint_that_is_down_is_a_warning(project: Path) -> None:
    env = {"VLLM_BASE_URL": "http://127.0.0.1:9/v1"}
    found = _findings(agentci("doctor", "--online", "--json", folder=project, env=env).out)
    assert found["vllm"]["status"] == "warning"
    assert found["vllm"]["hint"]


def test_a_missing_git_is_a_problem_and_exit_code_6(project: Path) -> None:
    done = agentci("doctor", "--json", folder=project, env={"PATH": "/nonexistent"})
    assert done.code == 6
    assert _findings(done.out)["git"]["status"] == "problem"


def test_wrong_settings_are_a_finding(project: Path) -> None:
    (project / "agentci.yaml").write_text("nonsense: [")
    done = agentci("doctor", "--json", folder=project)
    assert (done.code, _findings(done.out)["settings"]["status"]) == (6, "problem")
