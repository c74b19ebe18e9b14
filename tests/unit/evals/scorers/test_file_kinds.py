"""Scorers of files, patches and commands, on real git workspaces and real processes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agentci.core.errors import EnvironmentProblem, UsageError
from agentci.evals.scorers.patches import read_patch
from tests.support.scorer_services import changed, names, score, services_for

BEFORE = {"src/a.py": "x = 1\n", "src/deep/b.py": "y = 1\n", "readme.md": "one\ntwo\n"}
AFTER = {"src/a.py": "x = 2\n", "docs/new.md": "new\n"}
PATCH = """\
diff --git a/src/a.py b/src/a.py
--- a/src/a.py
+++ b/src/a.py
@@ -1 +1 @@
-x = 1
+x = 3
"""
NEW_FILE = "--- /dev/null\n+++ b/added.txt\n@@ -0,0 +1 @@\n+hi\n"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"allowed": ["src/**", "*.md"]}, ""),
        ({"allowed": ["src/**"]}, "expected changes only in `src/**`, got `docs/new.md`"),
        ({"allowed": ["*.md", "src/deep/*"]}, "got `src/a.py`"),
        ({"required": ["src/*.py"]}, ""),
        ({"required": ["src/deep/**"]}, "expected a change in `src/deep/**`, got `docs/new.md`"),
        ({"forbidden": ["*.txt"]}, ""),
        ({"forbidden": ["a.py"]}, "expected no change in `a.py`, got `src/a.py`"),
        ({"max_files": 2, "max_lines": 3}, ""),
        ({"max_files": 1}, "expected at most 1 changed files, got 2"),
        ({"max_lines": 2}, "expected at most 2 changed lines, got 3"),
        ({"contents": {"src/a.py": {"equals": "x = 2\n"}}}, ""),
        ({"contents": {"src/a.py": {"equals": "x = 1\n"}}}, 'expected "x = 1\\n", got "x = 2\\n"'),
        ({"contents": {"docs/new.md": {"contains": ["new"], "lacks": ["old"]}}}, ""),
        ({"contents": {"docs/new.md": {"contains": ["old"]}}}, 'expected "old" in `docs/new.md`'),
        ({"contents": {"docs/new.md": {"lacks": ["new"]}}}, 'did not expect "new"'),
        ({"contents": {"gone.md": {"exists": False}}}, ""),
        ({"contents": {"readme.md": {"exists": False}}}, "expected `readme.md` not to be there"),
        ({"contents": {"gone.md": {}}}, "expected `gone.md` to be there, it is not there"),
        ({"contents": {"../x": {}}}, "cannot be read"),
        ({"contents": {"src": {"contains": ["x"]}}}, "it is a folder"),
    ],
)
def test_files(options: Mapping[str, Any], problem: str, tmp_path: Path) -> None:
    services = services_for(tmp_path, before=BEFORE, after=AFTER)
    found = score("files", options, changed(services), services)
    assert found.passed is not bool(problem), found
    assert problem in found.explanation
    assert names(found, "paths") == ["docs/new.md", "src/a.py"]


def test_a_link_out_of_the_workspace_is_not_followed(tmp_path: Path) -> None:
    services = services_for(tmp_path, before={"a": "1"}, after={"a": "2"})
    assert services.repository is not None
    work = services.repository.workspace("linked", services.tree)
    (tmp_path / "secret").write_text("s")
    (work.folder() / "link").symlink_to(tmp_path / "secret")
    services.tree = work.snapshot().after
    work.close()
    options = {"contents": {"link": {"contains": ["s"]}}}
    found = score("files", options, changed(services), services)
    assert not found.passed
    assert "leads outside" in found.explanation


def test_wrong_globs_and_no_options_are_refused(tmp_path: Path) -> None:
    services = services_for(tmp_path, before=BEFORE)
    for options in ({"allowed": ["[z-a]"]}, {"required": [""]}, {}):
        with pytest.raises(UsageError):
            score("files", options, changed(services), services)


@pytest.mark.parametrize(
    ("answer", "options", "problem"),
    [
        (PATCH, {}, ""),
        (f"Here it is:\n\n```diff\n{PATCH}```\n\nand\n\n```\n{NEW_FILE}```\n", {}, ""),
        (f"Words first.\n{PATCH.rstrip()}", {}, ""),
        (PATCH.replace("a/src", "src").replace("b/src", "src"), {"strip": 0}, ""),
        (PATCH.replace("x = 1", "x = 9"), {}, "patch failed: src/a.py:1"),
        (PATCH.replace("src/a.py", "no.py"), {}, "no.py"),
        (PATCH, {"tree": "after"}, "patch failed: src/a.py:1"),
        (PATCH, {"allowed": ["*.md"]}, "expected changes only in `*.md`, got `src/a.py`"),
        (PATCH + NEW_FILE, {"required": ["*.txt"], "forbidden": ["*.md"]}, ""),
        ("no patch here", {}, "expected a patch in the answer"),
        (NEW_FILE.replace("b/added", "b/../../added"), {}, "invalid path"),
        (NEW_FILE.replace("b/added.txt", "b/.git/hooks/post-commit"), {}, "invalid path"),
        ("--- a/x\n+++ b/x\nnonsense\n", {}, "the patch does not apply"),
    ],
)
def test_patch(answer: str, options: Mapping[str, Any], problem: str, tmp_path: Path) -> None:
    services = services_for(tmp_path, before=BEFORE, after=AFTER)
    found = score("patch", options, changed(services, answer), services)
    assert found.passed is not bool(problem), found
    assert problem in found.explanation


def test_a_patch_ends_with_its_fence() -> None:
    assert read_patch(f"```python\nx = 1\n```\n```diff\n{PATCH}```\nbye") == PATCH
    assert read_patch("```\nx = 1\n```") == ""


def _command(
    tmp_path: Path, options: Mapping[str, Any], suite: Mapping[str, str] | None = None
) -> Any:
    services = services_for(tmp_path, suite=suite, before=BEFORE, after=AFTER)
    return score("command", options, changed(services, PATCH.replace("x = 1", "x = 2")), services)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"run": ["cat", "a.py"], "folder": "src", "stdout": "x = 2"}, ""),
        ({"run": ["cat", "src/a.py"], "tree": "before", "stdout": "x = 1"}, ""),
        ({"run": ["cat"], "stdin": "given", "contains": ["give"], "matches": "^given$"}, ""),
        ({"run": ["sh", "-c", "echo $WHAT"], "env": {"WHAT": "0.25s"}, "stdout": "0.25s"}, ""),
        ({"run": ["sh", "-c", "exit 3"], "exit_code": 3}, ""),
        ({"run": ["sh", "-c", "exit 3"], "exit_code": None}, ""),
        ({"run": ["sh", "-c", "echo no >&2; exit 3"]}, "to end with 0, got 3: no"),
        ({"run": ["echo", "a"], "stdout": "b"}, 'to print "b", got "a\\n"'),
        ({"run": ["echo", "a"], "contains": ["a", "b"]}, 'to print "b", got "a\\n"'),
        ({"run": ["echo", "a"], "matches": "b+"}, "to print `b+`"),
        ({"run": ["./gone.sh"]}, "got 127"),
        ({"run": ["cat", "check/given.txt"], "overlay": "./hidden/", "stdout": "secret"}, ""),
        ({"run": ["cat", "src/a.py"], "patch": PATCH, "tree": "before", "stdout": "x = 3"}, ""),
        ({"run": ["cat", "src/a.py"], "patch": PATCH}, "the patch does not apply"),
        ({"run": ["cat", "src/a.py"], "patch": "none"}, "the answer holds no patch"),
    ],
)
def test_command(options: Mapping[str, Any], problem: str, tmp_path: Path) -> None:
    found = _command(tmp_path, options, {"hidden/check/given.txt": "secret\n"})
    assert found.passed is not bool(problem), found
    assert problem in found.explanation


def test_what_a_command_prints_is_shown_without_what_differs_between_runs(tmp_path: Path) -> None:
    found = _command(tmp_path, {"run": ["sh", "-c", "pwd; echo took 0.31s; exit 1"]})
    assert found.details["stdout"] == "/workspace\ntook <duration>\n"
    assert "/workspace" in found.explanation


def test_a_program_that_the_machine_lacks_is_no_failed_case(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="`no-such-program` of a scorer"):
        _command(tmp_path, {"run": ["no-such-program"]})


def _runs(pid: int) -> bool:
    """Say whether a process is there; one that has ended may still wait to be noticed."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return bool(found.stdout.strip()) and not found.stdout.strip().startswith(b"Z")


def test_an_endless_loop_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "pids"
    script = (
        f"sleep 300 & echo $! >> {mark}; setsid sleep 300 & echo $! >> {mark}; while :; do :; done"
    )
    start = time.monotonic()
    found = _command(tmp_path, {"run": ["sh", "-c", script], "timeout": 1.0})
    assert time.monotonic() - start < 20
    assert (found.value, found.passed) == (0, False)
    assert "did not end within 1 seconds" in found.explanation
    pids = [int(pid) for pid in mark.read_text().split()]
    assert len(pids) == 2
    assert not [pid for pid in pids if _runs(pid)]


def test_an_overlay_cannot_be_sent_elsewhere_by_what_the_target_left(tmp_path: Path) -> None:
    services = services_for(
        tmp_path, suite={"hidden/check/a": "1"}, before={"x": "1"}, after={"check": "a file"}
    )
    options = {"run": ["true"], "overlay": "hidden"}
    found = score("command", options, changed(services), services)
    assert not found.passed
    assert "`check/a` cannot be put in its place" in found.explanation
