"""The past of a real repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agentci.adapters.git_history import GitHistory
from agentci.core.errors import StorageError


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(
        ("git", "-c", "user.name=t", "-c", "user.email=t@localhost", *args),
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with two commits on `main` and one on `work`."""
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "pipelines").mkdir()
    (folder / "pipelines/a.txt").write_bytes(b"one\r\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("pipelines/a.txt")
    (folder / "away").symlink_to("/etc/hostname")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "switch", "-qc", "work")
    (folder / "pipelines/a.txt").write_text("two\n")
    (folder / "new.txt").write_text("new\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "second")
    return folder


def test_files_of_a_commit_are_read_at_the_paths_of_the_checkout(repository: Path) -> None:
    history = GitHistory(repository / "pipelines")
    files = history.files_at(git(repository, "rev-parse", "main"))
    try:
        assert files.read(repository / "pipelines/a.txt") == b"one\r\n"
        assert files.exists(repository / "pipelines")
        assert not files.exists(repository / "new.txt")
        assert files.list(repository / "pipelines") == (repository / "pipelines/a.txt",)
        assert repository / "new.txt" not in files.list(repository)
    finally:
        files.close()


def test_links_are_followed_inside_the_commit_and_nowhere_else(repository: Path) -> None:
    files = GitHistory(repository).files_at(git(repository, "rev-parse", "main"))
    try:
        assert files.read(repository / "link") == b"one\r\n"
        with pytest.raises(StorageError, match="is not a file of commit"):
            files.read(repository / "away")
        with pytest.raises(StorageError, match="is not a file of commit"):
            files.read(Path("/etc/hostname"))
    finally:
        files.close()


def test_a_commit_is_checked_out_elsewhere_and_cannot_be_written_to(
    repository: Path, tmp_path: Path
) -> None:
    first = git(repository, "rev-parse", "main")
    before = sorted(path for path in (repository / ".git").rglob("*"))
    history = GitHistory(repository)
    history.check_out(first, tmp_path / "out")
    assert (tmp_path / "out/pipelines/a.txt").read_bytes() == b"one\r\n"
    assert (tmp_path / "out/run.sh").stat().st_mode & 0o100
    assert not (tmp_path / "out/new.txt").exists()
    assert git(tmp_path / "out", "rev-parse", "HEAD") == first
    assert git(tmp_path / "out", "status", "--porcelain") == ""
    assert sorted(path for path in (repository / ".git").rglob("*")) == before
    files = history.files_at(first)
    with pytest.raises(StorageError, match="cannot be written"):
        files.write_atomic(repository / "x", b"")


def test_a_shallow_clone_checks_out_what_it_has(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")
    history = GitHistory(tmp_path / "shallow")
    history.check_out(history.commit("HEAD") or "", tmp_path / "out")
    assert (tmp_path / "out/new.txt").read_text() == "new\n"
    assert git(tmp_path / "out", "log", "--format=%s") == "second"


def test_commits_and_merge_bases_are_found_by_name(repository: Path) -> None:
    history = GitHistory(repository)
    first, second = git(repository, "rev-parse", "main"), git(repository, "rev-parse", "work")
    assert history.commit("main") == first
    assert history.commit("HEAD") == second
    assert history.commit("no-such-branch") is None
    assert history.commit("--help") is None
    assert history.merge_base(first, second) == first
    assert history.default_branch() is None


def test_what_changed_since_a_commit_is_told_by_path(repository: Path) -> None:
    history = GitHistory(repository)
    first = history.commit("HEAD") or ""
    assert history.changed_since(first) == ()
    (repository / "new é.txt").write_text("new")
    (repository / ".agentci").mkdir()
    (repository / ".agentci/own").write_text("ours")
    (repository / ".gitignore").write_text("ignored\n")
    (repository / "ignored").write_text("x")
    assert history.changed_since(first) == (".gitignore", "new é.txt")
    git(repository, "add", "--all")
    git(repository, "commit", "-qm", "more")
    changed = history.changed_since(first)
    assert {".gitignore", "new é.txt"} <= set(changed)
    assert history.changed_since(history.commit("HEAD") or "") == ()


def test_histories_without_a_common_commit_have_no_merge_base(repository: Path) -> None:
    git(repository, "switch", "-q", "--orphan", "alone")
    git(repository, "commit", "-qm", "other", "--allow-empty")
    history = GitHistory(repository)
    assert history.merge_base(history.commit("main") or "", history.commit("alone") or "") is None


def test_the_default_branch_of_a_clone_and_its_depth_are_known(
    repository: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")
    history = GitHistory(tmp_path / "shallow")
    assert history.is_shallow()
    assert history.default_branch() == "origin/work"
    assert not GitHistory(repository).is_shallow()


def test_a_changed_checkout_is_told_from_a_clean_one(repository: Path) -> None:
    history = GitHistory(repository)
    assert not history.is_changed()
    (repository / ".agentci").mkdir()
    (repository / ".agentci/cache").write_text("x")
    assert not history.is_changed()
    (repository / "pipelines/a.txt").write_text("three\n")
    assert history.is_changed()
    git(repository, "checkout", "-q", "pipelines/a.txt")
    assert not history.is_changed()
    (repository / "untracked").write_text("x")
    assert history.is_changed()
