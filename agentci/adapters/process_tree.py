"""Ending everything that a command started, descendants in other sessions included.

On Linux this process adopts orphans (a child subreaper), so a daemon that a command left behind
is found again; elsewhere the process group is all there is. Must not know of sandboxes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ROUNDS = 100
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Traces:
    """What tells a command's orphans from other processes."""

    root: Path
    """An orphan that works in this folder is the command's."""
    env: Mapping[str, str]
    """So is one that has this environment, where no other command runs."""
    alone: bool


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, where the system can do that."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - not on the start-up path

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_tree(leader: int, traces: Traces) -> None:
    """Kill the group of `leader`, and the orphans that it leaves. `leader` is not reaped here."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    if sys.platform != "linux":
        return
    with contextlib.suppress(ChildProcessError):
        # its orphans are ours only when it is dead; it keeps its number until it is reaped
        os.waitid(os.P_PID, leader, os.WEXITED | os.WNOWAIT)
    for _ in range(_ROUNDS):
        found = [pid for pid in _children(os.getpid()) if pid != leader and _is_of(pid, traces)]
        if not found:
            break
        for pid in found:
            _kill_below(pid)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _kill_below(top: int) -> None:
    waiting = [top]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGSTOP)  # it cannot fork between the listing and the kill
        waiting.extend(_children(pid))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):  # it is gone, or the kernel does not list children
        for task in sorted((_PROC / str(pid) / "task").iterdir()):
            found.extend(int(child) for child in (task / "children").read_bytes().split())
    return found


def _is_of(pid: int, traces: Traces) -> bool:
    try:
        # every command is started in a session of its own; what shares ours is not from one
        if os.getsid(pid) == os.getsid(0):
            return False
        folder = Path(os.readlink(_PROC / str(pid) / "cwd"))  # noqa: PTH115 - may not exist any more
        if folder == traces.root or traces.root in folder.parents:
            return True
        if not traces.alone or not traces.env:
            return False
        present = set((_PROC / str(pid) / "environ").read_bytes().split(b"\0"))
    except OSError:
        return False
    return {os.fsencode(f"{name}={value}") for name, value in traces.env.items()} <= present
