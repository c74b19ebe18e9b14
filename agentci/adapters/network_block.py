"""Closing the network: for this process, for Python programs that it starts, or for everything.

The hook holds for every thread and for all Python code, also code that was imported before. It does
not see C code with sockets of its own (curl, gRPC, uvloop), nor programs that are not Python;
`isolate` holds for those too, because the kernel does it. Must not know who asks.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agentci.adapters import network_hook
from agentci.core.errors import EnvironmentProblem

VARIABLE: Final = "AGENTCI_CLOSED_NETWORK"
"""Tells Python programs that are started what is allowed, as a JSON list."""

_SITE: Final = Path(__file__).with_name("offline_site")
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1


class NetworkBlock:
    """The network of this process."""

    def start(self, allowed: tuple[str, ...], *, children: bool = False) -> Callable[[], None]:
        """Refuse connections to other machines than `allowed`; return how to undo that.

        With `children`, also in Python programs that are started with this environment.
        """
        undo = network_hook.close(allowed)
        restore = _set_environment(allowed) if children else None

        def stop() -> None:
            undo()
            if restore is not None:
                restore()

        return stop

    def suspend(self) -> Callable[[], None]:
        """Let connections of this process through, until the returned function is called."""
        return network_hook.suspend()

    def isolate(self) -> None:
        """Go into a network in which there is only this process and what it starts, for good.

        Raises:
            EnvironmentProblem: when the system does not allow it, or threads are running already.
        """
        if not hasattr(ctypes, "CDLL") or not Path("/proc/self/task").is_dir():
            raise _cannot("this is not Linux")
        if len(list(Path("/proc/self/task").iterdir())) > 1:
            raise _cannot("the process has threads already")
        user, group = os.getuid(), os.getgid()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEW_NETWORK) != 0:
            if libc.unshare(_NEW_USER | _NEW_NETWORK) != 0:
                raise _cannot(os.strerror(ctypes.get_errno()))
            _keep_identity(user, group)
        _start_loopback()


def _keep_identity(user: int, group: int) -> None:
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path("/proc/self", name).write_text(text, encoding="ascii")


def _start_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        answer = fcntl.ioctl(control.fileno(), _GET_FLAGS, request)
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(control.fileno(), _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


def _set_environment(allowed: tuple[str, ...]) -> Callable[[], None]:
    environment = os.environ  # noqa: TID251 - what programs inherit is the point
    before = {name: environment.get(name) for name in ("PYTHONPATH", VARIABLE)}
    paths = [str(_SITE), *([before["PYTHONPATH"]] if before["PYTHONPATH"] else [])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment[VARIABLE] = json.dumps(allowed)

    def restore() -> None:
        for name, value in before.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value

    return restore


def _cannot(reason: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"this process cannot get a network of its own: {reason}",
        code="ACI-E172",
        hint="run it with `unshare -rn`, in a container without network, or block with "
        "`--agentci-block-network`",
    )
