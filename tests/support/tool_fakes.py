"""Fakes for tests of tools and agents: a workspace without git, a session in memory."""

from __future__ import annotations

import asyncio
import json
import stat
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agentci.core.digest import Digest, digest_json
from agentci.core.effects import CommandRequest, CommandResult, TreeChange, Workspace
from agentci.core.errors import CassetteMiss, Diverged
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.record.interaction import Address, Interaction, InteractionKind
from agentci.tools.environment import fixed_environment
from agentci.tools.masking import Masker
from agentci.tools.protocol import ToolContext


class FolderWorkspace:
    """A workspace whose tree id is a digest of the folder's files; a patch holds all of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(parents=True, exist_ok=True)
        self.snapshots = 0
        self._states: dict[str, bytes] = {}
        self._tree = self._take()

    @property
    def tree(self) -> str:
        return self._tree

    @property
    def path(self) -> Path:
        return self._path

    def folder(self) -> Path:
        return self._path

    def snapshot(self) -> TreeChange:
        self.snapshots += 1
        before = self._tree
        self._tree = self._take()
        patch = b"" if before == self._tree else self._states[self._tree]
        return TreeChange(before, self._tree, patch)

    def apply(self, change: TreeChange) -> None:
        if change.before != self._tree:
            raise Diverged(f"at `{self._tree}`, not at `{change.before}`")
        self._put(change.patch)
        self._tree = self._take()
        if self._tree != change.after:
            raise Diverged(f"came to `{self._tree}`, not to `{change.after}`")

    def change_since(self, before: str) -> TreeChange:
        return TreeChange(before, self._tree, self._states[self._tree])

    def reset(self, tree: str) -> None:
        self._put(self._states[tree])
        self._tree = tree

    def fork(self, name: str) -> Workspace:
        raise NotImplementedError

    def close(self) -> None:
        pass

    def _files(self) -> list[Path]:
        return sorted(p for p in self._path.rglob("*") if p.is_symlink() or p.is_file())

    def _take(self) -> str:
        content = {
            str(path.relative_to(self._path)): [
                b64encode(
                    str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
                ).decode(),
                "link" if path.is_symlink() else bool(path.stat().st_mode & stat.S_IXUSR),
            ]
            for path in self._files()
        }
        tree = digest_json(content)
        self._states[tree] = json.dumps(content).encode()
        return tree

    def _put(self, state: bytes) -> None:
        for path in self._files():
            path.unlink()
        for name, (data, mode) in json.loads(state).items():
            path = self._path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if mode == "link":
                path.symlink_to(b64decode(data).decode())
            else:
                path.write_bytes(b64decode(data))
                path.chmod(0o755 if mode else 0o644)


@dataclass
class FakeSandbox:
    """Runs commands with `subprocess`, or answers with `reply`, and keeps the requests."""

    name: str = "process"
    reply: Callable[[CommandRequest], CommandResult] | None = None
    requests: list[CommandRequest] = field(default_factory=list)

    async def run(self, request: CommandRequest) -> CommandResult:
        self.requests.append(request)
        if self.reply is not None:
            return self.reply(request)
        done = await asyncio.to_thread(
            subprocess.run,
            request.argv,
            cwd=request.root / request.folder,
            env=dict(request.env),
            input=request.stdin,
            capture_output=True,
            timeout=request.timeout,
            check=False,
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)

    async def close(self) -> None:
        pass


@dataclass
class MemorySession:
    """Recordings in memory, with the rules of a real session."""

    mode: str = "record"
    recorded: dict[Address, Interaction] = field(default_factory=dict)
    played: list[Address] = field(default_factory=list)
    _issued: dict[tuple[Lane, Digest], int] = field(default_factory=dict)

    @property
    def can_record(self) -> bool:
        return self.mode in {"record", "auto"}

    def as_recorded(self, request: JsonObject, lane: Lane) -> JsonObject:
        return request

    def reserve(self, lane: Lane, key: Digest) -> Address:
        self._issued[lane, key] = self._issued.get((lane, key), 0) + 1
        return Address(lane, key, self._issued[lane, key])

    def lookup(self, address: Address) -> Interaction | None:
        found = self.recorded.get(address)
        if found is not None:
            self.played.append(address)
        return found

    def miss(self, address: Address, request: JsonObject, kind: InteractionKind) -> CassetteMiss:
        return CassetteMiss(f"no recording of `{request.get('tool')}`")

    def append(self, interaction: Interaction) -> Interaction:
        assert digest_json(interaction.request) == interaction.address.key
        json.dumps(interaction.response).encode("utf-8")
        self.recorded[interaction.address] = interaction
        return interaction

    def replaying(self) -> MemorySession:
        """Return a session that replays what this one recorded."""
        return MemorySession("replay", dict(self.recorded))


def make_context(
    folder: Path,
    *,
    files: Mapping[str, str | bytes] | None = None,
    sandbox: FakeSandbox | None = None,
    commands: tuple[str, ...] = (),
    timeout: float = 30.0,
) -> ToolContext:
    """Return a context on a new workspace in `folder` with `files`."""
    for name, content in (files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    home = folder.parent / "home"
    return ToolContext(
        workspace=FolderWorkspace(folder),
        sandbox=sandbox or FakeSandbox(),
        env=fixed_environment(home, 0),
        timeout=timeout,
        commands=commands,
        mask=Masker(folder, home),
    )
