"""Ports: everything that a run takes from, or does to, the outside goes through one of these.

The layers above receive them as arguments. The implementations are in `agentci.adapters`, and
`agentci.app.wiring` puts them together; tests pass their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from agentci.core.presence import Presence
from agentci.core.tree_file import TreeFile
from agentci.core.wire import HttpRequest, WireResponse


class Clock(Protocol):
    """Time. Nothing that a digest covers may depend on it."""

    def now(self) -> float:
        """Return seconds since the Unix epoch."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""


class Random(Protocol):
    """Unpredictable bytes, for names that must not collide. Never for a decision of a run."""

    def token(self, size: int) -> bytes:
        """Return `size` random bytes."""


class Env(Protocol):
    """The environment variables of this process, read by name only."""

    def get(self, name: str) -> str | None:
        """Return the value of `name`, or None where it is not set."""


class Http(Protocol):
    """The only way out to a network."""

    async def send(
        self, request: HttpRequest, *, on_chunk: Callable[[bytes], None] | None = None
    ) -> WireResponse:
        """Send `request` and return the whole answer; `on_chunk` sees each chunk as it arrives.

        Raises:
            ProviderError: when there is no answer (connection, TLS, timeout). An answer with an
                error status is returned, not raised.
        """

    async def close(self) -> None:
        """Close all connections."""


class Relay(Protocol):
    """A way out to a network that hands an answer on while it arrives."""

    async def relay(
        self,
        request: HttpRequest,
        *,
        on_start: Callable[[int, Mapping[str, str]], None],
        on_chunk: Callable[[bytes], None],
    ) -> WireResponse:
        """Send `request`; `on_start` sees status and headers, then `on_chunk` each chunk.

        Raises:
            ProviderError: as `Http.send` does, also after the answer has started.
        """


class Foreground(Protocol):
    """Programs that work for the user of this process: its terminal, its environment."""

    async def run(self, argv: Sequence[str], *, folder: Path, changes: Mapping[str, str]) -> int:
        """Run a program to its end and return the exit code, as a shell would show it.

        It gets this process's environment with `changes`.

        Raises:
            UsageError: when there is no such program, or it cannot be started.
        """


class AppendFile(Protocol):
    """A file that only grows.

    Each append is one write call, so a killed process loses at most the one in flight.
    """

    def append(self, data: bytes, *, sync: bool = False) -> None:
        """Write `data` at the end, on a line of its own; with `sync`, also force it to the disk.

        Where the file ends in half a line, as a killed writer leaves it, a line break goes first.
        What could not be written whole is taken back.
        """

    def sync(self) -> None:
        """Force what was written to the disk."""

    def close(self) -> None:
        """Close the file; a second call does nothing."""


class Files(Protocol):
    """Files of the project and of agentci's own folder. All failures are `StorageError`s."""

    def read(self, path: Path) -> bytes:
        """Return the whole content."""

    def exists(self, path: Path) -> bool:
        """Say whether `path` is there, as a file or a folder."""

    def list(self, folder: Path) -> tuple[Path, ...]:
        """Return all files below `folder`, sorted by path; empty where it does not exist."""

    def tree(self, folder: Path) -> tuple[TreeFile, ...]:
        """Return what git would keep of `folder`, sorted by path: links are not followed."""

    def write_atomic(self, path: Path, data: bytes) -> None:
        """Replace the content in one step (temporary file, fsync, rename); makes folders."""

    def open_append(self, path: Path) -> AppendFile:
        """Open a file for appending, and make it and its folders where missing."""

    def force(self, path: Path) -> None:
        """Force to the disk what was appended to a file; not there is fine."""

    def update(self, path: Path, change: Callable[[bytes], bytes | None]) -> None:
        """Replace the content by `change(content)`, atomically and with no append in between.

        A missing file reads as empty. None removes the file; equal bytes write nothing.
        """

    def remove(self, path: Path) -> None:
        """Remove a file or a whole folder; not there is fine."""

    def lock(self, path: Path) -> AbstractContextManager[bool]:
        """Take the lock file `path` without waiting; gives False where another process has it."""

    def enter(self, folder: Path) -> Presence:
        """Come to `folder`, which is made where missing, to work there beside others."""


class ByteStore(Protocol):
    """A persistent map from digests to bytes, safe with several processes. Never unpickles."""

    def get(self, key: str) -> bytes | None:
        """Return the value of `key`, or None."""

    def put(self, key: str, value: bytes) -> None:
        """Store `value`; an existing value is replaced."""

    def delete(self, key: str) -> None:
        """Remove `key`; not there is fine."""

    def keys(self) -> Iterator[str]:
        """Yield all keys, sorted."""

    def close(self) -> None:
        """Release files."""


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command to run in a workspace."""

    argv: tuple[str, ...]
    root: Path
    """The workspace on this machine; shown as `/workspace` where the sandbox has its own root."""
    timeout: float
    """Seconds, after which the whole process group is killed."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The complete environment; nothing is inherited."""
    folder: str = "."
    """Working directory, relative to `root`."""
    stdin: bytes = b""
    output_limit: int = 1_000_000
    """Bytes kept of each of stdout and stderr; the middle is left out beyond that."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a command did."""

    exit_code: int
    """As a shell would show it: 128 + signal for a killed process, 127 for a missing program."""
    stdout: bytes
    stderr: bytes
    timed_out: bool = False


class Sandbox(Protocol):
    """A place to run commands: `docker`, `bwrap` or `process`."""

    @property
    def name(self) -> str:
        """The name of the kind."""

    async def run(self, request: CommandRequest) -> CommandResult:
        """Run a command to its end. On cancellation the whole process group is killed.

        Raises:
            SafetyRefusal: when the sandbox is not available on this machine.
        """

    async def close(self) -> None:
        """Remove containers and other leftovers."""


@dataclass(frozen=True, slots=True)
class TreeChange:
    """The effect of something on files: from one git tree to another."""

    before: str
    """Git tree id."""
    after: str
    """Git tree id."""
    patch: bytes
    """`git diff --binary --full-index` from `before` to `after`; empty where they are equal."""


class Workspace(Protocol):
    """The files that one branch of a run works on, as a git tree and, when asked, a folder."""

    @property
    def tree(self) -> str:
        """Git tree id as of the last snapshot, apply or reset."""

    @property
    def path(self) -> Path:
        """Where the folder is, or will be once `folder` is called."""

    def folder(self) -> Path:
        """Return the folder with the files, checked out now if it was not yet."""

    def snapshot(self) -> TreeChange:
        """Take what changed in the folder since `tree` into a new tree, and return the change."""

    def apply(self, change: TreeChange) -> None:
        """Replay a recorded change on the tree, without needing the folder.

        Raises:
            Diverged: when `change.before` is not the present tree, or the result is not
                `change.after`.
        """

    def change_since(self, before: str) -> TreeChange:
        """Return the change from the tree `before` to the present tree."""

    def reset(self, tree: str) -> None:
        """Go to `tree` and drop everything else, untracked files included."""

    def fork(self, name: str) -> Workspace:
        """Return a new workspace on the same tree, with a folder of its own."""

    def close(self) -> None:
        """Remove the folder."""


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """A commit with everything in it fixed, so that two machines get the same id."""

    tree: str
    parents: tuple[str, ...]
    message: str
    author: str
    """`Name <address>`; also the committer."""
    date: int
    """Seconds since the Unix epoch, shown in UTC; author and committer date."""


@dataclass(frozen=True, slots=True)
class MergeOutcome:
    """A three-way merge of trees."""

    tree: str | None
    """Git tree id, or None when there were conflicts."""
    conflicts: tuple[str, ...] = ()
    """Paths, sorted."""


class Repository(Protocol):
    """The target repository of a run, never written to except by `publish`.

    New objects go to a store of the run's own, which reads the target's objects as alternates.
    """

    @property
    def base_commit(self) -> str:
        """The commit that the run starts from."""

    @property
    def base_tree(self) -> str:
        """The tree of `base_commit`."""

    @property
    def base_date(self) -> int:
        """Committer date of `base_commit`, seconds since the Unix epoch: the logical clock."""

    @property
    def notes(self) -> Sequence[str]:
        """What a user should know: uncommitted changes left out, submodules not checked out."""

    def has_tree(self, tree: str) -> bool:
        """Say whether the files of `tree` are at hand.

        A tree that was only claimed by recorded changes is gone when a process is killed.
        """

    def workspace(self, name: str, tree: str) -> Workspace:
        """Open a workspace named `name` (unique within the run) on `tree`."""

    def merge(self, base: str, ours: str, theirs: str) -> MergeOutcome:
        """Merge two trees that both come from the tree `base`."""

    def commit(self, request: CommitRequest) -> str:
        """Store a commit in the run's own store and return its id."""

    def diff(self, before: str, after: str) -> str:
        """Return the readable patch between two trees or commits."""

    def changed_paths(self, before: str, after: str) -> tuple[str, ...]:
        """Return the paths that differ between two trees, sorted."""

    def blob_id(self, tree: str, path: str) -> str | None:
        """Return the git object id of `path` in `tree`, or None where there is no such path."""

    def publish(self, commit: str, branch: str) -> None:
        """Make `branch` of the target repository point to `commit`.

        Raises:
            UsageError: when the branch exists and `commit` does not contain it.
        """


@dataclass(frozen=True, slots=True)
class Effects:
    """The ports that every run needs, bundled."""

    clock: Clock
    random: Random
    env: Env
    files: Files
    http: Http
