"""Each caller gets in a replay what it got when recording, whatever the schedule."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import pytest
import requests

from agentci.cassettes import use
from tests.support.echo_server import EchoServer

CALLERS = 100
REPLAYS = 20


def _question(caller: int) -> dict[str, int]:
    """Ten groups that ask the same."""
    return {"group": caller // 10}


async def _httpx2_tasks(url: str, schedule: random.Random) -> list[int]:
    async with httpx2.AsyncClient() as client:

        async def ask(caller: int) -> int:
            await asyncio.sleep(schedule.random() * 0.01)
            return int((await client.post(url, json=_question(caller))).json()["number"])

        return await asyncio.gather(*map(ask, range(CALLERS)))


async def _aiohttp_tasks(url: str, schedule: random.Random) -> list[int]:
    async with aiohttp.ClientSession() as client:

        async def ask(caller: int) -> int:
            await asyncio.sleep(schedule.random() * 0.01)
            async with client.post(url, json=_question(caller)) as response:
                return int((await response.json())["number"])

        return await asyncio.gather(*map(ask, range(CALLERS)))


def _requests_threads(url: str, schedule: random.Random) -> list[int]:
    with requests.Session() as client, ThreadPoolExecutor(8) as pool:

        def ask(caller: int) -> int:
            time.sleep(schedule.random() * 0.01)
            return int(client.post(url, json=_question(caller)).json()["number"])

        return list(pool.map(ask, range(CALLERS)))


def _httpx2_threads(url: str, schedule: random.Random) -> list[int]:
    with httpx2.Client() as client, ThreadPoolExecutor(8) as pool:

        def ask(caller: int) -> int:
            time.sleep(schedule.random() * 0.01)
            return int(client.post(url, json=_question(caller)).json()["number"])

        return list(pool.map(ask, range(CALLERS)))


def _in_loop(main: Callable[[str, random.Random], Any]) -> Callable[[str, random.Random], Any]:
    return lambda url, schedule: asyncio.run(main(url, schedule))


CROWDS = {
    "httpx2-tasks": _in_loop(_httpx2_tasks),
    "aiohttp-tasks": _in_loop(_aiohttp_tasks),
    "requests-threads": _requests_threads,
    "httpx2-threads": _httpx2_threads,
}


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS)
def test_a_hundred_callers_get_their_own_answers_in_twenty_shuffled_replays(
    crowd: Callable[[str, random.Random], list[int]], tmp_path: Path
) -> None:
    with EchoServer(delay=0.01) as server:
        with use(tmp_path / "crowd/here", mode="record") as cassette:
            recorded = crowd(server.url, random.Random(0))
        url = server.url
        assert cassette.recorded == len(set(recorded)) == len(server.seen) == CALLERS
    for seed in range(1, REPLAYS + 1):  # the server is gone
        with use(tmp_path / "crowd/here", mode="replay"):
            assert crowd(url, random.Random(seed)) == recorded
