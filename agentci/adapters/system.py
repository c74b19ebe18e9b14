"""Time, randomness and the environment of this process: the one place that may touch them.

Must not know what they are used for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping


class SystemClock:
    """The machine's clock."""

    __slots__ = ()

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without blocking the event loop."""
        import asyncio  # noqa: PLC0415 - not on the start-up path

        await asyncio.sleep(seconds)


class SystemRandom:
    """The operating system's random bytes."""

    __slots__ = ()

    def token(self, size: int) -> bytes:
        """Return `size` random bytes."""
        return os.urandom(size)


class SystemEnv:
    """The environment variables of this process."""

    __slots__ = ()

    def get(self, name: str) -> str | None:
        """Return the value of `name`, or None where it is not set."""
        return os.environ.get(name)


def inherited_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with `changes`, for a program that works for the user."""
    return {**os.environ, **changes}
