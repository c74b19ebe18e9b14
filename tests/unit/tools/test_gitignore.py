"""`.gitignore` rules agree with git itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentci.tools.gitignore import is_ignored, parse_ignore

PATHS = ("a", "b.log", "src/a", "src/b.log", "src/x/a", "src/x/c.txt", "doc/a b", "doc/#c", "!d")


def ours(text: str, path: str) -> bool:
    files = (parse_ignore(text, ""),)
    parts = path.split("/")
    return any(
        is_ignored("/".join(parts[:depth]), folder=depth < len(parts), files=files)
        for depth in range(1, len(parts) + 1)
    )


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repo")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for name in PATHS:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def theirs(root: Path, text: str) -> set[str]:
    (root / ".gitignore").write_text(text)
    done = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "-z", "--stdin"],
        input="\0".join(PATHS).encode(),
        cwd=root,
        capture_output=True,
        check=False,
    )
    return set(done.stdout.decode().split("\0")) - {""}


LINES = st.sampled_from(
    [
        "a", "/a", "*.log", "src", "src/", "/src/a", "src/*", "src/**", "**/a", "**/x/a", "x/a",
        "src/**/a", "!a", "!src/a", "!*.log", "# note", "", "a ", "[ab]*", "[!a]", "?", "doc/a b",
        "\\#c", "\\!d", "*", "*/", "!doc/", "src/x/", "**", "a/", "b.*", "!/a", "src/*/a", "/*",
    ]
)  # fmt: skip


@settings(
    max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(lines=st.lists(LINES, min_size=1, max_size=4))
def test_the_same_paths_are_ignored_as_by_git(repository: Path, lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    assert {path for path in PATHS if ours(text, path)} == theirs(repository, text)


def test_rules_of_an_inner_folder_win() -> None:
    files = (parse_ignore("*.log\n", ""), parse_ignore("!keep.log\n/top\n", "src/"))
    assert is_ignored("a.log", folder=False, files=files[:1])
    assert not is_ignored("src/keep.log", folder=False, files=files)
    assert is_ignored("src/top", folder=False, files=files)
    assert not is_ignored("src/x/top", folder=False, files=files)


@given(st.text(alphabet="ab*?[]!/\\^-.# ", max_size=12))
def test_any_line_is_read_without_an_error(line: str) -> None:
    is_ignored("a/b", folder=False, files=(parse_ignore(line, ""),))
