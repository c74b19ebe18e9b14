"""The sandbox `bwrap`: bubblewrap, for machines without a Docker Engine.

The command sees the system's programs read-only, its workspace, and an empty home: no network,
no other processes, no files of the user, no capabilities. Must not know who asks for a command.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from agentci.adapters.sandbox_process import Launch, ProcessSandbox, named_failure, working_folder
from agentci.adapters.sandbox_settings import Limits
from agentci.adapters.sandbox_view import (
    HOME,
    HOST_NAME,
    USER,
    WORKSPACE,
    give_files,
    inside_environment,
    inside_folder,
)
from agentci.adapters.system import SystemEnv
from agentci.core.effects import CommandRequest, CommandResult
from agentci.core.errors import SafetyRefusal

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store")
_SETTINGS = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "group", "java-11-openjdk",
    "java-17-openjdk", "java-21-openjdk", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
    "localtime", "magic", "mime.types", "nsswitch.conf", "passwd", "perl", "pki",
    "protocols", "services", "ssl",
)  # fmt: skip
"""Of `/etc`: what programs need. The rest (keys, host names, shadow) stays outside."""

# Set inside, because bubblewrap has started the command before anybody could limit it. dash and
# busybox call the limit on processes -p, bash calls it -u.
_LIMITS = "ulimit -c 0; ulimit -d $1; { ulimit -u $2 || ulimit -p $2; } 2>/dev/null; shift 2"
_START = f'{_LIMITS}; exec "$@"'
_PROBE_SECONDS = 10


class BwrapSandbox:
    """Runs each command in namespaces of its own."""

    name = "bwrap"

    def __init__(self, limits: Limits, *, readable: Sequence[Path] = ()) -> None:
        """Let commands also read what is in `readable`."""
        self._limits = limits
        self._readable = tuple(readable)
        self._process = ProcessSandbox()
        self._program: str | None = None

    async def run(self, request: CommandRequest) -> CommandResult:
        """Run a command to its end; on timeout and cancellation everything of it is killed."""
        program = self._available()
        folder = working_folder(request)
        if isinstance(folder, CommandResult):
            return folder
        root = request.root.resolve()
        request = dataclasses.replace(request, folder=str(folder.relative_to(root)))
        give_files(root, os.geteuid())
        readable = [*self._readable, *_environments(request.env.get("PATH", ""))]
        argv = (
            *(program, *_walls(readable), "--bind", str(root), WORKSPACE),
            *("--remount-ro", "/", "--chdir", inside_folder(request), "--"),
            *("/bin/sh", "-c", _START, "agentci", *self._limit_arguments(), *request.argv),
        )
        launch = Launch(argv, root, inside_environment(request))
        result = await self._process.supervise(request, launch)
        return named_failure(result, request.argv[0])

    async def close(self) -> None:
        """Nothing is left to remove: every command ends with its namespaces."""

    def _limit_arguments(self) -> tuple[str, str]:
        return str(self._limits.memory // 1024), str(self._limits.pids)

    def _available(self) -> str:
        if self._program is None:
            reason = unavailable()
            if reason is not None:
                raise SafetyRefusal(reason.message, code="ACI-P231", hint=reason.hint)
            self._program = find_program()
        assert self._program is not None
        return self._program


@dataclasses.dataclass(frozen=True, slots=True)
class Reason:
    """Why a sandbox does not work here, and what to do."""

    message: str
    hint: str


def find_program() -> str | None:
    """Return where bubblewrap is, or None."""
    return shutil.which("bwrap", path=SystemEnv().get("PATH") or "/usr/bin:/bin")


def unavailable() -> Reason | None:
    """Try bubblewrap with everything that a command gets; None where it works."""
    program = find_program()
    if program is None:
        return Reason(
            "the sandbox `bwrap` needs bubblewrap, which is not installed",
            "install the package `bubblewrap`, or choose another sandbox with `--sandbox`",
        )
    argv = (program, *_walls(()), "--remount-ro", "/", "--", "/bin/sh", "-c", "exit 0")
    try:
        done = subprocess.run(argv, capture_output=True, check=False, timeout=_PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Reason(f"bubblewrap cannot be started: {error}", "run `agentci doctor`")
    if done.returncode == 0:
        return None
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return Reason(
        f"bubblewrap does not work here: {said[-1] if said else 'no message'}",
        "allow unprivileged user namespaces (on Ubuntu an AppArmor profile for `bwrap`), or "
        "choose another sandbox with `--sandbox`",
    )


def _walls(readable: Sequence[Path]) -> list[str]:
    """Return the options that make the inside, without the workspace."""
    options = ["--unshare-all", "--unshare-user", "--die-with-parent", "--cap-drop", "ALL"]
    options += ["--uid", str(USER), "--gid", str(USER), "--hostname", HOST_NAME]
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            options += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            options += ["--ro-bind", name, name]
    for name in _SETTINGS:
        options += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    # before what is shown of the machine, which may itself lie below one of these
    options += ["--tmpfs", "/tmp", "--tmpfs", HOME]  # noqa: S108 - the inside's own
    for path in sorted(set(readable)):
        options += ["--ro-bind-try", str(path), str(path)]
    return [*options, "--proc", "/proc", "--dev", "/dev"]


def _environments(search: str) -> list[Path]:
    """Return the virtual environments on a search path, and the Pythons that they stand on."""
    found: list[Path] = []
    for entry in search.split(":"):
        settings = Path(entry).parent / "pyvenv.cfg"
        if entry.startswith("/") and settings.is_file():
            found.append(settings.parent)
            found.extend(_base_python(settings))
    return [path for path in found if not any(_is_below(path, top) for top in _SYSTEM)]


def _base_python(settings: Path) -> list[Path]:
    for line in settings.read_text(errors="replace").splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "home" and value.strip().endswith("/bin"):
            return [Path(value.strip()).resolve().parent]
    return []


def _is_below(path: Path, top: str) -> bool:
    return path == Path(top) or Path(top) in path.parents
