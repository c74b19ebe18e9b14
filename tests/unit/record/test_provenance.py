"""How long each live answer took is noted beside it, by everybody who records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.adapters.files import LocalFiles
from agentci.cassettes import use
from agentci.core.messages import ModelRequest, ModelResponse
from agentci.models.gateway import Answer
from agentci.record.interaction import Interaction
from agentci.record.provenance import provenance, recorded_seconds
from agentci.record.session import Mode, RecordingSession
from tests.support.gateway_bench import LANE, WORKING, Bench, FakeClock, ask, one_call, spec
from tests.support.model_server import Fault, ModelServer
from tests.support.proxy_bench import chat, seat
from tests.support.recorded_programs import answer

STEP = 0.1234567


@dataclass
class TickingClock(FakeClock):
    """A clock that goes on by `STEP` whenever somebody looks."""

    looks: int = 0

    def monotonic(self) -> float:
        self.looks += 1
        return self.looks * STEP


def recordings(folder: Path) -> Iterator[Interaction]:
    session = RecordingSession(LocalFiles(), folder, mode=Mode.REPLAY)
    for address in session.unplayed():
        found = session.recording(address)
        assert found is not None
        yield found


def seconds_of(folder: Path) -> list[float | None]:
    return [recorded_seconds(each.provenance) for each in recordings(folder)]


def test_the_gateway_notes_the_time_of_the_try_that_was_answered(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TickingClock())
    with ModelServer(WORKING, faults=[Fault(status=500), Fault(drop="before")]) as server:
        recorded: Answer = bench.record(server, one_call(spec("openai")))
    assert seconds_of(tmp_path) == [round(STEP, 3)], "milliseconds, without the two failed tries"
    assert recorded.seconds == pytest.approx(STEP)
    assert bench.replay(one_call(spec("openai"))).seconds is None, "a hit is never measured"


def test_a_script_takes_no_time_that_is_worth_noting(tmp_path: Path) -> None:
    bench = Bench(tmp_path, scripts={"s.yaml": WORKING})
    model = spec("scripted", script="s.yaml")
    asyncio.run(bench.gateway(Mode.AUTO).complete(model, ask(), lane=LANE))
    assert seconds_of(tmp_path) == [None]


def echo(request: ModelRequest, number: int) -> ModelResponse:
    return answer(text=f"{request.messages[-1].text} ({number})")


@pytest.mark.parametrize("stream", [False, True])
def test_the_proxy_notes_the_time_until_the_end_of_the_answer(
    tmp_path: Path, *, stream: bool
) -> None:
    async def post() -> None:
        async with seat(tmp_path, Mode.AUTO, server.environment) as there:
            url = f"{there.openai}/chat/completions"
            response = await there.client.post(url, json=chat("hello you", stream=stream))
            assert response.status_code == 200

    with ModelServer(echo, faults=[Fault(delay=0.05, pause=0.02)]) as server:
        asyncio.run(post())
    (noted,) = seconds_of(tmp_path)
    assert noted is not None
    assert 0.05 <= noted < 5
    assert noted == round(noted, 3)


def test_answers_in_process_are_timed_where_they_were_read_to_their_end(tmp_path: Path) -> None:
    url = "/v1/chat/completions"
    with (
        ModelServer(echo, faults=[Fault(delay=0.05), Fault(pause=0.01)]) as server,
        use(tmp_path / "a/b", mode="record"),
        httpx2.Client(base_url=server.origin, trust_env=False) as client,
    ):
        client.post(url, json=chat("whole"))
        with client.stream("POST", url, json=chat("left in the middle", stream=True)) as half:
            next(half.iter_raw())
    whole, cut = seconds_of(tmp_path / "a/b")
    assert whole is not None
    assert 0.05 <= whole < 5
    assert cut is None


def test_no_digest_covers_the_time(tmp_path: Path) -> None:
    digests = set()
    for name, clock in (("a", FakeClock()), ("b", TickingClock())):
        bench = Bench(tmp_path / name, clock)
        with ModelServer(WORKING) as server:
            bench.record(server, one_call(spec("openai")))
        digests.add(bench.session(Mode.REPLAY).digest())
    assert len(digests) == 1


@given(st.floats() | st.integers() | st.booleans() | st.none() | st.text())
def test_whatever_stands_in_a_file_is_a_time_or_none(value: float | str | None) -> None:
    found = recorded_seconds({"seconds": value})
    assert found is None or 0 <= found < float("inf")


def test_a_clock_that_jumps_gives_no_negative_time() -> None:
    noted = provenance({"from": "x"}, now=0.9, seconds=-0.1)
    assert noted == {"from": "x", "at": "1970-01-01T00:00:00+00:00", "seconds": 0.0}
    assert "seconds" not in provenance({}, now=0)
