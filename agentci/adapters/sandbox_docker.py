"""The sandbox `docker`: one hardened container for each workspace, one exec for each command.

No network, a read-only root, no capabilities, no way to more privileges, a user that is not root,
and limits. Must not know who asks for a command.
"""

from __future__ import annotations

import asyncio
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agentci.adapters.bounded_output import BoundedOutput
from agentci.adapters.docker_engine import Box, BoxCommand, BoxGone, DockerEngine
from agentci.adapters.sandbox_process import KILLED, named_failure, working_folder
from agentci.adapters.sandbox_settings import Limits
from agentci.adapters.sandbox_view import START, give_files, inside_environment, inside_folder
from agentci.core.effects import CommandRequest, CommandResult
from agentci.core.errors import EnvironmentProblem

_THREADS = 128


@dataclasses.dataclass(slots=True)
class _Room:
    """A workspace and its container, if that runs."""

    lock: asyncio.Lock
    box: Box | None = None
    inode: int = 0
    """Of the folder that the container has; a new folder of that name is another one."""


class DockerSandbox:
    """Runs commands in containers."""

    name = "docker"

    def __init__(self, image: str, limits: Limits) -> None:
        """Use `image`, which has to be on this machine when the first command comes."""
        self._image = image
        self._limits = limits
        self._engine: DockerEngine | None = None
        self._rooms: dict[Path, _Room] = {}
        # of its own, because the loop's threads may all be waiting for commands when one is killed
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="agentci-docker")
        self._connecting = asyncio.Lock()

    async def run(self, request: CommandRequest) -> CommandResult:
        """Run a command to its end; on timeout and cancellation its container is removed.

        Raises:
            SafetyRefusal: when there is no Docker Engine.
            EnvironmentProblem: when the image is missing or the engine fails.
        """
        engine = await self._connected()
        folder = working_folder(request)
        if isinstance(folder, CommandResult):
            return folder
        root = request.root.resolve()
        request = dataclasses.replace(request, folder=str(folder.relative_to(root)))
        room = self._rooms.setdefault(root, _Room(asyncio.Lock()))
        async with room.lock:
            box = await self._box(engine, room, root)
            try:
                return await self._run_in(engine, room, box=box, request=request)
            except BoxGone:
                await self._leave(room)
            box = await self._box(engine, room, root)
            try:
                return await self._run_in(engine, room, box=box, request=request)
            except BoxGone as error:
                raise EnvironmentProblem(
                    "the containers of the sandbox `docker` end at once",
                    code="ACI-E233",
                    hint=f"the image `{self._image}` needs a `/bin/sh` that runs",
                ) from error

    async def close(self) -> None:
        """Remove all containers."""
        for room in self._rooms.values():
            async with room.lock:
                await self._leave(room)
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self._threads.shutdown(wait=True)

    async def _connected(self) -> DockerEngine:
        async with self._connecting:
            if self._engine is None:
                loop = asyncio.get_running_loop()
                self._engine = await loop.run_in_executor(self._threads, DockerEngine.connect)
        return self._engine

    async def _box(self, engine: DockerEngine, room: _Room, root: Path) -> Box:
        inode = _inode(root)
        if room.box is not None and room.inode != inode:
            await self._leave(room)
        if room.box is None:
            loop = asyncio.get_running_loop()
            starting = loop.run_in_executor(
                self._threads, engine.open_box, root, self._image, self._limits
            )
            try:
                room.box = await asyncio.shield(starting)
            except asyncio.CancelledError:
                room.box = await starting
                await self._leave(room)
                raise
            room.inode = inode
        return room.box

    async def _run_in(
        self, engine: DockerEngine, room: _Room, *, box: Box, request: CommandRequest
    ) -> CommandResult:
        stdout, stderr = BoundedOutput(request.output_limit), BoundedOutput(request.output_limit)
        # the image knows where its programs are
        env = {name: text for name, text in inside_environment(request).items() if name != "PATH"}
        command = BoxCommand(
            argv=("/bin/sh", "-c", f"umask 022; {START}", "agentci", *request.argv),
            folder=inside_folder(request),
            env=env,
            stdin=request.stdin,
        )

        def work() -> int:
            give_files(request.root.resolve(), int(box.user.partition(":")[0]))
            return engine.run(
                box,
                command,
                on_output=lambda is_error, data: (stderr if is_error else stdout).add(data),
            )

        working = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            async with asyncio.timeout(request.timeout):
                code = await asyncio.shield(working)
        except TimeoutError:
            await self._leave(room)
            await asyncio.wait([working])
            return CommandResult(KILLED, stdout.result(), stderr.result(), timed_out=True)
        except asyncio.CancelledError:
            await self._leave(room)
            await asyncio.wait([working])
            raise
        result = CommandResult(code, stdout.result(), stderr.result())
        return named_failure(result, request.argv[0])

    async def _leave(self, room: _Room) -> None:
        box, room.box = room.box, None
        if box is not None and self._engine is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, self._engine.remove, box)


def _inode(root: Path) -> int:
    return root.stat().st_ino
