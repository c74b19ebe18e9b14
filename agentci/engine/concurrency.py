"""Structured concurrency: results in the order of the calls, whoever finishes first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from typing import TypeVar

T = TypeVar("T")


async def gather_ordered(
    calls: Sequence[Callable[[], Awaitable[T]]], *, limit: int | None = None
) -> list[T]:
    """Await all `calls`, at most `limit` at a time, and return their results in call order.

    When one raises, the others are cancelled and awaited, and the error of the first call in
    order that failed by itself is raised.
    """
    gate = asyncio.Semaphore(limit) if limit is not None else nullcontext()
    results: list[T] = []
    tasks: list[asyncio.Task[T]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks += (group.create_task(_one(call, gate)) for call in calls)
    except BaseExceptionGroup:
        own = (None if task.cancelled() else task.exception() for task in tasks)
        raise next(error for error in own if error is not None) from None
    results.extend(task.result() for task in tasks)
    return results


async def _one(call: Callable[[], Awaitable[T]], gate: asyncio.Semaphore | nullcontext[None]) -> T:
    async with gate:
        return await call()
