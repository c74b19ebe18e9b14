"""Runs the command line of this checkout, in a process of its own as a user would."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import ClassVar

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 180
"""Seconds for one call."""

_READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "TZ", "TMPDIR")
"""How variables start that an interpreter looks at once, before it runs anything."""


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """What a call of the command line did."""

    code: int
    out: str
    err: str


def agentci(*arguments: str, folder: Path, env: Mapping[str, str] | None = None) -> CommandOutput:
    """Run `agentci ARGUMENTS` in `folder`, without the terminal and CI variables of the caller."""
    return run_module("agentci", arguments, folder=folder, env=env or {})


def run_module(
    module: str,
    arguments: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    prefix: Sequence[str] = (),
) -> CommandOutput:
    """Run `PREFIX python -m MODULE ARGUMENT...`, by a fork where that comes to the same.

    Output that is no text is replaced, since programs whose requests are recorded print anything.
    """
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    if prefix or any(name.startswith(_READ_AT_START) for name in env):
        command = [*prefix, sys.executable, "-m", module, *arguments]
        return _start(command, folder, {**clean, **env})
    return WarmProcess.shared().call(module, arguments, folder, {**clean, **env})


def _start(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> CommandOutput:
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
    )
    return CommandOutput(done.returncode, _text(done.stdout), _text(done.stderr))


class WarmProcess:
    """A process that has imported the command line, and is forked for each call."""

    _shared: ClassVar[WarmProcess | None] = None

    @classmethod
    def shared(cls) -> WarmProcess:
        """Return the one of this process, and start it where it is the first use."""
        if cls._shared is None:
            cls._shared = cls()
        return cls._shared

    @classmethod
    def stop_shared(cls) -> None:
        """End the one of this process, if it was used."""
        if cls._shared is not None:
            cls._shared.stop()
            cls._shared = None

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.warm_process", str(theirs.fileno())],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def call(
        self, module: str, arguments: Sequence[str], folder: Path, env: Mapping[str, str]
    ) -> CommandOutput:
        """Run `python -m MODULE ARGUMENT...` in `folder` with the variables `env` and no others."""
        request = {
            "module": module,
            "arguments": [*arguments],
            "folder": str(folder),
            "env": dict(env),
        }
        ours, theirs = socket.socketpair()
        with TemporaryFile() as asked, TemporaryFile() as out, TemporaryFile() as err, ours:
            asked.write(json.dumps(request).encode())
            asked.seek(0)
            with theirs:
                descriptors = [each.fileno() for each in (asked, out, err, theirs)]
                socket.send_fds(self._control, [b"."], descriptors)
            code = _end_of(ours)
            out.seek(0)
            err.seek(0)
            return CommandOutput(code, _text(out.read()), _text(err.read()))

    def stop(self) -> None:
        """End the process; calls under way go on."""
        self._control.close()
        self._process.wait(TIMEOUT)


def _end_of(answers: socket.socket) -> int:
    """Return the exit code of a call, and kill it where it takes too long."""
    answers.settimeout(TIMEOUT)
    with answers.makefile("r") as lines:
        pid = int(lines.readline())
        try:
            return int(lines.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
