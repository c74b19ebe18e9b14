"""A Docker Engine of a test's own: other networks, other firewall, other images than the machine's.

It lives in a network namespace, so its firewall rules, on which the isolation of internal networks
rests, and its published ports touch nothing outside. `outside` is a second namespace behind it: a
host that containers may or may not reach.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.sandbox_tools import missing

OUTSIDE = "198.51.100.2"
"""Of the host behind the engine: an address for documentation, which is nobody's."""
_TOOLS = ("dockerd", "docker", "docker-compose", "busybox", "ip", "iptables", "nsenter", "unshare")
_NETWORK = f"""
set -e
ip link set lo up
ip link add agentci-in type veth peer name agentci-out netns "$1"
ip address add 198.51.100.1/24 dev agentci-in
ip link set agentci-in up
nsenter --target "$1" --net ip link set lo up
nsenter --target "$1" --net ip address add {OUTSIDE}/24 dev agentci-out
nsenter --target "$1" --net ip link set agentci-out up
"""


@dataclass(frozen=True, slots=True)
class PrivateEngine:
    """An engine that is up."""

    host: str
    """Value for `DOCKER_HOST`."""
    pid: int

    def docker(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `docker ARGUMENTS` on it."""
        return subprocess.run(
            ["docker", *arguments],
            env={"PATH": os.environ["PATH"], "DOCKER_HOST": self.host, "HOME": "/nonexistent"},
            capture_output=True,
            text=True,
            check=check,
            timeout=120,
        )

    def nearby(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a program on the engine's host, where its loopback ports are."""
        return subprocess.run(
            ["nsenter", "--target", str(self.pid), "--net", *argv],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def require_private_engine() -> None:
    """Need root and the programs that an engine of one's own takes."""
    if os.geteuid() != 0:
        missing("only root can start a Docker Engine of its own")
    for tool in _TOOLS:
        if shutil.which(tool) is None:
            missing(f"`{tool}` is not installed")


@contextmanager
def private_engine(folder: Path) -> Iterator[PrivateEngine]:
    """Start an engine whose data is in `folder`, and a listener outside of it on port 80."""
    socket = folder / "s"
    daemon = [
        *("dockerd", "--bridge=none", "--data-root", str(folder / "data")),
        *("--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid")),
        *("--host", f"unix://{socket}"),
    ]
    (folder / "page").mkdir()
    (folder / "page" / "index.html").write_text("outside\n")
    listener = ["busybox", "httpd", "-f", "-p", "80", "-h", str(folder / "page")]
    with (folder / "log").open("wb") as log:
        outside = subprocess.Popen(["unshare", "--net", *listener], stdout=log, stderr=log)
        _own_namespace(outside.pid)
        waiting = ["sh", "-c", 'while [ ! -e "$0" ]; do sleep 0.05; done; exec "$@"']
        start = [*waiting, str(folder / "ready"), *daemon]
        engine = subprocess.Popen(["unshare", "--net", *start], stdout=log, stderr=log)
        _own_namespace(engine.pid)
        try:
            # `unshare` becomes what it runs, so both pids are inside of their namespaces
            enter = ["nsenter", "--target", str(engine.pid), "--net", "sh", "-c", _NETWORK, "sh"]
            subprocess.run([*enter, str(outside.pid)], check=True, stdout=log, stderr=log)
            (folder / "ready").touch()
            found = PrivateEngine(f"unix://{socket}", engine.pid)
            _wait(found, engine, folder / "log")
            yield found
        finally:
            for process in (engine, outside):
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _own_namespace(pid: int) -> None:
    """Wait until the process has left this network namespace."""
    here = Path("/proc/self/ns/net").readlink()
    for _ in range(200):
        if Path(f"/proc/{pid}/ns/net").readlink() != here:
            return
        time.sleep(0.02)
    raise AssertionError("no network namespace of its own")


def _wait(engine: PrivateEngine, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(120):
        if engine.docker("info", check=False).returncode == 0:
            return
        if process.poll() is not None:
            break
        time.sleep(0.5)
    missing(f"no Docker Engine could be started: {log.read_text(errors='replace')[-2000:]}")
