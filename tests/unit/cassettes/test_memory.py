"""What a tape keeps in memory does not grow with the answers that it serves."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import httpx2
import pytest

from agentci.cassettes import use
from agentci.cassettes.handle import Cassette
from agentci.core.errors import UsageError
from agentci.record.tape import ROOM_FOR_BODIES

ANSWER = "a line of an answer\n" * 1_000
CALLS = 150
KEPT_PER_CALL = 3_000
"""Bytes, whatever the size of the answer: its address, its place in the order."""


def _client() -> httpx2.Client:
    return httpx2.Client(
        transport=httpx2.MockTransport(lambda _: httpx2.Response(200, text=ANSWER))
    )


def _ask(client: httpx2.Client, start: int, stop: int) -> None:
    for number in range(start, stop):
        assert client.get(f"https://a.test/{number}").text == ANSWER


def test_answers_that_were_served_are_let_go(tmp_path: Path) -> None:
    with use(tmp_path / "a/b", mode="record"), _client() as client:
        _ask(client, 0, CALLS)
    with use(tmp_path / "a/b", mode="replay") as cassette, _client() as client:
        _ask(client, 0, CALLS // 3)
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            _ask(client, CALLS // 3, CALLS)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert cassette.play_count == CALLS
    assert grown < KEPT_PER_CALL * (CALLS - CALLS // 3)


def test_of_what_was_sent_the_last_bodies_are_remembered(tmp_path: Path) -> None:
    size = ROOM_FOR_BODIES // 4

    def post(cassette: Cassette, client: httpx2.Client, count: int) -> None:
        for number in range(count):
            client.post("https://a.test/x", content=str(number).encode() * size)
        assert len(cassette) == len(cassette.requests) == count

    with use(tmp_path / "a/c", mode="record") as cassette, _client() as client:
        post(cassette, client, 6)
        assert cassette.requests[-1].body == b"5" * size
        assert cassette.requests[2].body == b"2" * size
        with pytest.raises(UsageError, match="not remembered"):
            _ = cassette.requests[1].body
