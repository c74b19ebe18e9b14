"""Lanes for concurrent code: each task and each job gets a child lane, numbered as spawned.

A user's code may gather twenty identical calls; which one finishes first must not decide which
recording it gets. Knows lanes only, nothing of what runs in them. Code outside any lane is left
alone.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from functools import partial
from threading import RLock
from types import FrameType
from typing import Any, Final, TypeVar

from agentci.core.lane import LaneScope, StillScope, current_scope, enter_scope

_T = TypeVar("_T")

TASK: Final = "task"
JOB: Final = "job"

_WAIT_FOR = asyncio.wait_for.__code__
_installed_lock = RLock()
_installed = 0
_submit = ThreadPoolExecutor.submit
_create_task = asyncio.BaseEventLoop.create_task
_find_scope: Callable[[], LaneScope | None] = current_scope


@contextmanager
def task_lanes(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Give each task that `loop` spawns inside a lane a child lane, until the block is left."""
    before: Any = loop.get_task_factory()

    def factory(
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, _T] | Generator[Any, None, _T],
        *,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Future[_T]:
        scope = current_scope()
        if scope is not None and not _is_inline():
            # A copy even of a context that was given: two tasks in one would share a lane.
            context = (context or copy_context()).copy()
            context.run(enter_scope, scope.spawn(TASK))
        if before is not None:
            task: asyncio.Future[_T] = before(loop, coro, context=context, **options)
            return task
        return asyncio.Task(coro, loop=loop, context=context, **options)

    loop.set_task_factory(factory)
    try:
        yield
    finally:
        loop.set_task_factory(before)


@contextmanager
def job_lanes() -> Iterator[None]:
    """Give each job that is submitted to a thread pool inside a lane a child lane.

    Holds for the process until the block is left; blocks may nest and overlap.
    """
    _install(1)
    try:
        yield
    finally:
        _install(-1)


@contextmanager
def process_lanes(find_scope: Callable[[], LaneScope | None]) -> Iterator[None]:
    """Give each task and each job of the process a child lane, whatever loop it runs in.

    `find_scope` says which scope is the current one, also where a task or a thread has not
    inherited any. What `asyncio.run` waits for stays in the lane of its caller. Blocks do not nest.
    """
    global _find_scope  # noqa: PLW0603 - the patch is the process's, so its scope is too
    _find_scope = find_scope
    create_task: Any = _create_in_lane
    asyncio.BaseEventLoop.create_task = create_task  # type: ignore[method-assign]  # what this is for
    try:
        with job_lanes():
            yield
    finally:
        asyncio.BaseEventLoop.create_task = _create_task  # type: ignore[method-assign]  # as before
        _find_scope = current_scope


@contextmanager
def still(find_scope: Callable[[], LaneScope | None]) -> Iterator[None]:
    """Let what a client library spawns while the block runs not count in the caller's lane."""
    scope = find_scope()
    if scope is None:
        yield
        return
    before = current_scope()
    enter_scope(StillScope(scope.lane, scope.owner))
    try:
        yield
    finally:
        enter_scope(before)


def _create_in_lane(
    loop: asyncio.BaseEventLoop,
    coro: Coroutine[Any, Any, _T],
    *,
    context: Context | None = None,
    **options: Any,
) -> asyncio.Task[_T]:
    scope = _find_scope()
    if scope is not None and asyncio._get_running_loop() is None:  # noqa: SLF001 - the public one raises
        context = context or copy_context()
        context.run(enter_scope, scope)
    elif scope is not None and not _is_inline():
        context = (context or copy_context()).copy()
        context.run(enter_scope, scope.spawn(TASK))
    return _create_task(loop, coro, context=context, **options)


def _install(change: int) -> None:
    global _installed  # noqa: PLW0603 - the patch is the process's, so its count is too
    with _installed_lock:
        _installed += change
        submit: Any = _submit_in_lane if _installed else _submit
        ThreadPoolExecutor.submit = submit  # type: ignore[method-assign]  # what this is for


def _submit_in_lane(
    pool: ThreadPoolExecutor, fn: Callable[..., _T], /, *args: Any, **kwargs: Any
) -> Future[_T]:
    scope = _find_scope()
    if scope is None:
        return _submit(pool, fn, *args, **kwargs)
    child = scope.spawn(JOB)
    context = _context_of(fn)
    if context is not None:
        # `asyncio.to_thread` brings a copy of the caller's context; the job runs in that one.
        with suppress(RuntimeError):  # somebody is running in it; it has a lane then
            context.run(enter_scope, child)
        return _submit(pool, fn, *args, **kwargs)
    return _submit(pool, _in_scope, child, fn, *args, **kwargs)


def _in_scope(scope: LaneScope, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> _T:
    context = copy_context()
    context.run(enter_scope, scope)
    return context.run(fn, *args, **kwargs)


def _context_of(fn: Callable[..., Any]) -> Context | None:
    """Return the context that `fn` is the `run` of, as in `partial(context.run, ...)`."""
    inner = fn.func if isinstance(fn, partial) else fn
    owner = getattr(inner, "__self__", None)
    return owner if isinstance(owner, Context) else None


def _is_inline() -> bool:
    """Say whether the task is only how Python 3.11 waits for a coroutine with a timeout.

    Later versions spawn none there; a lane must not depend on the version.
    """
    if sys.version_info >= (3, 12):
        return False
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - nothing else shows who spawns
    while frame is not None and frame.f_globals.get("__name__", "").startswith("asyncio."):
        if frame.f_code is _WAIT_FOR:
            return True
        frame = frame.f_back
    return False
