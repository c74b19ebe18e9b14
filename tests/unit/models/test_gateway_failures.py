"""What the gateway does when an endpoint does not answer as it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.core.errors import CassetteMiss, ProviderError
from agentci.models.calling import Retry
from agentci.models.gateway import Answered
from tests.support.gateway_bench import (
    DIALECTS,
    LANE,
    LONG,
    WORKING,
    Bench,
    ask,
    one_call,
    spec,
)
from tests.support.model_server import Fault, ModelServer


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "cassettes")


def test_retry_after_is_honoured_and_only_the_answer_is_recorded(bench: Bench) -> None:
    faults = [
        Fault(status=429, headers={"retry-after": "7"}),
        Fault(status=529),
        Fault(drop="before"),
        None,
    ]
    with ModelServer(WORKING, faults=faults) as server:
        answer = bench.record(server, one_call(spec("openai")))
        assert len(server.requests) == 4
        assert len({request.body for request in server.requests}) == 1
    assert answer.source == "recorded"
    assert bench.clock.slept[0] == 7.0
    assert 0.5 <= bench.clock.slept[1] <= 1.0
    assert 1.0 <= bench.clock.slept[2] <= 2.0
    retries = [event for event in bench.events if isinstance(event, Retry)]
    assert [retry.attempt for retry in retries] == [2, 3, 4]
    assert "429" in retries[0].reason
    assert isinstance(bench.events[-1], Answered)
    assert b"429" not in bench.stored()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", DIALECTS)
def test_answers_that_are_cut_short_are_asked_for_again(
    bench: Bench, provider: str, *, stream: bool
) -> None:
    faults = [Fault(drop="middle"), Fault(cut_short=True) if stream else Fault(status=503), None]
    with ModelServer(WORKING, faults=faults) as server:
        answer = bench.record(server, one_call(spec(provider, stream=stream)))
        assert len(server.requests) == 3
    assert answer.response.message.text == LONG


def test_jitter_comes_from_the_seed(tmp_path: Path) -> None:
    slept = []
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        bench = Bench(tmp_path / name)
        with ModelServer(WORKING, faults=[Fault(status=500)] * 2) as server:
            bench.record(server, one_call(spec("openai"), ask(seed=seed)))
        slept.append(bench.clock.slept)
    assert slept[0] == slept[1] != slept[2]


def test_after_the_last_try_the_error_names_what_the_provider_said(bench: Bench) -> None:
    faults = [Fault(status=429, message="Rate limit reached")] * 3
    with ModelServer(WORKING, faults=faults) as server:
        model = spec("openai", attempts=3)
        with pytest.raises(
            ProviderError, match=r"429: .*Rate limit reached.*\(3 tries\)"
        ) as caught:
            bench.record(server, one_call(model))
        assert len(server.requests) == 3
    assert caught.value.location is not None
    assert caught.value.location.lane == LANE
    with pytest.raises(CassetteMiss):
        bench.replay(one_call(spec("openai")))


@pytest.mark.parametrize(
    ("fault", "code", "hint"),
    [
        (Fault(status=400, message="context too long"), "ACI-E134", "`parameters`"),
        (Fault(status=401), "ACI-E136", "OPENAI_API_KEY"),
        (Fault(status=404), "ACI-E134", "`id`"),
        (Fault(status=308, headers={"location": "http://elsewhere/"}), "ACI-E135", "redirects"),
        (Fault(body=b"<html>login</html>", content_type="text/html"), "ACI-E111", "base URL"),
        (Fault(body=b"{}"), "ACI-E111", "base URL"),
    ],
)
def test_lasting_troubles_are_not_tried_again(
    bench: Bench, fault: Fault, code: str, hint: str
) -> None:
    with ModelServer(WORKING, faults=[fault]) as server:
        with pytest.raises(ProviderError) as caught:
            bench.record(server, one_call(spec("openai")))
        assert len(server.requests) == 1
    assert caught.value.code == code
    assert hint in (caught.value.hint or "")


def test_silence_is_given_up_after_the_timeout(bench: Bench) -> None:
    with ModelServer(WORKING, faults=[Fault(delay=1)] * 2) as server:
        model = spec("anthropic", timeout=0.1, attempts=2)
        with pytest.raises(ProviderError, match=r"for 0\.1 s \(2 tries\)"):
            bench.record(server, one_call(model))


def test_a_slow_stream_is_waited_for(bench: Bench) -> None:
    with ModelServer(WORKING, faults=[Fault(pause=0.03)]) as server:
        model = spec("openai", stream=True, timeout=0.3, attempts=1)
        answer = bench.record(server, one_call(model))
    assert answer.response.message.text == LONG
