"""The target repository: where it is, what it is based on, and what a user should know of it.

Only read here. Found without starting git and named explicitly afterwards, so a checkout of
another owner (a container's bind mount) works as well. Must not know of workspaces.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from agentci.adapters.git_commands import Git
from agentci.adapters.git_objects import ObjectFormat
from agentci.core.errors import UsageError

_SHOWN = 3
_COMMITTER_DATE = re.compile(rb"^committer .*> (\d+) [+-]\d{4}$", re.MULTILINE)
_TREE = re.compile(rb"^tree ([0-9a-f]+)$", re.MULTILINE)
_SUBMODULE_PATH = re.compile(r"^\s*path\s*=\s*(.+?)\s*$", re.MULTILINE)
_CONVERSIONS = re.compile(r"filter=|eol=crlf|working-tree-encoding=|\bident\b")


@dataclass(frozen=True, slots=True)
class Target:
    """The places of a repository on disk."""

    git_dir: Path
    """Of this checkout; differs from `common_dir` in a linked worktree."""
    common_dir: Path
    work_tree: Path | None
    """None for a bare repository."""

    @property
    def object_folders(self) -> tuple[Path, ...]:
        """All folders with objects, the target's own alternates included."""
        return _with_alternates(self.common_dir / "objects", depth=5)


@dataclass(frozen=True, slots=True)
class Base:
    """The commit that a run starts from."""

    commit: str
    tree: str
    date: int
    """Committer date, seconds since the Unix epoch."""

    @property
    def object_format(self) -> ObjectFormat:
        """How the repository names objects."""
        return "sha1" if len(self.commit) == 40 else "sha256"


def find_target(start: Path) -> Target:
    """Return the repository around `start`.

    Raises:
        UsageError: when there is none.
    """
    resolved = start.resolve()
    for folder in (resolved, *resolved.parents):
        dot_git = folder / ".git"
        if dot_git.is_dir() and (dot_git / "HEAD").exists():
            return _target(dot_git, folder)
        if dot_git.is_file():
            return _target(_follow(dot_git, folder), folder)
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
            return _target(folder, None)
    raise UsageError(
        f"`{start}` is not in a git repository",
        code="ACI-U210",
        hint="run `git init` and commit the files, or name a repository with `--repo PATH`",
    )


def _follow(dot_git: Path, folder: Path) -> Path:
    text = dot_git.read_text(errors="surrogateescape").strip()
    git_dir = folder / text.removeprefix("gitdir:").strip()
    if not text.startswith("gitdir:") or not (git_dir / "HEAD").exists():
        raise UsageError(
            f"`{dot_git}` points to a git folder that does not exist",
            code="ACI-U211",
            hint="run `git worktree repair` in the main checkout",
        )
    return git_dir.resolve()


def _target(git_dir: Path, work_tree: Path | None) -> Target:
    common = git_dir / "commondir"
    common_dir = (git_dir / common.read_text().strip()).resolve() if common.is_file() else git_dir
    return Target(git_dir, common_dir, work_tree)


def _with_alternates(objects: Path, *, depth: int) -> tuple[Path, ...]:
    listing = objects / "info" / "alternates"
    found = [objects]
    if depth and listing.is_file():
        for line in listing.read_text(errors="surrogateescape").splitlines():
            # a path in quotes is absolute, and git follows it by itself
            if line and not line.startswith(("#", '"')):
                found.extend(_with_alternates((objects / line).resolve(), depth=depth - 1))
    return tuple(dict.fromkeys(found))


def read_base(git: Git, revision: str, *, shown_as: Path) -> Base:
    """Return what `revision` stands for.

    Raises:
        UsageError: when there is no such commit, as in a repository without commits.
    """
    answer = git.run("cat-file", "--batch", stdin=revision.encode() + b"^{commit}\n").stdout
    head, _, content = answer.partition(b"\n")
    words = head.split()
    tree, date = _TREE.search(content), _COMMITTER_DATE.search(content)
    if len(words) != 3 or words[1] != b"commit" or tree is None or date is None:
        if revision == "HEAD":
            raise UsageError(
                f"the repository `{shown_as}` has no commit yet",
                code="ACI-U212",
                hint='run `git add --all && git commit -m "first"` there',
            )
        raise UsageError(
            f"`{revision}` is not a commit of `{shown_as}`",
            code="ACI-U213",
            hint="fetch it, or name another one; `git log --oneline` lists commits",
        )
    return Base(words[0].decode(), tree[1].decode(), int(date[1]))


def notes_of(target: Target, base: Base, store: Git, *, from_head: bool = True) -> tuple[str, ...]:
    """Return what is worth knowing about the state of the target, for people."""
    if not from_head:
        return (f"the run starts from commit `{base.commit[:12]}`, as the recorded one did",)
    notes: list[str] = []
    head = (target.git_dir / "HEAD").read_text(errors="replace").strip()
    if not head.startswith("ref:"):
        notes.append(f"HEAD is detached; the run starts from commit `{base.commit[:12]}`")
    if (target.common_dir / "shallow").is_file():
        notes.append("the repository is a shallow clone; older commits are not available")
    special = _read_special(base, store)
    paths = _SUBMODULE_PATH.findall(special.modules)
    if paths:
        notes.append(f"submodules are not checked out: {_names(sorted(paths))}")
    if _CONVERSIONS.search(special.attributes):
        notes.append(
            "`.gitattributes` asks for filters or conversions; files are used as git stores them"
        )
    changed = _uncommitted(target, base, store)
    if changed is None:
        notes.append("uncommitted changes, if there are any, are left out")
    elif changed:
        notes.append(f"uncommitted changes are left out: {_names(changed)}")
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class _Special:
    modules: str
    attributes: str


def _read_special(base: Base, store: Git) -> _Special:
    names = (".gitmodules", ".gitattributes")
    asked = "".join(f"{base.tree}:{name}\n" for name in names)
    answer = store.run("cat-file", "--batch", stdin=asked.encode()).stdout
    texts = []
    for _ in names:
        head, _, answer = answer.partition(b"\n")
        size = 0 if head.endswith(b" missing") else int(head.split()[-1])
        texts.append(answer[:size].decode("utf-8", "replace"))
        answer = answer[size + 1 :] if not head.endswith(b" missing") else answer
    return _Special(*texts)


def _uncommitted(target: Target, base: Base, store: Git) -> list[str] | None:
    """Compare with a copy of the target's index, so that its configuration takes no part.

    None where that index has a form that cannot be read by itself.
    """
    index = target.git_dir / "index"
    if target.work_tree is None or not index.is_file():
        return []
    copy = store.git_dir.parent / "index" / "target"
    shutil.copy2(index, copy)
    (store.git_dir / "HEAD").write_text(base.commit + "\n")
    exclude = target.common_dir / "info" / "exclude"
    flags = ("--porcelain", "-z", "--no-renames", "--ignore-submodules=all")
    status = store.run(
        *("-c", f"core.excludesFile={exclude}", "status", *flags),
        index=copy,
        work_tree=target.work_tree,
        allowed=(0, 128),
    )
    copy.unlink()
    if status.exit_code:
        return None
    entries = [entry[3:].decode("utf-8", "replace") for entry in status.stdout.split(b"\0")]
    return sorted(e for e in entries if e and e.split("/")[0] != ".agentci")


def _names(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
