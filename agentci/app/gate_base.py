"""What head is compared with: the merge base with the branch that a change goes to.

The branch, or the commit itself, comes from `--base`, else from the variables of the CI system,
else from git.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.core.errors import EnvironmentProblem, StorageError, UsageError

if TYPE_CHECKING:
    from agentci.core.effects import Env, Files
    from agentci.core.history import History


@dataclass(frozen=True, slots=True)
class GateBase:
    """The commit that head is compared with."""

    commit: str
    head: str
    """Commit id of HEAD."""
    source: str
    """Where it came from, in words."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    revision: str
    source: str
    binding: bool = True
    """Whether it is the base and no other: it was asked for, or CI says so."""


_BRANCHES: Final = (
    ("GITHUB_BASE_REF", "GitHub"),
    ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "GitLab"),
    ("BITBUCKET_PR_DESTINATION_BRANCH", "Bitbucket"),
    ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "Buildkite"),
    ("SYSTEM_PULLREQUEST_TARGETBRANCH", "Azure Pipelines"),
    ("CHANGE_TARGET", "Jenkins"),
    ("DRONE_TARGET_BRANCH", "Drone"),
)
"""Variables with the name of the branch that a change goes to, and whose documentation says so."""

_USUAL: Final = ("origin/main", "origin/master", "main", "master")


def find_base(asked: str | None, history: History, *, env: Env, files: Files) -> GateBase:
    """Return the merge base of HEAD with what `asked` names, or with what CI or git says.

    Raises:
        UsageError: when there is no commit yet, or `asked` is none.
        EnvironmentProblem: when the clone does not have the base.
    """
    head = history.commit("HEAD")
    if head is None:
        raise UsageError(
            "the repository has no commit yet",
            code="ACI-U480",
            hint='run `git add --all && git commit -m "first"`',
        )
    candidates = [_Candidate(asked, "`--base`")] if asked else list(_guessed(history, env, files))
    for candidate in candidates:
        commit = known_commit(candidate.revision, history)
        if commit is not None:
            return GateBase(_merge_base(commit, head, candidate, history), head, candidate.source)
        if candidate.binding:
            raise _missing(candidate, history)
    raise EnvironmentProblem(
        "nothing says what this change is compared with: there is no branch `main` or `master`, "
        "here or on `origin`",
        code="ACI-E460",
        hint="agentci gate --base BRANCH",
    )


def revisions_wanted(
    asked: str | None, history: History, *, env: Env, files: Files
) -> tuple[str, ...]:
    """Return what `find_base` looks for, in its order, whether the clone has it or not."""
    found = (asked,) if asked else (each.revision for each in _guessed(history, env, files))
    return tuple(dict.fromkeys(found))


def known_commit(revision: str, history: History) -> str | None:
    """Return the commit; a branch is looked for on `origin` first, where CI fetches it."""
    names = (revision,) if revision.startswith("origin/") else (f"origin/{revision}", revision)
    return next((found for name in names if (found := history.commit(name))), None)


def _guessed(history: History, env: Env, files: Files) -> Iterator[_Candidate]:
    yield from _of_event(env, files)
    for variable, system in _BRANCHES:
        branch = env.get(variable)
        if branch:
            yield _Candidate(branch.removeprefix("refs/heads/"), system)
    default = history.default_branch()
    for branch in _USUAL if default is None else (default, *_USUAL):
        yield _Candidate(branch, f"the branch {branch}", binding=False)


def _of_event(env: Env, files: Files) -> Iterator[_Candidate]:
    """Return the commits that a CI system names itself, which no later push can move."""
    diff_base = env.get("CI_MERGE_REQUEST_DIFF_BASE_SHA")
    if diff_base:
        yield _Candidate(diff_base, "GitLab")
    event = _event(env, files)
    for kind, field in (("merge_group", "base_sha"), ("pull_request", "base")):
        content = event.get(kind)
        if isinstance(content, dict):
            value = content.get(field)
            commit = value.get("sha") if isinstance(value, dict) else value
            if isinstance(commit, str):
                yield _Candidate(commit, "GitHub's event")
    before = event.get("before")
    if isinstance(before, str) and before.strip("0"):
        # a forced push leaves it out of the clone
        yield _Candidate(before, "GitHub's event", binding=False)


def _event(env: Env, files: Files) -> dict[str, object]:
    path = env.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    try:
        content = json.loads(files.read(Path(path)))
    except (StorageError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _merge_base(commit: str, head: str, candidate: _Candidate, history: History) -> str:
    found = history.merge_base(commit, head)
    if found is not None:
        return found
    if history.is_shallow():
        raise EnvironmentProblem(
            f"the clone is shallow and does not have the merge base of HEAD and "
            f"`{candidate.revision}`",
            code="ACI-E461",
            hint="`git fetch --unshallow origin`, or `fetch-depth: 0` of actions/checkout",
        )
    raise EnvironmentProblem(
        f"HEAD and `{candidate.revision}` have no commit in common",
        code="ACI-E462",
        hint="agentci gate --base BRANCH",
    )


def _missing(candidate: _Candidate, history: History) -> Exception:
    if candidate.source == "`--base`":
        return UsageError(
            f"`{candidate.revision}` is no commit, branch or tag of this clone",
            code="ACI-U481",
            hint=f"`git fetch origin {candidate.revision}`, or name another one",
        )
    shallow = " (the clone is shallow)" if history.is_shallow() else ""
    return EnvironmentProblem(
        f"the base `{candidate.revision}` that {candidate.source} names is not in this "
        f"clone{shallow}",
        code="ACI-E463",
        hint=f"`git fetch origin {candidate.revision}`, or `fetch-depth: 0` of actions/checkout",
    )
