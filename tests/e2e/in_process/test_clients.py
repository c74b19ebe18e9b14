"""Real clients, recorded from a real server and replayed without it."""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import botocore.config
import botocore.session
import httpx
import httpx2
import openai
import pytest
import requests
import urllib3

from agentci.cassettes import use
from agentci.core.errors import CassetteMiss, SafetyRefusal, UnplayedRecordings
from tests.support.echo_server import EchoServer

SESSION: Any = botocore.session.Session
CONFIG: Any = botocore.config.Config
QUESTION = {"question": "why"}


def _httpx(url: str) -> Any:
    return httpx.post(url, json=QUESTION).json()


def _httpx2(url: str) -> Any:
    return httpx2.post(url, json=QUESTION).json()


def _httpx2_async(url: str) -> Any:
    async def main() -> Any:
        async with httpx2.AsyncClient() as client:
            return (await client.post(url, json=QUESTION)).json()

    return asyncio.run(main())


def _requests(url: str) -> Any:
    return requests.post(url, json=QUESTION, timeout=10).json()


def _urllib3(url: str) -> Any:
    with urllib3.PoolManager() as pool:
        return pool.request("POST", url, json=QUESTION).json()


def _urllib(url: str) -> Any:
    request = urllib.request.Request(url, json.dumps(QUESTION).encode())
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def _aiohttp(url: str) -> Any:
    async def main() -> Any:
        async with aiohttp.ClientSession() as session, session.post(url, json=QUESTION) as response:
            return await response.json()

    return asyncio.run(main())


CLIENTS = {
    "httpx": _httpx,
    "httpx2": _httpx2,
    "httpx2-async": _httpx2_async,
    "requests": _requests,
    "urllib3": _urllib3,
    "urllib": _urllib,
    "aiohttp": _aiohttp,
}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_any_client_records_and_every_other_one_replays_it(
    client: Callable[[str], Any], tmp_path: Path
) -> None:
    with EchoServer() as server:
        with use(tmp_path / "a/b", mode="record"):
            recorded = client(server.url)
        seen = server.seen
    assert len(seen) == 1
    for other in CLIENTS.values():
        with use(tmp_path / "a/b", mode="replay"):
            assert {**other(server.url), "body": ""} == {**recorded, "body": ""}


def test_botocore_replays(tmp_path: Path) -> None:
    def ask(url: str) -> Any:
        session = SESSION()
        client = session.create_client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=url,
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=CONFIG(retries={"max_attempts": 0}),
        )
        messages = [{"role": "user", "content": [{"text": "why"}]}]
        answer = client.converse(modelId="m", messages=messages)
        client.close()
        return answer["ResponseMetadata"]["HTTPStatusCode"]

    with EchoServer() as server, use(tmp_path / "a/b", mode="record"):
        recorded = ask(server.url)
    with use(tmp_path / "a/b", mode="replay") as cassette:
        assert ask(server.url) == recorded == 200
        assert cassette.play_count == 1


def _stream(url: str) -> list[bytes]:
    with httpx2.Client() as client, client.stream("POST", f"{url}/stream", json={}) as response:
        return list(response.iter_raw())


async def _async_stream(url: str) -> list[bytes]:
    async with (
        httpx2.AsyncClient() as client,
        client.stream("POST", f"{url}/stream", json={}) as response,
    ):
        return [chunk async for chunk in response.aiter_raw()]


def test_a_stream_of_httpx2_keeps_its_boundaries(tmp_path: Path) -> None:
    with EchoServer() as server, use(tmp_path / "a/b", mode="record"):
        recorded = _stream(server.url)
    assert len(recorded) == 4
    with use(tmp_path / "a/b", mode="replay"):
        assert _stream(server.url) == recorded
    with use(tmp_path / "a/b", mode="replay"):
        assert asyncio.run(_async_stream(server.url)) == recorded


def test_the_first_chunk_comes_before_the_last_was_sent(tmp_path: Path) -> None:
    with EchoServer() as server, use(tmp_path / "a/b", mode="record") as cassette:
        with httpx2.stream("POST", f"{server.url}/stream", json={}) as response:
            chunks = response.iter_raw()
            next(chunks)
            assert cassette.recorded == 0  # the answer is not whole yet
            list(chunks)
        assert cassette.recorded == 1


def test_a_program_that_stops_reading_replays_what_it_has_read(tmp_path: Path) -> None:
    def first(url: str) -> bytes:
        with httpx2.stream("POST", f"{url}/stream", json={}) as response:
            return next(response.iter_raw())

    with EchoServer() as server, use(tmp_path / "a/b", mode="record"):
        recorded = first(server.url)
    with use(tmp_path / "a/b", mode="replay"):
        assert first(server.url) == recorded
    assert "cut: true" in (tmp_path / "a/b/main.yaml").read_text()


def test_a_stream_of_requests_and_aiohttp_keeps_its_bytes(tmp_path: Path) -> None:
    def by_requests(url: str) -> bytes:
        return requests.post(f"{url}/stream", json={}, stream=True, timeout=10).content

    async def by_aiohttp(url: str) -> bytes:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/stream", json={}) as response,
        ):
            return b"".join([chunk async for chunk in response.content.iter_any()])

    with EchoServer() as server, use(tmp_path / "a/b", mode="record"):
        recorded = by_requests(server.url)
    with use(tmp_path / "a/b", mode="replay"):
        assert by_requests(server.url) == recorded
    with use(tmp_path / "a/b", mode="replay"):
        assert asyncio.run(by_aiohttp(server.url)) == recorded


def test_redirects_replay_in_clients_that_follow_them(tmp_path: Path) -> None:
    def by_requests(url: str) -> str:
        return requests.get(f"{url}/moved", timeout=10).url

    def by_httpx2(url: str) -> str:
        return str(httpx2.get(f"{url}/moved", follow_redirects=True).url)

    async def by_aiohttp(url: str) -> str:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/moved") as response:
            return str(response.url)

    def in_loop(url: str) -> str:
        return asyncio.run(by_aiohttp(url))

    ways: tuple[Callable[[str], str], ...] = (by_requests, by_httpx2, in_loop)
    for number, way in enumerate(ways):
        folder = tmp_path / f"{number}/here"
        with EchoServer() as server, use(folder, mode="record"):
            recorded = way(server.url)
        assert recorded.endswith("/there")
        with use(folder, mode="replay"):
            assert way(server.url) == recorded


def test_a_call_that_failed_and_was_tried_again_replays_as_one(tmp_path: Path) -> None:
    def ask(url: str) -> int:
        for path in ("/broken", "/broken", "/fine"):
            try:
                return httpx2.get(f"{url}{path}").status_code
            except httpx2.HTTPError:
                continue
        return 0

    with EchoServer() as server:
        with use(tmp_path / "a/b", mode="record"):
            assert ask(server.url) == 200
        with pytest.raises(CassetteMiss), use(tmp_path / "a/b", mode="replay", unplayed="ignore"):
            ask(server.url)  # an answer that never came is not on tape


def test_errors_of_a_server_are_answers_too(tmp_path: Path) -> None:
    with EchoServer() as server, use(tmp_path / "a/b", mode="record"):
        assert httpx2.get(f"{server.url}/503").status_code == 503
    with use(tmp_path / "a/b", mode="replay"):
        assert requests.get(f"{server.url}/503", timeout=10).status_code == 503


def test_a_miss_is_raised_even_where_the_program_hides_it(tmp_path: Path) -> None:
    def careless() -> None:
        with suppress(Exception):
            openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key="none").models.list()

    with pytest.raises(CassetteMiss, match="no recording"), use(tmp_path / "a/b", mode="replay"):
        careless()


def test_recordings_that_nobody_asks_for_fail(tmp_path: Path) -> None:
    with EchoServer() as server, use(tmp_path / "a/b", mode="record"):
        _httpx2(server.url)
    with pytest.raises(UnplayedRecordings, match="POST http"), use(tmp_path / "a/b", mode="replay"):
        pass
    with use(tmp_path / "a/b", mode="replay", unplayed="ignore"):
        pass
    with use(tmp_path / "a/b", mode="record"):
        pass


def test_record_mode_removes_what_is_not_played_also_of_tasks_that_are_gone(tmp_path: Path) -> None:
    async def crowd(url: str, size: int) -> None:
        async with httpx2.AsyncClient() as client:
            await asyncio.gather(*(client.get(f"{url}/{200 + n}") for n in range(size)))

    with EchoServer() as server:
        for size in (3, 1):
            with use(tmp_path / "a/b", mode="record"):
                asyncio.run(crowd(server.url, size))
        with use(tmp_path / "a/b", mode="replay"):
            asyncio.run(crowd(server.url, 1))
    files = [path.name for path in (tmp_path / "a/b").rglob("*.yaml")]
    assert files == ["task1.yaml"]


def test_a_secret_is_refused_and_nothing_written(tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    for number, client in enumerate((httpx2, requests)):
        with (
            EchoServer() as server,
            pytest.raises(SafetyRefusal, match="github-token"),
            use(tmp_path / f"{number}/b", mode="record"),
        ):
            client.post(server.url, json={"token": secret})
        assert not list(tmp_path.rglob("*.yaml"))


def test_headers_of_requests_are_not_kept_and_of_answers_only_on_demand(tmp_path: Path) -> None:
    headers = {"authorization": "Bearer not-a-real-one", "x-own": "own"}
    with EchoServer() as server, use(tmp_path / "a/b", mode="record", keep_headers=["X-Total"]):
        httpx2.get(server.url, headers=headers)
    text = (tmp_path / "a/b/main.yaml").read_text()
    assert "Bearer" not in text
    assert "x-own" not in text
    with use(tmp_path / "a/b", mode="replay"):
        assert httpx2.get(server.url).headers["x-total"] == "7"


def test_cassettes_side_by_side_do_not_mix(tmp_path: Path) -> None:
    async def ask(name: str, url: str, mode: str) -> list[int]:
        async with use(tmp_path / f"{name}/here", mode=mode), httpx2.AsyncClient() as client:
            numbers = []
            for _ in range(3):
                await asyncio.sleep(0.001)
                numbers.append((await client.get(url)).json()["number"])
            return numbers

    async def both(url: str, mode: str) -> list[list[int]]:
        return await asyncio.gather(*(ask(name, url, mode) for name in ("a", "b")))

    with EchoServer() as server:
        recorded = asyncio.run(both(server.url, "record"))
    assert asyncio.run(both(server.url, "replay")) == recorded


def test_nothing_stays_patched_afterwards(tmp_path: Path) -> None:
    def state() -> list[object]:
        return [
            httpx2.HTTPTransport.handle_request,
            httpx.AsyncHTTPTransport.handle_async_request,
            aiohttp.ClientSession._request,
            urllib3.HTTPConnectionPool.ConnectionCls,
            http.client.HTTPSConnection,
            asyncio.BaseEventLoop.create_task,
            ThreadPoolExecutor.submit,
        ]

    before = state()
    with use(tmp_path / "a/b", mode="auto"), use(tmp_path / "c/d", mode="auto"):
        assert state() != before
    assert state() == before
