"""Concurrent equal calls of a `python` step: each task and job gets its own recording again."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.core.messages import ModelRequest, ModelResponse
from tests.support.model_server import ModelServer
from tests.support.projects import Project, small
from tests.support.recorded_programs import answer

CALLS = """
import asyncio, json, os, time, urllib.request
from concurrent.futures import ThreadPoolExecutor

DELAYS = {delays}
BODY = {{"model": "m", "messages": [{{"role": "user", "content": "the same"}}]}}

def url():
    return os.environ["OPENAI_BASE_URL"] + "/chat/completions"

def text(answer):
    return answer["choices"][0]["message"]["content"]

def jobs():
    def ask(delay):
        time.sleep(delay)
        headers = {{"content-type": "application/json"}}
        request = urllib.request.Request(url(), json.dumps(BODY).encode(), headers)
        with urllib.request.urlopen(request) as response:
            return text(json.load(response))
    with ThreadPoolExecutor(len(DELAYS)) as pool:
        return list(pool.map(ask, DELAYS))

async def _gather(ask):
    async def later(delay):
        await asyncio.sleep(delay)
        return text(await ask())
    return await asyncio.gather(*map(later, DELAYS))

def httpx2_tasks():
    import httpx2  # not loaded before
    async def main():
        async with httpx2.AsyncClient() as client:
            async def ask():
                return (await client.post(url(), json=BODY)).json()
            return await _gather(ask)
    return asyncio.run(main())

def aiohttp_tasks():
    import aiohttp
    async def main():
        async with aiohttp.ClientSession() as client:
            async def ask():
                async with client.post(url(), json=BODY) as response:
                    return await response.json()
            return await _gather(ask)
    return asyncio.run(main())
"""
STEPS = """
steps:
  - {{id: ask, python: "call.py:{function}", proxy: true}}
"""
ORDERS = ([0.2, 0.0, 0.3, 0.1], [0.0, 0.3, 0.1, 0.2], [0.3, 0.2, 0.1, 0.0])


def numbered(_request: ModelRequest, number: int) -> ModelResponse:
    return answer(text=f"answer {number}")


def arrange(project: Project, delays: list[float]) -> None:
    path = project.folder / "pipelines/small/call.py"
    path.write_text(CALLS.format(delays=delays))


@pytest.mark.parametrize(
    ("function", "kind"), [("jobs", "job"), ("httpx2_tasks", "task"), ("aiohttp_tasks", "task")]
)
def test_who_is_faster_does_not_decide_who_gets_which_answer(
    function: str, kind: str, tmp_path: Path
) -> None:
    first, *others = ORDERS
    steps = STEPS.format(function=function)
    project = small(tmp_path, steps, pipelines__small__call__DOTpy=CALLS.format(delays=first))
    with ModelServer(numbered) as server:
        recorded = project.run("small", "--mode", "record", env=server.environment)
    said = recorded["steps"][0]["output"]
    assert sorted(said) == [f"answer {number}" for number in range(1, 5)]
    lanes = sorted((tmp_path / "cassettes/small").rglob(f"{kind}*.yaml"))
    assert [path.stem for path in lanes] == [f"{kind}{number}" for number in range(1, 5)]
    for delays in others:
        arrange(project, delays)
        replayed = project.run("small", "--mode", "replay", "--no-cache")
        assert replayed["steps"][0]["output"] == said
        assert replayed["unplayed"] == []
