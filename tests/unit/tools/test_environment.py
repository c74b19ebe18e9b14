"""The fixed environment."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from agentci.tools.environment import fixed_environment


def test_nothing_is_inherited_and_the_names_are_sorted() -> None:
    env = fixed_environment(Path("/h"), 1_767_225_600)
    assert list(env) == sorted(env)
    assert env["HOME"] == "/h"
    assert env["SOURCE_DATE_EPOCH"] == "1767225600"
    assert env["TZ"] == "UTC"
    assert env["PYTHONHASHSEED"] == "0"
    assert "USER" not in env
    assert os.environ.get("HOME") != "/h"


def test_what_a_user_adds_wins() -> None:
    env = fixed_environment("/h", 0, path="/p", extra={"TZ": "Asia/Tokyo", "A": "1"})
    assert (env["TZ"], env["A"], env["PATH"]) == ("Asia/Tokyo", "1", "/p")


def test_git_commits_in_it_have_fixed_ids(tmp_path: Path) -> None:
    env = dict(fixed_environment(tmp_path, 1_767_225_600))
    ids = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "f").write_text("x")
        for words in (["init", "-q", "-b", "main"], ["add", "f"], ["commit", "-q", "-m", "m"]):
            subprocess.run(["git", *words], cwd=folder, env=env, check=True)
        done = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, env=env, check=True, capture_output=True
        )
        ids.append(done.stdout)
    assert ids[0] == ids[1]
