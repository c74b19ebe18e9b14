"""Keys go into one header of one request, and nowhere else."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from agentci.core.errors import AgentciError, ProviderError, SafetyRefusal
from agentci.models.calling import Retry
from tests.support.gateway_bench import (
    DIALECTS,
    KEY,
    WORKING,
    Bench,
    ask,
    one_call,
    script,
    spec,
    two_turns,
)
from tests.support.model_server import Fault, ModelServer


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "cassettes")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", DIALECTS)
def test_the_key_arrives_and_is_nowhere_else(
    bench: Bench, provider: str, caplog: pytest.LogCaptureFixture, *, stream: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    model = spec(provider, stream=stream)
    faults = [Fault(status=500, message=f"the key {KEY} made me stumble"), None, None]
    with ModelServer(WORKING, api_key=KEY, faults=faults) as server:
        answers = bench.record(server, two_turns(model))
        assert KEY in str(server.requests[0].headers)
        assert not any(KEY.encode() in request.body for request in server.requests)
    assert KEY.encode() not in bench.stored()
    assert KEY not in caplog.text
    assert KEY not in repr(answers)
    assert KEY not in repr(bench.events)
    assert any(isinstance(event, Retry) for event in bench.events)


def test_a_key_that_an_endpoint_echoes_is_in_no_error(bench: Bench) -> None:
    faults = [Fault(status=401, message=f"Incorrect API key provided: {KEY}")]
    with (
        ModelServer(WORKING, api_key=KEY, faults=faults) as server,
        pytest.raises(ProviderError, match="<key>") as caught,
    ):
        bench.record(server, one_call(spec("openai")))
    assert KEY not in everything_about(caught.value)
    assert caught.value.hint == "check the key in `OPENAI_API_KEY`"


@pytest.mark.parametrize(("says", "asks"), [(f"your key is {KEY}", "hi"), ("ok", f"use {KEY}")])
def test_a_key_in_an_answer_or_a_prompt_is_never_recorded(
    bench: Bench, says: str, asks: str
) -> None:
    with (
        ModelServer(script({"reply": {"text": says}}), api_key=KEY) as server,
        pytest.raises(SafetyRefusal) as caught,
    ):
        bench.record(server, one_call(spec("openai"), ask(asks)))
    assert KEY not in everything_about(caught.value)
    assert KEY.encode() not in bench.stored()


def everything_about(error: AgentciError) -> str:
    seen = [repr(error), str(error), str(error.hint), repr(error.__dict__)]
    cause = error.__cause__ or error.__context__
    while cause is not None:
        seen.append(f"{cause!r} {cause}")
        cause = cause.__cause__ or cause.__context__
    return "\n".join(seen)
