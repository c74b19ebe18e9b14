"""Programs that work for the user, with the user's environment, their output taken whole.

Must not know why a program is run.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress

from agentci.adapters.system import inherited_environment
from agentci.core.programs import ProgramRequest, ProgramResult


class UserPrograms:
    """`Programs` on this machine."""

    __slots__ = ()

    def has(self, name: str) -> bool:
        """Say whether a program of this name would be found, see `Programs.has`."""
        return shutil.which(name) is not None

    def run(self, request: ProgramRequest) -> ProgramResult:
        """Run a program to its end, see `Programs.run`."""
        try:
            process = subprocess.Popen(
                list(request.argv),
                cwd=request.folder,
                env=inherited_environment(request.changes),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            return ProgramResult(127, "", f"{request.argv[0]}: {error.strerror}")
        with process:
            try:
                out, err = process.communicate(timeout=request.timeout)
            except subprocess.TimeoutExpired:
                _kill(process.pid)
                out, err = process.communicate()
                err += f"\nkilled after {request.timeout:g} s".encode()
                return ProgramResult(124, _text(out), _text(err))
            except BaseException:
                _kill(process.pid)
                raise
        code = process.returncode
        return ProgramResult(code if code >= 0 else 128 - code, _text(out), _text(err))


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
