"""Handing the result of a run to the target repository: the only place that writes to it.

No hook of the target runs, and nothing but the new objects and one branch changes.
"""

from __future__ import annotations

from agentci.adapters.git_commands import Git
from agentci.adapters.git_store import GitStore
from agentci.adapters.git_target import Base, Target
from agentci.core.errors import UsageError


def publish(store: GitStore, target: Target, *, base: Base, commit: str, branch: str) -> None:
    """Make `branch` of `target` point to `commit`, which the run made on top of `base`.

    Raises:
        UsageError: when the branch exists and `commit` does not contain it, when it is checked
            out, or when its name is not one.
    """
    git = Git(target.git_dir)
    ref = f"refs/heads/{branch}"
    odd = branch == "HEAD" or branch.startswith("-")
    if odd or git.run("check-ref-format", ref, allowed=(0, 1)).exit_code:
        raise UsageError(f"`{branch}` is not a name for a branch", code="ACI-U215")
    present = _present_tip(git, ref, branch=branch)
    if present is not None and present != commit:
        _check_contains(store, commit, tip=present, branch=branch)
    _copy_objects(store, git, commit=commit, known=[base.commit, *([present] if present else [])])
    # the old value makes the update fail when somebody else moved the branch meanwhile
    old = present or "0" * len(commit)
    git.run("update-ref", "-m", "agentci: publish", ref, commit, old)


def _present_tip(git: Git, ref: str, *, branch: str) -> str | None:
    form = "--format=%(objectname)%00%(worktreepath)%00%(refname)"
    for line in git.run("for-each-ref", form, ref).text.splitlines():
        tip, checked_out, name = line.split("\0")
        if name == ref and checked_out:
            raise UsageError(
                f"the branch `{branch}` is checked out in `{checked_out}`",
                code="ACI-U216",
                hint="publish to another branch and merge it there",
            )
        if name == ref:
            return tip
    return None


def _check_contains(store: GitStore, commit: str, *, tip: str, branch: str) -> None:
    contained = store.git.run("merge-base", "--is-ancestor", tip, commit, allowed=(0, 1, 128))
    if contained.exit_code:
        raise UsageError(
            f"the branch `{branch}` has commits that `{commit[:12]}` does not contain",
            code="ACI-U217",
            hint="publish to another branch, or merge that branch first and run again",
        )


def _copy_objects(store: GitStore, git: Git, *, commit: str, known: list[str]) -> None:
    wanted = "\n".join([commit, *(f"^{tip}" for tip in known)]) + "\n"
    pack = store.git.run("pack-objects", "--revs", "--stdout", "-q", stdin=wanted.encode())
    git.run("unpack-objects", "-q", stdin=pack.stdout)
