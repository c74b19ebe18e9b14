"""Project settings, and where a project begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.core.errors import FormatError, NothingMatched, SafetyRefusal, SpecError
from agentci.spec.config import ProjectConfig, find_project, load_config
from tests.support.memory_files import MemoryFiles

HEAD = "format: agentci/config\nversion: 1\n"


def _load(text: str) -> ProjectConfig:
    return load_config(Path("p"), MemoryFiles({"p/agentci.yaml": text}))


def test_without_a_file_everything_has_a_default() -> None:
    config = load_config(Path("p"), MemoryFiles())
    assert (config.pipelines, config.cassettes) == ("pipelines", "cassettes")
    assert config.endpoints == {}
    assert (config.defaults.mode, config.defaults.jobs, config.defaults.sandbox) == (None,) * 3
    assert config == _load(HEAD)


def test_settings_are_read() -> None:
    config = _load(
        HEAD + "pipelines: ci\ndefaults: {mode: replay, jobs: 4, sandbox: bwrap}\n"
        "endpoints:\n  openai:\n    base_url: http://127.0.0.1:8080/v1\n"
        "    api_key_env: GATEWAY_KEY\n    headers: {x-route: a}\n"
    )
    endpoint = config.endpoints["openai"]
    assert endpoint.base_url == "http://127.0.0.1:8080/v1"
    assert endpoint.api_key_env == "GATEWAY_KEY"
    assert endpoint.headers == {"x-route": "a"}
    assert (config.defaults.mode, config.defaults.jobs) == ("replay", 4)
    assert config.pipelines == "ci"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("pipeline: x\n", "3:1", "unknown key `pipeline`"),
        ("defaults: {mode: rpelay}\n", "3:18", "one of `auto`, `replay`"),
        ("defaults: {jobs: 0}\n", "3:18", "at least 1"),
        ("endpoints: {openai: {base_url: ftp://x}}\n", "3:32", "`endpoints.openai.base_url`"),
        ("endpoints: {openai: {api_key_env: sk-123}}\n", "3:35", "api_key_env"),
        ("endpoints: {openai: {api_key: x}}\n", "3:22", "unknown key `api_key`"),
    ],
)
def test_a_mistake_is_named_at_its_place(text: str, place: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        _load(HEAD + text)
    assert message in caught.value.message
    assert str(caught.value.location) == f"p/agentci.yaml:{place}"


def test_a_newer_version_is_refused() -> None:
    with pytest.raises(FormatError):
        _load("format: agentci/config\nversion: 2\n")


@pytest.mark.parametrize("header", ["Authorization", "x-api-key", "COOKIE"])
def test_a_secret_in_a_header_is_refused(header: str) -> None:
    with pytest.raises(SafetyRefusal, match="carries a secret") as caught:
        _load(HEAD + f"endpoints: {{openai: {{headers: {{{header}: abc123}}}}}}\n")
    assert "abc123" not in str(caught.value)
    assert caught.value.location is not None
    assert caught.value.location.line == 3


def test_a_project_is_the_nearest_folder_with_its_file() -> None:
    files = MemoryFiles({"/r/.git/HEAD": "", "/r/a/agentci.yaml": "", "/r/a/b/pipelines/x": ""})
    assert find_project(Path("/r/a/b/c"), files) == Path("/r/a")
    assert find_project(Path("/r/a"), files) == Path("/r/a")


def test_else_the_nearest_with_pipelines_else_the_repository() -> None:
    files = MemoryFiles({"/r/.git/HEAD": "", "/r/s/pipelines/x/pipeline.yaml": ""})
    assert find_project(Path("/r/s/t"), files) == Path("/r/s")
    assert find_project(Path("/r/q"), files) == Path("/r")


def test_outside_of_any_project_there_is_a_way_in() -> None:
    with pytest.raises(NothingMatched) as caught:
        find_project(Path("/tmp/x"), MemoryFiles())
    assert "agentci init" in (caught.value.hint or "")
    assert caught.value.exit_code == 5
