"""Structured concurrency: results in the order of the calls, whoever finishes first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Generic, TypeVar

from agentci.core.errors import CassetteMiss, missed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Ended(Generic[T]):
    """How a call ended: with a result, unless it missed a recording."""

    result: list[T]
    miss: CassetteMiss | None = None


async def gather_ordered(
    calls: Sequence[Callable[[], Awaitable[T]]], *, limit: int | None = None
) -> list[T]:
    """Await all `calls`, at most `limit` at a time, and return their results in call order.

    Calls that miss a recording let the others go on; at the end all misses are raised as one, in
    call order. When one raises anything else, the others are cancelled and awaited, and the error
    of the first call in order that failed by itself is raised.
    """
    gate = asyncio.Semaphore(limit) if limit is not None else nullcontext()
    tasks: list[asyncio.Task[_Ended[T]]] = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks += (group.create_task(_one(call, gate)) for call in calls)
    except BaseExceptionGroup:
        own = (None if task.cancelled() else task.exception() for task in tasks)
        raise next(error for error in own if error is not None) from None
    ended = [task.result() for task in tasks]
    misses = tuple(miss for each in ended if each.miss is not None for miss in each.miss.misses)
    if misses:
        raise missed(misses)
    return [result for each in ended for result in each.result]


async def _one(
    call: Callable[[], Awaitable[T]], gate: asyncio.Semaphore | nullcontext[None]
) -> _Ended[T]:
    async with gate:
        try:
            return _Ended([await call()])
        except CassetteMiss as miss:
            return _Ended([], miss)
