"""Child lanes follow the order of spawning; code outside any lane is left alone."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

from agentci.adapters.spawn_lanes import job_lanes, task_lanes
from agentci.core.lane import Lane, LaneScope, current_scope, enter_scope


def here() -> str | None:
    scope = current_scope()
    return None if scope is None else scope.lane


async def lane_here(delay: float = 0) -> str | None:
    await asyncio.sleep(delay)
    return here()


def test_tasks_are_numbered_as_spawned_and_nest() -> None:
    async def inner() -> list[str | None]:
        return [here(), *await asyncio.gather(lane_here(0.002), lane_here())]

    async def main() -> tuple[list[str | None], ...]:
        enter_scope(LaneScope(Lane("step")))
        with task_lanes(asyncio.get_running_loop()):
            found = await asyncio.gather(inner(), inner())
        assert here() == "step"
        return tuple(found)

    assert asyncio.run(main()) == (
        ["step/task1", "step/task1/task1", "step/task1/task2"],
        ["step/task2", "step/task2/task1", "step/task2/task2"],
    )


def test_waiting_with_a_timeout_is_no_child_on_any_version_of_python() -> None:
    async def spawning() -> str | None:
        return await asyncio.create_task(lane_here())

    async def main() -> list[str | None]:
        enter_scope(LaneScope(Lane("step")))
        with task_lanes(asyncio.get_running_loop()):
            return [
                await asyncio.wait_for(lane_here(), 5),
                await asyncio.wait_for(spawning(), 5),
                await asyncio.wait_for(asyncio.create_task(lane_here()), 5),
                await asyncio.shield(lane_here()),
            ]

    assert asyncio.run(main()) == ["step", "step/task1", "step/task2", "step/task3"]


def test_jobs_of_a_pool_are_numbered_as_submitted() -> None:
    enter_scope(LaneScope(Lane("step")))
    with job_lanes(), job_lanes(), ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lambda _: here(), range(3))) == ["step/job1", "step/job2", "step/job3"]
        assert pool.submit(contextvars.copy_context().run, here).result() == "step/job4"
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(here).result() is None


def test_a_thread_of_a_task_has_a_lane_of_its_own() -> None:
    async def main() -> list[str | None]:
        enter_scope(LaneScope(Lane("step")))
        loop = asyncio.get_running_loop()
        with task_lanes(loop), job_lanes():
            return [
                await asyncio.to_thread(here),
                await loop.run_in_executor(None, here),
                *await asyncio.gather(asyncio.to_thread(here), asyncio.to_thread(here)),
            ]

    assert asyncio.run(main()) == [
        "step/job1",
        "step/job2",
        "step/task1/job1",
        "step/task2/job1",
    ]


def test_outside_a_lane_nothing_changes() -> None:
    async def main() -> str | None:
        with task_lanes(asyncio.get_running_loop()), job_lanes():
            assert await asyncio.to_thread(here) is None
            return await asyncio.create_task(lane_here())

    assert contextvars.Context().run(asyncio.run, main()) is None


def test_another_task_factory_stays_in_use() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        seen: list[object] = []

        def factory(loop: asyncio.AbstractEventLoop, coro: object, **options: object) -> object:
            seen.append(coro)
            return asyncio.Task(coro, loop=loop, **options)  # type: ignore[arg-type]

        loop.set_task_factory(factory)  # type: ignore[arg-type]
        enter_scope(LaneScope(Lane("step")))
        with task_lanes(loop):
            assert await asyncio.create_task(lane_here()) == "step/task1"
        assert loop.get_task_factory() is factory
        loop.set_task_factory(None)
        return len(seen)

    assert asyncio.run(main()) == 1
