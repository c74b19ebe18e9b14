"""Programs in the foreground: with the user's terminal, environment and signals.

Must not know why a program is run.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from agentci.adapters.system import inherited_environment
from agentci.core.errors import UsageError

_GRACE: Final = 5.0
"""Seconds that a program has to end after the user has stopped it."""


class ForegroundPrograms:
    """`Foreground` on this machine."""

    __slots__ = ()

    async def run(self, argv: Sequence[str], *, folder: Path, changes: Mapping[str, str]) -> int:
        """Run a program to its end, see `Foreground.run`."""
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, cwd=folder, env=inherited_environment(changes)
            )
        except OSError as error:
            reason = (error.strerror or "cannot be started").lower()
            raise UsageError(
                f"`{argv[0]}` cannot be run: {reason}",
                code="ACI-U170",
                hint="check the program's name, and the folder that it is to work in",
            ) from None
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _end(process)
            raise
        return code if code >= 0 else 128 - code


async def _end(process: asyncio.subprocess.Process) -> None:
    """Wait for a program that the terminal has interrupted along with us, then insist."""
    for wanted in (None, signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        if wanted is not None:
            process.send_signal(wanted)
        try:
            async with asyncio.timeout(_GRACE):
                await process.wait()
        except TimeoutError:
            continue
