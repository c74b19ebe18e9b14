"""Who gets which of several answers to equal requests."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.digest import Digest
from agentci.core.lane import Lane
from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    TextPart,
    Usage,
)
from agentci.core.wire import HttpRequest, WireResponse
from agentci.models.gateway import Gateway
from agentci.record.interaction import Address
from agentci.record.session import Mode, RecordingSession
from tests.support.gateway_bench import (
    KEY,
    LANE,
    Bench,
    NoHttp,
    ask,
    spec,
)
from tests.support.model_server import Fault, ModelServer


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "cassettes")


def test_equal_requests_get_their_own_answers_in_the_order_in_which_they_were_made(
    bench: Bench,
) -> None:
    """100 calls at a time, in 10 groups of 10 that ask the same and are told different things."""

    async def crowd(gateway: Gateway) -> list[str]:
        async def one(group: int) -> str:
            answer = await gateway.complete(spec("openai"), ask(f"group {group}"), lane=LANE)
            return answer.response.message.text

        return list(await asyncio.gather(*(one(n % 10) for n in range(100))))

    def respond(request: ModelRequest, number: int) -> ModelResponse:
        text = f"{request.messages[0].text}: answer {number}"
        message = Message("assistant", (TextPart(text),))
        return ModelResponse(message, FinishReason.STOP, Usage(1, 1, 0, 1), request.model)

    dice = random.Random(5)
    delays = [Fault(delay=dice.random() / 20) for _ in range(100)]
    with ModelServer(respond, faults=delays) as server:
        recorded = bench.record(server, crowd)
    assert len(set(recorded)) == 100
    for _ in range(3):
        assert bench.replay(crowd) == recorded


def test_the_occurrence_is_reserved_before_anything_is_awaited(bench: Bench) -> None:
    """The first step of a call, up to its first suspension, must already have its address."""
    reserved: list[Address] = []

    class Watched(RecordingSession):
        def reserve(self, lane: Lane, key: Digest, *, ordered: bool = True) -> Address:
            reserved.append(super().reserve(lane, key, ordered=ordered))
            return reserved[-1]

    class Stuck(NoHttp):
        async def send(
            self, request: HttpRequest, *, on_chunk: Callable[[bytes], None] | None = None
        ) -> WireResponse:
            await asyncio.Event().wait()
            raise AssertionError

    session = Watched(LocalFiles(), bench.folder, mode=Mode.AUTO)
    gateway = bench.on(session, {"OPENAI_API_KEY": KEY}, Stuck())

    async def work() -> None:
        calls = [gateway.complete(spec("openai"), ask(), lane=LANE) for _ in range(5)]
        for number, call in enumerate(calls, start=1):
            call.send(None)  # runs to the first real wait, which is the transport's
            assert [address.occurrence for address in reserved] == list(range(1, number + 1))
        for call in calls:
            call.close()

    asyncio.run(work())
