"""`agentci init`: what it writes, what it leaves alone, and that the result is sound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from agentci.models.registry import provider_names
from tests.support.command_line import agentci

WRITTEN = (
    ".gitattributes",
    ".github/workflows/agentci.yml",
    ".gitignore",
    ".pre-commit-config.yaml",
    "agentci.yaml",
    "pipelines/bugfix/pipeline.yaml",
    "pipelines/bugfix/prompts/code.md",
    "pipelines/bugfix/prompts/coder.system.md",
    "pipelines/bugfix/prompts/plan.md",
    "pipelines/bugfix/prompts/planner.system.md",
    "pipelines/bugfix/prompts/review.md",
    "pipelines/bugfix/prompts/reviewer.system.md",
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_writes_everything_a_first_run_needs(repository: Path) -> None:
    done = agentci("init", folder=repository)
    assert done.code == 0
    assert tuple(_files(repository)) == WRITTEN
    assert {line.removeprefix("wrote: ") for line in done.out.splitlines()} == set(WRITTEN)


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini", "ollama"])
def test_what_it_writes_passes_check(repository: Path, provider: str) -> None:
    assert agentci("init", "--provider", provider, folder=repository).code == 0
    done = agentci("check", folder=repository)
    assert (done.code, done.err) == (0, "")


def test_every_yaml_file_parses(repository: Path) -> None:
    agentci("init", folder=repository)
    hooks = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text())
    assert hooks["repos"][0]["hooks"][0]["id"] == "agentci-check"
    workflow = yaml.safe_load((repository / ".github/workflows/agentci.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}


def test_a_second_call_changes_nothing(repository: Path) -> None:
    agentci("init", folder=repository)
    before = _files(repository)
    done = agentci("init", folder=repository)
    assert done.code == 0
    assert _files(repository) == before
    assert all(line.startswith("left as it was: ") for line in done.out.splitlines())


def test_files_with_other_content_are_left_alone_and_named(repository: Path) -> None:
    place = repository / "pipelines/bugfix/pipeline.yaml"
    place.parent.mkdir(parents=True)
    place.write_text("mine\n")
    done = agentci("init", folder=repository)
    assert done.code == 0
    assert place.read_text() == "mine\n"
    assert "left alone, it has other content: pipelines/bugfix/pipeline.yaml\n" in done.out
    assert "--force" in done.err


def test_force_replaces_them(repository: Path) -> None:
    place = repository / "agentci.yaml"
    place.write_text("mine\n")
    assert agentci("init", "--force", folder=repository).code == 0
    assert place.read_text().startswith("# Settings of agentci")


def test_line_files_keep_their_lines_and_get_only_what_they_miss(repository: Path) -> None:
    ignore = repository / ".gitignore"
    ignore.write_text("*.pyc\n.agentci/")  # without a line feed at the end
    attributes = repository / ".gitattributes"
    attributes.write_text("*.png binary")
    done = agentci("init", folder=repository)
    assert ignore.read_text() == "*.pyc\n.agentci/"
    assert attributes.read_text().startswith("*.png binary\n\n# agentci")
    assert "added lines to: .gitattributes\n" in done.out


def test_an_existing_hook_file_gets_advice_instead_of_a_second_list(repository: Path) -> None:
    (repository / ".pre-commit-config.yaml").write_text("repos: []\n")
    done = agentci("init", folder=repository)
    assert "add this to `repos:` in `.pre-commit-config.yaml`" in done.err
    assert "id: agentci-check" in done.err


@pytest.mark.parametrize(
    ("marker", "command"),
    [
        ("package.json", ["npm", "test"]),
        ("go.mod", ["go", "test", "./..."]),
        ("Cargo.toml", ["cargo", "test"]),
        ("pyproject.toml", ["python", "-m", "pytest", "-q"]),
        ("README.md", ["python", "-m", "unittest"]),
    ],
)
def test_the_test_command_is_found_from_the_files(
    repository: Path, marker: str, command: list[str]
) -> None:
    (repository / marker).touch()
    agentci("init", folder=repository)
    assert f"run: {json.dumps(command)}\n" in _pipeline(repository)


def test_the_test_command_can_be_given(repository: Path) -> None:
    agentci("init", "--test", "make 'unit tests'", folder=repository)
    assert 'run: ["make", "unit tests"]\n' in _pipeline(repository)


def test_an_unbalanced_test_command_is_a_usage_error(repository: Path) -> None:
    done = agentci("init", "--test", "make 'x", folder=repository)
    assert (done.code, "ACI-U302" in done.err) == (2, True)
    assert tuple(_files(repository)) == ()


def test_an_unknown_provider_is_answered_with_the_nearest(repository: Path) -> None:
    done = agentci("init", "--provider", "opnai", folder=repository)
    assert done.code == 2
    assert "did you mean `openai`?" in done.err


def test_a_provider_without_a_default_model_asks_for_one(repository: Path) -> None:
    assert "groq" in provider_names()
    done = agentci("init", "--provider", "groq", folder=repository)
    assert (done.code, "--model" in done.err) == (2, True)
    assert agentci("init", "--provider", "groq", "--model", "m:1", folder=repository).code == 0
    assert agentci("check", folder=repository).code == 0


def test_from_a_folder_inside_it_writes_to_the_root(repository: Path) -> None:
    inside = repository / "src" / "deep"
    inside.mkdir(parents=True)
    assert agentci("init", folder=inside).code == 0
    assert (repository / "agentci.yaml").is_file()
    assert not _files(inside)


def test_outside_a_repository_it_says_so(tmp_path: Path) -> None:
    done = agentci("init", folder=tmp_path)
    assert done.code == 0
    assert "not a git repository" in done.err


def test_json_lists_what_happened(repository: Path) -> None:
    done = agentci("init", "--json", folder=repository)
    result = json.loads(done.out)
    assert sorted(result["written"]) == list(WRITTEN)
    assert result["kept"] == []


def _pipeline(repository: Path) -> str:
    return (repository / "pipelines/bugfix/pipeline.yaml").read_text()
