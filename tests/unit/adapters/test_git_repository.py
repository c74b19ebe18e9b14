"""Target repositories of every kind, merges, commits and publishing, with the real git beside."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from agentci.adapters.git_repository import GitRepository, open_folder, open_repository
from agentci.core.effects import CommitRequest, MergeOutcome
from agentci.core.errors import EnvironmentProblem, StorageError, UsageError
from tests.support.git_sandbox import COMMIT_DATE, ENV, git, make_repository, read_files, write

FILES: dict[str, str | bytes] = {"a.txt": "1\n2\n3\n4\n5\n6\n7\n", "src/b.py": "b = 1\n"}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "target", FILES)


@pytest.fixture
def repository(target: Path, tmp_path: Path) -> GitRepository:
    return open_repository(target, tmp_path / "store")


def tree_with(repository: GitRepository, files: dict[str, str | bytes], name: str) -> str:
    workspace = repository.workspace(name, repository.base_tree)
    write(workspace.folder(), files)
    workspace.snapshot()
    workspace.close()
    return workspace.tree


def commit(repository: GitRepository, tree: str, *parents: str) -> str:
    request = CommitRequest(
        tree=tree,
        parents=parents or (repository.base_commit,),
        message="fix: Übung",
        author="agentci <agentci@localhost>",
        date=1_800_000_000,
    )
    return repository.commit(request)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Times of objects left out: git touches one that it would write again, against a clean-up."""
    return {
        str(path.relative_to(folder)): (
            0 if "objects" in path.parts else path.lstat().st_mtime_ns,
            path.lstat().st_size,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_base_is_the_present_commit(target: Path, repository: GitRepository) -> None:
    assert repository.base_commit == git(target, "rev-parse", "HEAD")
    assert repository.base_tree == git(target, "rev-parse", "HEAD^{tree}")
    assert repository.base_date == COMMIT_DATE
    assert list(repository.notes) == []


def test_another_revision_can_be_the_base(target: Path, tmp_path: Path) -> None:
    write(target, {"a.txt": "new\n"})
    git(target, "commit", "-qam", "second")
    repository = open_repository(target, tmp_path / "store", revision="HEAD~1")
    assert repository.base_commit == git(target, "rev-parse", "HEAD~1")
    with pytest.raises(UsageError, match="`nowhere` is not a commit"):
        open_repository(target, tmp_path / "other", revision="nowhere")


def test_a_folder_in_the_repository_leads_to_it(target: Path, tmp_path: Path) -> None:
    repository = open_repository(target / "src", tmp_path / "store")
    assert repository.base_commit == git(target, "rev-parse", "HEAD")


def test_the_target_is_left_alone_by_a_run(target: Path, tmp_path: Path) -> None:
    write(target, {"dirty": "x", "a.txt": "changed"})
    before = listing(target)
    repository = open_repository(target, tmp_path / "store")
    tree = tree_with(repository, {"c": "1"}, "main")
    commit(repository, tree)
    assert repository.notes
    assert listing(target) == before


def test_an_opened_store_keeps_its_base(target: Path, tmp_path: Path) -> None:
    first = open_repository(target, tmp_path / "store")
    tree = tree_with(first, {"c": "1"}, "main")
    write(target, {"later": "x"})
    git(target, "add", "later")
    git(target, "commit", "-qm", "later")
    again = open_repository(target, tmp_path / "store")
    assert again.base_commit == first.base_commit != git(target, "rev-parse", "HEAD")
    assert (again.workspace("main", tree).folder() / "c").read_text() == "1"


def test_no_repository_is_named_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(UsageError, match="not in a git repository") as caught:
        open_repository(tmp_path / "plain", tmp_path / "store")
    assert caught.value.hint is not None
    assert "git init" in caught.value.hint


def test_a_repository_without_commits_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    with pytest.raises(UsageError, match="no commit yet") as caught:
        open_repository(tmp_path / "empty", tmp_path / "store")
    assert caught.value.hint is not None


def test_a_commit_without_files_is_a_base(tmp_path: Path) -> None:
    target = make_repository(tmp_path / "target", {})
    repository = open_repository(target, tmp_path / "store")
    workspace = repository.workspace("main", repository.base_tree)
    assert list(workspace.folder().iterdir()) == []
    write(workspace.folder(), {"a": "1"})
    assert workspace.snapshot().patch


def test_a_missing_git_is_an_environment_problem(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="git is not installed"):
        open_repository(target, tmp_path / "store")


def test_uncommitted_changes_are_noted(target: Path, tmp_path: Path) -> None:
    write(target, {".gitignore": "*.log\n"})
    git(target, "add", ".gitignore")
    git(target, "commit", "-qm", "ignore")
    write(target, {"a.txt": "x", "new file": "x", "noise.log": "x", ".agentci/runs/x": "x"})
    [note] = open_repository(target, tmp_path / "store").notes
    assert note == "uncommitted changes are left out: `a.txt`, `new file`"


def test_many_uncommitted_changes_are_counted(target: Path, tmp_path: Path) -> None:
    write(target, {f"new{number}": "x" for number in range(10)})
    [note] = open_repository(target, tmp_path / "store").notes
    assert note.endswith("`new0`, `new1`, `new2` and 7 more")


def test_an_index_in_parts_is_no_problem(target: Path, tmp_path: Path) -> None:
    git(target, "update-index", "--split-index")
    write(target, {"a.txt": "changed"})
    [note] = open_repository(target, tmp_path / "store").notes
    assert note.startswith("uncommitted changes")


def test_a_detached_head_is_noted(target: Path, tmp_path: Path) -> None:
    git(target, "checkout", "-q", "--detach")
    [note] = open_repository(target, tmp_path / "store").notes
    assert note.startswith("HEAD is detached")


def test_a_bare_repository_works(target: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(target), "bare.git")
    repository = open_repository(tmp_path / "bare.git", tmp_path / "store")
    assert repository.base_commit == git(target, "rev-parse", "HEAD")
    assert list(repository.notes) == []
    tip = commit(repository, tree_with(repository, {"c": "1"}, "main"))
    repository.publish(tip, "main-fixed")
    assert git(tmp_path / "bare.git", "rev-parse", "main-fixed") == tip


def test_a_linked_worktree_works(target: Path, tmp_path: Path) -> None:
    git(target, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    write(tmp_path / "linked", {"side": "x"})
    git(tmp_path / "linked", "add", "side")
    git(tmp_path / "linked", "commit", "-qm", "side")
    repository = open_repository(tmp_path / "linked", tmp_path / "store")
    assert repository.base_commit == git(tmp_path / "linked", "rev-parse", "HEAD")
    assert repository.blob_id(repository.base_tree, "side") is not None
    assert list(repository.notes) == []
    with pytest.raises(UsageError, match="checked out"):
        repository.publish(commit(repository, repository.base_tree), "side")


def test_a_broken_linked_worktree_is_named(target: Path, tmp_path: Path) -> None:
    git(target, "worktree", "add", "-q", str(tmp_path / "linked"))
    target.rename(tmp_path / "moved")
    with pytest.raises(UsageError, match="does not exist"):
        open_repository(tmp_path / "linked", tmp_path / "store")


def test_a_shallow_clone_works(target: Path, tmp_path: Path) -> None:
    write(target, {"a.txt": "x"})
    git(target, "commit", "-qam", "second")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{target}", "shallow")
    repository = open_repository(tmp_path / "shallow", tmp_path / "store")
    [note] = repository.notes
    assert "shallow" in note
    tip = commit(repository, tree_with(repository, {"c": "1"}, "main"))
    repository.publish(tip, "fixed")
    repository.publish(commit(repository, repository.base_tree, tip), "fixed")
    assert git(tmp_path / "shallow", "log", "--format=%s", "-3", "fixed").count("fix") == 2


def test_a_clone_that_borrows_objects_works(target: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--shared", str(target), "borrower")
    repository = open_repository(tmp_path / "borrower", tmp_path / "store")
    workspace = repository.workspace("main", repository.base_tree)
    assert (workspace.folder() / "a.txt").read_bytes() == b"1\n2\n3\n4\n5\n6\n7\n"


def test_objects_that_are_not_there_are_an_environment_problem(
    target: Path, tmp_path: Path
) -> None:
    git(target, "config", "uploadpack.allowFilter", "true")
    clone = ("clone", "-q", "--no-checkout", "--filter=blob:none")
    git(tmp_path, *clone, f"file://{target}", "partial")
    repository = open_repository(tmp_path / "partial", tmp_path / "store")
    with pytest.raises(EnvironmentProblem) as caught:
        repository.workspace("main", repository.base_tree).folder()
    assert caught.value.hint is not None
    assert "partial clone" in caught.value.hint


def test_an_unknown_tree_is_an_environment_problem(repository: GitRepository) -> None:
    with pytest.raises(EnvironmentProblem, match="not in the run's store"):
        repository.workspace("main", "1" * 40).folder()


def test_submodules_are_kept_and_noted(target: Path, tmp_path: Path) -> None:
    make_repository(tmp_path / "library", {"lib.py": "x\n"})
    git(target, "submodule", "--quiet", "add", str(tmp_path / "library"), "vendor/lib")
    git(target, "commit", "-qm", "submodule")
    repository = open_repository(target, tmp_path / "store")
    assert list(repository.notes) == ["submodules are not checked out: `vendor/lib`"]
    workspace = repository.workspace("main", repository.base_tree)
    root = workspace.folder()
    assert list((root / "vendor/lib").iterdir()) == []
    assert workspace.snapshot().patch == b""
    write(root, {"a.txt": "x\n"})
    workspace.snapshot()
    assert repository.changed_paths(repository.base_tree, workspace.tree) == ("a.txt",)
    workspace.reset(repository.base_tree)
    workspace.folder()
    assert workspace.snapshot().patch == b""


def test_conversions_that_a_tree_asks_for_are_noted(target: Path, tmp_path: Path) -> None:
    write(target, {".gitattributes": "*.bin filter=lfs\n"})
    git(target, "add", ".gitattributes")
    git(target, "commit", "-qm", "attributes")
    [note] = open_repository(target, tmp_path / "store").notes
    assert note.startswith("`.gitattributes` asks for filters")


def test_the_callers_git_variables_and_settings_take_no_part(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = open_repository(target, tmp_path / "clean")
    expected = commit(clean, tree_with(clean, {"x.log": "1\r\n"}, "main"))
    home = tmp_path / "home"
    write(home, {".gitignore": "*.log\n"})
    settings = f"[core]\n\tautocrlf = true\n\texcludesFile = {home}/.gitignore\n"
    write(home, {".gitconfig": settings + "[apply]\n\twhitespace = fix\n[init]\n\tx = y\n"})
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nonexistent")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    odd = open_repository(target, tmp_path / "odd")
    assert commit(odd, tree_with(odd, {"x.log": "1\r\n"}, "main")) == expected


def test_no_hook_of_the_target_runs(target: Path, tmp_path: Path) -> None:
    for name in ("reference-transaction", "post-checkout", "pre-commit", "post-update"):
        hook = target / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hook-ran\n")
        hook.chmod(0o755)
    git(target, "config", "core.fsmonitor", f"touch {tmp_path}/hook-ran; true")
    repository = open_repository(target, tmp_path / "store")
    assert list(repository.notes) == []
    repository.publish(commit(repository, tree_with(repository, {"c": "1"}, "main")), "fixed")
    assert not (tmp_path / "hook-ran").exists()


def test_a_repository_with_sha256_works(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    git(target, "init", "-q", "--object-format=sha256")
    write(target, FILES)
    git(target, "add", "--all")
    git(target, "commit", "-qm", "first")
    repository = open_repository(target, tmp_path / "store")
    tip = commit(repository, tree_with(repository, {"c": "1"}, "main"))
    repository.publish(tip, "fixed")
    assert len(tip) == 64
    assert git(target, "show", "fixed:c") == "1"


def test_a_path_with_odd_characters_works(tmp_path: Path) -> None:
    target = make_repository(tmp_path / 'odd "name"\n# ü', FILES)
    repository = open_repository(target, tmp_path / 'store "x"\ny')
    assert set(read_files(repository.workspace("a b", repository.base_tree).folder())) == set(FILES)


def test_a_commit_is_the_one_that_git_would_make(target: Path, repository: GitRepository) -> None:
    tip = commit(repository, repository.base_tree)
    date = "1800000000 +0000"
    env = {
        **ENV,
        "GIT_AUTHOR_NAME": "agentci",
        "GIT_AUTHOR_EMAIL": "agentci@localhost",
        "GIT_COMMITTER_NAME": "agentci",
        "GIT_COMMITTER_EMAIL": "agentci@localhost",
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
    }
    made = subprocess.run(
        ("git", "commit-tree", repository.base_tree, "-p", repository.base_commit),
        cwd=target,
        env=env,
        input="fix: Übung\n".encode(),
        capture_output=True,
        check=True,
    )
    assert made.stdout.decode().strip() == tip


def test_a_commit_of_replayed_changes_needs_no_folder(
    target: Path, repository: GitRepository, tmp_path: Path
) -> None:
    workspace = repository.workspace("main", repository.base_tree)
    write(workspace.folder(), {"c": "1"})
    change = workspace.snapshot()
    fresh = open_repository(target, tmp_path / "second")
    replayed = fresh.workspace("main", fresh.base_tree)
    replayed.apply(change)
    assert commit(fresh, replayed.tree) == commit(repository, workspace.tree)
    assert not (tmp_path / "second/work").exists()


def test_a_message_that_git_refuses_is_refused(repository: GitRepository) -> None:
    request = CommitRequest(
        tree=repository.base_tree, parents=(), message="a\0b", author="a <b>", date=0
    )
    with pytest.raises(UsageError):
        repository.commit(request)


def test_merges(repository: GitRepository) -> None:
    base = repository.base_tree
    top = tree_with(repository, {"a.txt": "one\n2\n3\n4\n5\n6\n7\n"}, "top")
    bottom = tree_with(repository, {"a.txt": "1\n2\n3\n4\n5\n6\nseven\n", "new": "x"}, "bottom")
    other = tree_with(repository, {"a.txt": "eins\n2\n3\n4\n5\n6\n7\n", "src/b.py": "c\n"}, "other")
    both = tree_with(repository, {"a.txt": "one\n2\n3\n4\n5\n6\nseven\n", "new": "x"}, "both")
    assert repository.merge(base, top, bottom) == MergeOutcome(both)
    assert repository.merge(base, top, other) == MergeOutcome(None, ("a.txt",))
    assert repository.merge(base, base, top) == MergeOutcome(top)
    assert repository.merge(base, top, base) == MergeOutcome(top)
    assert repository.merge(base, top, top) == MergeOutcome(top)


def test_conflicts_of_every_kind_name_their_paths(repository: GitRepository) -> None:
    base = repository.base_tree
    workspace = repository.workspace("ours", base)
    root = workspace.folder()
    (root / "a.txt").unlink()
    write(root, {"ü name\n": "ours", "added": "ours\n"})
    ours = workspace.snapshot().after
    theirs = tree_with(repository, {"a.txt": "x\n", "ü name\n": "theirs", "added/f": "y"}, "theirs")
    outcome = repository.merge(base, ours, theirs)
    assert outcome.tree is None
    assert set(outcome.conflicts) >= {"a.txt", "ü name\n"}
    assert list(outcome.conflicts) == sorted(outcome.conflicts)


def test_an_old_git_cannot_merge_and_says_so(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tree_with(repository, {"a": "1"}, "a")
    theirs = tree_with(repository, {"b": "1"}, "b")
    script = "#!/bin/sh\necho usage: git merge-tree >&2; exit 129\n"
    repository._store.git._base_env["PATH"] = str(_fake_git(tmp_path, script))
    with pytest.raises(EnvironmentProblem, match="cannot merge") as caught:
        repository.merge(repository.base_tree, ours, theirs)
    assert caught.value.hint is not None
    assert "2.38" in caught.value.hint


def _fake_git(tmp_path: Path, script: str) -> Path:
    folder = tmp_path / "fake"
    write(folder, {"git": script})
    (folder / "git").chmod(0o755)
    return folder


@pytest.mark.parametrize(
    "message",
    [
        "fatal: write error: No space left on device",
        "error: Read-only file system",
        "error: unable to write file a.txt",
    ],
)
def test_a_full_disk_is_a_storage_error(
    repository: GitRepository, tmp_path: Path, message: str
) -> None:
    script = f"#!/bin/sh\necho '{message}' >&2; exit 128\n"
    workspace = repository.workspace("main", repository.base_tree)
    workspace.folder()
    repository._store.git._base_env["PATH"] = str(_fake_git(tmp_path, script))
    with pytest.raises(StorageError) as caught:
        workspace.snapshot()
    assert caught.value.hint is not None
    workspace.reset(repository.base_tree)
    with pytest.raises(StorageError):
        workspace.folder()


def test_a_store_that_cannot_be_written_is_a_storage_error(target: Path, tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file in the way")
    with pytest.raises(StorageError):
        open_repository(target, tmp_path / "store")


def test_paths_and_patches_between_trees(repository: GitRepository) -> None:
    tree = tree_with(repository, {"src/b.py": "b = 2\n", "ü": "x"}, "main")
    base = repository.base_tree
    assert repository.changed_paths(base, tree) == ("src/b.py", "ü")
    assert repository.changed_paths(base, base) == ()
    assert "-b = 1\n+b = 2\n" in repository.diff(base, tree)
    assert "-b = 1\n+b = 2\n" in repository.diff(repository.base_commit, commit(repository, tree))
    assert repository.diff(tree, tree) == ""


def test_object_ids_of_files_folders_and_nothing(target: Path, repository: GitRepository) -> None:
    base = repository.base_tree
    assert repository.blob_id(base, "src/b.py") == git(target, "rev-parse", "HEAD:src/b.py")
    assert repository.blob_id(base, "src") == git(target, "rev-parse", "HEAD:src")
    assert repository.blob_id(base, "src/") == git(target, "rev-parse", "HEAD:src")
    assert repository.blob_id(base, "nowhere") is None
    assert repository.blob_id(base, "*.txt") is None


def test_publishing_makes_and_moves_a_branch(target: Path, repository: GitRepository) -> None:
    first = commit(repository, tree_with(repository, {"c": "1"}, "a"))
    repository.publish(first, "agents/fix")
    repository.publish(first, "agents/fix")
    second = commit(repository, tree_with(repository, {"c": "2"}, "b"), first)
    repository.publish(second, "agents/fix")
    assert git(target, "rev-parse", "agents/fix") == second
    assert git(target, "show", "agents/fix:c") == "2"
    git(target, "fsck", "--strict")
    assert git(target, "status", "--porcelain") == ""


def test_publishing_never_drops_commits(target: Path, repository: GitRepository) -> None:
    git(target, "branch", "theirs")
    git(target, "checkout", "-q", "theirs")
    git(target, "commit", "-q", "--allow-empty", "-m", "theirs")
    git(target, "checkout", "-q", "main")
    tip = git(target, "rev-parse", "theirs")
    with pytest.raises(UsageError, match="does not contain"):
        repository.publish(commit(repository, repository.base_tree), "theirs")
    assert git(target, "rev-parse", "theirs") == tip


@pytest.mark.parametrize("branch", ["", "a..b", "-x", "a b", "x.lock", "HEAD", "a/", "@{-1}"])
def test_publishing_to_no_branch_name_is_refused(repository: GitRepository, branch: str) -> None:
    with pytest.raises(UsageError, match="not a name for a branch"):
        repository.publish(commit(repository, repository.base_tree), branch)


def test_publishing_to_the_branch_of_a_checkout_is_refused(repository: GitRepository) -> None:
    with pytest.raises(UsageError, match="checked out") as caught:
        repository.publish(commit(repository, repository.base_tree), "main")
    assert caught.value.hint is not None


def test_a_plain_folder_has_the_same_commit_everywhere(tmp_path: Path) -> None:
    commits = []
    for number, umask in enumerate((0o022, 0o077)):
        before = os.umask(umask)
        try:
            folder = tmp_path / str(number) / f"name{number}"
            write(folder, {**FILES, "run.sh": "#!/bin/sh\n", "a/b": "x", "a.b": "x", "a-b": "x"})
            (folder / "run.sh").chmod(0o700)
            (folder / "link").symlink_to("a.txt")
            (folder / "empty").mkdir()
            write(folder, {".git/HEAD": f"{number}", ".git/config": "x"})
        finally:
            os.umask(before)
        repository = open_folder(folder, tmp_path / f"store{number}")
        commits.append(repository.base_commit)
        assert repository.base_date == 1_767_225_600
        again = open_folder(folder, tmp_path / f"store{number}")
        assert again.base_commit == repository.base_commit
    assert commits[0] == commits[1]


def test_the_tree_of_a_plain_folder_is_the_one_that_git_makes(tmp_path: Path) -> None:
    files = {**FILES, "run.sh": "x", "a/b": "x", "a.b": "x", "a-b": "x", "a0": "", "ü": b"\xff\0"}
    write(tmp_path / "folder", files)
    (tmp_path / "folder/run.sh").chmod(0o755)
    (tmp_path / "folder/link").symlink_to("nowhere")
    repository = open_folder(tmp_path / "folder", tmp_path / "store")
    git(tmp_path / "folder", "init", "-q")
    git(tmp_path / "folder", "add", "--all")
    assert repository.base_tree == git(tmp_path / "folder", "write-tree")


def test_what_is_ignored_around_a_plain_folder_stays_out(tmp_path: Path) -> None:
    project = make_repository(
        tmp_path / "project",
        {".gitignore": "__pycache__/\n*.log\n", "fixture/a": "1", "fixture/kept.log": "1"},
    )
    expected = open_folder(project / "fixture", tmp_path / "store0").base_tree
    write(project / "fixture", {"__pycache__/a.pyc": "x", "noise.log": "x"})
    assert open_folder(project / "fixture", tmp_path / "store1").base_tree == expected
    write(project / "fixture", {"new": "x"})
    assert open_folder(project / "fixture", tmp_path / "store2").base_tree != expected
    (project / "fixture/new").unlink()
    (project / "fixture/kept.log").unlink()
    other = open_folder(project / "fixture", tmp_path / "store3")
    assert other.blob_id(other.base_tree, "kept.log") is None


def test_repositories_inside_a_plain_folder_are_just_files(tmp_path: Path) -> None:
    write(tmp_path / "folder", {"a": "1"})
    make_repository(tmp_path / "folder/inner", {"b": "2"})
    repository = open_folder(tmp_path / "folder", tmp_path / "store")
    assert repository.blob_id(repository.base_tree, "inner/b") is not None
    assert repository.blob_id(repository.base_tree, "inner/.git") is None


def test_a_plain_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        open_folder(tmp_path / "nowhere", tmp_path / "store")


def test_an_empty_plain_folder_works(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    repository = open_folder(tmp_path / "folder", tmp_path / "store")
    assert list(repository.workspace("main", repository.base_tree).folder().iterdir()) == []
    with pytest.raises(UsageError, match="no branches"):
        repository.publish(repository.base_commit, "x")
