"""Concurrent callers get the answers that they got when recording, whatever finishes first."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.adapters.spawn_lanes import job_lanes, task_lanes
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane, LaneScope, current_scope, enter_scope
from agentci.core.wire import WireRequest
from agentci.record.interaction import Interaction
from agentci.record.keys import canonical_request, interaction_key
from agentci.record.session import Mode, RecordingSession

GROUPS, SIZE, REPLAYS = 10, 10, 20


class Model:
    """Answers nothing twice."""

    def __init__(self, session: RecordingSession, shuffle: random.Random) -> None:
        self.session = session
        self.shuffle = shuffle
        self.asked = 0
        self.lock = threading.Lock()

    def issue(self, prompt: str) -> tuple[Interaction | None, Interaction]:
        scope = current_scope()
        assert scope is not None
        body: JsonObject = {"model": "m", "messages": [{"role": "user", "content": prompt}]}
        request = canonical_request("test/1", WireRequest("POST", "/chat", body))
        address = self.session.reserve(scope.lane, interaction_key(request))
        found = self.session.lookup(address)
        with self.lock:
            self.asked += found is None
            answer = f"answer {self.asked} to {prompt}"
        return found, Interaction(address, "model", request, {"body": {"content": answer}})

    def finish(self, found: Interaction | None, fresh: Interaction) -> str:
        if found is None:
            self.session.append(fresh)
            found = fresh
        body = found.response["body"]
        assert isinstance(body, dict)
        return str(body["content"])

    async def ask(self, prompt: str) -> str:
        await asyncio.sleep(self.shuffle.random() / 200)
        found, fresh = self.issue(prompt)
        await asyncio.sleep(self.shuffle.random() / 200)
        return self.finish(found, fresh)

    def ask_blocking(self, prompt: str) -> str:
        time.sleep(self.shuffle.random() / 500)
        found, fresh = self.issue(prompt)
        time.sleep(self.shuffle.random() / 500)
        return self.finish(found, fresh)


def prompts() -> list[str]:
    return [f"prompt {index % GROUPS}" for index in range(GROUPS * SIZE)]


def in_tasks(model: Model) -> list[str]:
    async def main() -> list[str]:
        enter_scope(LaneScope(Lane("review/reviewer")))
        with task_lanes(asyncio.get_running_loop()):
            return list(await asyncio.gather(*(model.ask(prompt) for prompt in prompts())))

    return asyncio.run(main())


def in_nested_groups(model: Model) -> list[str]:
    async def group(names: list[str]) -> list[str]:
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(asyncio.wait_for(model.ask(name), 30)) for name in names]
        return [job.result() for job in jobs]

    async def main() -> list[str]:
        enter_scope(LaneScope(Lane("review/reviewer")))
        with task_lanes(asyncio.get_running_loop()):
            names = prompts()
            parts = await asyncio.gather(*(group(names[n::4]) for n in range(4)))
        return [answer for part in parts for answer in part]

    return asyncio.run(main())


def in_pool(model: Model) -> list[str]:
    enter_scope(LaneScope(Lane("review/reviewer")))
    with job_lanes(), ThreadPoolExecutor(model.shuffle.randint(2, 9)) as pool:
        return list(pool.map(model.ask_blocking, prompts()))


def in_threads_of_tasks(model: Model) -> list[str]:
    async def main() -> list[str]:
        enter_scope(LaneScope(Lane("review/reviewer")))
        with task_lanes(asyncio.get_running_loop()), job_lanes():
            jobs = (asyncio.to_thread(model.ask_blocking, prompt) for prompt in prompts())
            return list(await asyncio.gather(*jobs))

    return asyncio.run(main())


@pytest.mark.parametrize("run", [in_tasks, in_nested_groups, in_pool, in_threads_of_tasks])
def test_100_of_100_callers_get_their_own_answer_in_20_shuffled_replays(
    run: object, tmp_path: Path
) -> None:
    assert callable(run)
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD)
    recorded = run(Model(session, random.Random(0)))
    digest = session.seal()
    assert len(set(recorded)) == 100

    for seed in range(1, REPLAYS + 1):
        replay = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
        model = Model(replay, random.Random(seed))
        assert run(model) == recorded
        assert model.asked == 0
        assert replay.unplayed() == ()
        assert replay.seal() == digest


def test_without_child_lanes_the_same_replays_swap_answers(tmp_path: Path) -> None:
    """The control: what the lanes are for."""

    def run(model: Model) -> list[str]:
        async def main() -> list[str]:
            enter_scope(LaneScope(Lane("review/reviewer")))
            return list(await asyncio.gather(*(model.ask(prompt) for prompt in prompts())))

        return asyncio.run(main())

    recorded = run(
        Model(RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD), random.Random(0))
    )
    replay = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    replayed = run(Model(replay, random.Random(1)))
    assert sorted(replayed) == sorted(recorded)
    assert replayed != recorded


def test_one_session_serves_many_threads_at_once(tmp_path: Path) -> None:
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.RECORD)
    model = Model(session, random.Random(0))

    def work(number: int) -> list[str]:
        enter_scope(LaneScope(Lane(f"worker[{number}]")))
        return [model.ask_blocking("same") for _ in range(10)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(session.played) == 80
    replay = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    assert len(replay.unplayed()) == 80


def test_concurrent_calls_in_one_lane_never_share_an_address(tmp_path: Path) -> None:
    session = RecordingSession(LocalFiles(), tmp_path, mode=Mode.REPLAY)
    key = interaction_key({"a": 1})
    with ThreadPoolExecutor(8) as pool:
        addresses = list(pool.map(lambda _: session.reserve(Lane("a"), key), range(500)))
    assert sorted(address.occurrence for address in addresses) == list(range(1, 501))
