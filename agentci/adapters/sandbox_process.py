"""The sandbox `process`: a plain process with a fixed environment, for commands one trusts.

It limits time and output, and leaves no process behind; it does not isolate. Must not know who
asks for a command.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from agentci.adapters.bounded_output import BoundedOutput
from agentci.adapters.process_tree import Traces, adopt_orphans, end_tree
from agentci.core.effects import CommandRequest, CommandResult

KILLED = 137
"""128 + SIGKILL."""

NOT_FOUND = 127
NOT_EXECUTABLE = 126
_UMASK = 0o022
_SHELL_SAID = re.compile(rb"agentci: [^\n]*\n")
_CHUNK = 65_536
_GRACE = 1.0
"""Seconds in which a pipe that a process beyond our reach holds open may still give output."""


_RUNNING: set[int] = set()
"""Commands of all sandboxes of this process, which adopts the orphans of all of them."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start for a request; a sandbox around the command changes it."""

    argv: Sequence[str]
    folder: Path
    env: Mapping[str, str]


class ProcessSandbox:
    """Runs commands as plain processes."""

    name = "process"

    def __init__(self) -> None:
        """Start nothing yet."""
        self._adopts = False

    async def run(self, request: CommandRequest) -> CommandResult:
        """Run a command to its end; on timeout and cancellation everything of it is killed."""
        folder = working_folder(request)
        if isinstance(folder, CommandResult):
            return folder
        return await self.supervise(request, Launch(request.argv, folder, request.env))

    async def supervise(self, request: CommandRequest, launch: Launch) -> CommandResult:
        """Start `launch` for `request`, feed it, collect its output, and end all it started."""
        if not self._adopts:
            adopt_orphans()
            self._adopts = True
        try:
            process = _start(launch, has_input=bool(request.stdin))
        except OSError as error:
            return not_started(launch.argv[0], error)
        _RUNNING.add(process.pid)
        supervision = _Supervision(process, request)
        try:
            timed_out = await supervision.wait()
        finally:
            self._end(process.pid, launch, root=request.root)
            await supervision.finish()
        stdout, stderr = supervision.stdout.result(), supervision.stderr.result()
        if timed_out:
            return CommandResult(KILLED, stdout, stderr, timed_out=True)
        code = process.returncode
        return CommandResult(code if code >= 0 else 128 - code, stdout, stderr)

    async def close(self) -> None:
        """Nothing is left to remove: every command ends with its descendants."""

    def _end(self, pid: int, launch: Launch, *, root: Path) -> None:
        _RUNNING.discard(pid)
        end_tree(pid, Traces(root.resolve(), launch.env, alone=not _RUNNING))


def working_folder(request: CommandRequest) -> Path | CommandResult:
    """Return the folder to run in, or the result that says why there is none."""
    root = request.root.resolve()
    folder = (root / request.folder).resolve()
    if folder != root and root not in folder.parents:
        return _refused(f"`{request.folder}` is outside of the workspace")
    if not folder.is_dir():
        return _refused(f"there is no folder `{request.folder}` in the workspace")
    return folder


def _refused(reason: str) -> CommandResult:
    return CommandResult(NOT_EXECUTABLE, b"", f"agentci: {reason}\n".encode())


def not_started(program: str, error: OSError) -> CommandResult:
    """Return what a shell would say of a program that cannot be started."""
    if error.errno == errno.ENOENT:
        return CommandResult(NOT_FOUND, b"", f"agentci: {program}: command not found\n".encode())
    reason = (error.strerror or "cannot be started").lower()
    return CommandResult(NOT_EXECUTABLE, b"", f"agentci: {program}: {reason}\n".encode())


def named_failure(result: CommandResult, program: str) -> CommandResult:
    """Put our words for a program that cannot be started in the place of an inner shell's.

    That shell is called `agentci`, and says nothing else.
    """
    if result.exit_code in {NOT_FOUND, NOT_EXECUTABLE} and _SHELL_SAID.fullmatch(result.stderr):
        number = errno.ENOENT if result.exit_code == NOT_FOUND else errno.EACCES
        return not_started(program, OSError(number, os.strerror(number)))
    return result


def _start(launch: Launch, *, has_input: bool) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        launch.argv,
        stdin=subprocess.PIPE if has_input else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=launch.folder,
        env=dict(launch.env),
        start_new_session=True,
        umask=_UMASK,
    )
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - only there and only here

        with contextlib.suppress(OSError):
            # a crash must not leave a memory dump among the workspace's files
            resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
    return process


class _Supervision:
    """Moves the bytes of one process and notices its end, on the running event loop."""

    def __init__(self, process: subprocess.Popen[bytes], request: CommandRequest) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = process
        self._timeout = request.timeout
        self._input = memoryview(request.stdin)
        self._open: dict[int, IO[bytes]] = {}
        self._drained = asyncio.Event()
        self.stdout = BoundedOutput(request.output_limit)
        self.stderr = BoundedOutput(request.output_limit)
        for pipe, output in ((process.stdout, self.stdout), (process.stderr, self.stderr)):
            if pipe is not None:
                self._watch_output(pipe, output)
        if process.stdin is not None:
            self._watch_input(process.stdin.fileno())

    async def wait(self) -> bool:
        """Wait for the end of the process; say whether the time was up before."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._exited()
        except TimeoutError:
            return True
        return False

    async def finish(self) -> None:
        """Collect what is left in the pipes and release everything."""
        self._process.wait()
        self._close_input()
        try:
            async with asyncio.timeout(_GRACE):
                await self._drained.wait()
        except TimeoutError:
            pass  # a process beyond our reach holds a pipe open
        finally:
            for number in list(self._open):
                self._close_output(number)

    async def _exited(self) -> None:
        if not hasattr(os, "pidfd_open"):
            await self._loop.run_in_executor(None, self._process.wait)
            return
        number = os.pidfd_open(self._process.pid)
        ended = asyncio.Event()
        self._loop.add_reader(number, ended.set)
        try:
            await ended.wait()
        finally:
            self._loop.remove_reader(number)
            os.close(number)

    def _watch_output(self, pipe: IO[bytes], output: BoundedOutput) -> None:
        number = pipe.fileno()

        def ready() -> None:
            try:
                data = os.read(number, _CHUNK)
            except BlockingIOError:
                return
            output.add(data)
            if not data:
                self._close_output(number)

        os.set_blocking(number, False)
        self._open[number] = pipe
        self._loop.add_reader(number, ready)

    def _close_output(self, number: int) -> None:
        self._loop.remove_reader(number)
        self._open.pop(number).close()
        if not self._open:
            self._drained.set()

    def _watch_input(self, number: int) -> None:
        def ready() -> None:
            try:
                written = os.write(number, self._input[:_CHUNK])
            except BlockingIOError:
                return
            except OSError:
                written = len(self._input)  # the command closed its input; that is its right
            self._input = self._input[written:]
            if not self._input:
                self._close_input()

        os.set_blocking(number, False)
        self._loop.add_writer(number, ready)

    def _close_input(self) -> None:
        pipe = self._process.stdin
        if pipe is not None and not pipe.closed:
            self._loop.remove_writer(pipe.fileno())
            with contextlib.suppress(OSError):
                pipe.close()
