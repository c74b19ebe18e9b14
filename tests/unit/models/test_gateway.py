"""The gateway over real HTTP on loopback: what is recorded replays, with the server gone."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from pathlib import Path

import pytest

from agentci.core.digest import digest_json
from agentci.core.errors import CassetteMiss, UsageError
from agentci.core.messages import (
    BlobPart,
    FinishReason,
    Message,
    ModelRequest,
    TextPart,
)
from agentci.models.gateway import Answer, Gateway
from agentci.record.session import Mode
from agentci.spec.pipeline import PriceSpec
from tests.support.gateway_bench import (
    DIALECTS,
    KEY,
    LANE,
    LONG,
    WORKING,
    Bench,
    NoHttp,
    ask,
    conversation,
    one_call,
    script,
    spec,
    two_turns,
)
from tests.support.model_server import ModelServer


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "cassettes")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", DIALECTS)
def test_what_was_recorded_replays_with_the_server_gone(
    bench: Bench, provider: str, *, stream: bool
) -> None:
    model = spec(provider, stream=stream)
    with ModelServer(WORKING, api_key=KEY) as server:
        recorded = bench.record(server, two_turns(model))
        assert len(server.requests) == 2
        bodies = [request.json for request in server.requests]
    replayed = bench.replay(two_turns(model))
    assert [a.source for a in recorded] == ["recorded"] * 2
    assert [a.source for a in replayed] == ["replayed"] * 2
    assert [a.response for a in replayed] == [a.response for a in recorded]
    assert [a.address for a in replayed] == [a.address for a in recorded]
    first, second = (answer.response for answer in recorded)
    assert first.message.text == LONG
    assert [(c.name, c.arguments) for c in first.message.tool_calls] == [("run", {"x": "é 1"})]
    assert first.finish_reason is FinishReason.TOOL_CALLS
    assert first.model == "model-1"
    assert second.message.text == '{\n  "approved": true\n}'
    assert second.usage.input_tokens == 1000
    assert second.usage.cached_tokens == 600
    if provider != "gemini":
        assert [body.get("stream", False) for body in bodies] == [stream] * 2


@pytest.mark.parametrize("provider", DIALECTS)
def test_streaming_and_not_give_the_same_answer(tmp_path: Path, provider: str) -> None:
    answers = []
    for stream in (False, True):
        bench = Bench(tmp_path / str(stream))
        with ModelServer(WORKING) as server:
            answers.append(bench.record(server, two_turns(spec(provider, stream=stream))))
    plain, streamed = ([answer.response for answer in run] for run in answers)
    assert plain == streamed


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", DIALECTS)
def test_recording_twice_gives_the_same_cassettes(
    tmp_path: Path, provider: str, *, stream: bool
) -> None:
    stored = []
    for name in ("a", "b"):
        bench = Bench(tmp_path / name)
        with ModelServer(WORKING) as server:
            bench.record(server, two_turns(spec(provider, stream=stream)))
            address = server.origin.encode()
        stored.append(bench.stored().replace(address, b"ORIGIN"))
    assert stored[0] == stored[1]


def test_a_replay_never_goes_out(bench: Bench) -> None:
    with ModelServer(WORKING) as server:
        env = server.environment
        gateway = bench.gateway(Mode.REPLAY, env, NoHttp())
        with pytest.raises(CassetteMiss):
            asyncio.run(gateway.complete(spec("openai"), ask(), lane=LANE))
        assert server.requests == []


def test_without_an_endpoint_a_miss_says_how_to_record(bench: Bench) -> None:
    gateway = bench.gateway(Mode.AUTO)
    with pytest.raises(CassetteMiss, match="no key for the provider `gemini`") as caught:
        asyncio.run(gateway.complete(spec("gemini"), ask(), lane=LANE))
    assert "set `GEMINI_API_KEY`" in (caught.value.hint or "")


def test_live_keeps_nothing_and_replays_nothing(bench: Bench) -> None:
    with ModelServer(WORKING) as server:
        work = one_call(spec("openai"))
        bench.record(server, work)
        before = bench.stored()
        answer = bench.calling(Mode.LIVE, server, work)
        assert len(server.requests) == 2
    assert answer.source == "live"
    assert bench.stored() == before


def test_live_without_an_endpoint_is_a_usage_error(bench: Bench) -> None:
    with pytest.raises(UsageError, match="no key"):
        asyncio.run(bench.gateway(Mode.LIVE).complete(spec("openai"), ask(), lane=LANE))


def test_what_is_recorded_is_not_asked_again(bench: Bench) -> None:
    with ModelServer(WORKING) as server:
        work = two_turns(spec("gemini"))
        bench.record(server, work)
        again = bench.record(server, work)
        assert len(server.requests) == 2
    assert [answer.source for answer in again] == ["replayed"] * 2


@pytest.mark.parametrize(
    ("provider", "sent"),
    [("openai", True), ("gemini", True), ("anthropic", False), ("openai-responses", False)],
)
def test_seeds_are_sent_where_there_is_a_field_and_noted_everywhere(
    bench: Bench, provider: str, *, sent: bool
) -> None:
    with ModelServer(WORKING) as server:
        answer = bench.record(server, one_call(spec(provider)))
        body = server.requests[0].body
    assert answer.seed.value == 7
    assert answer.seed.sent is sent
    assert (b'"seed":7' in body) is sent
    assert bool(answer.seed.reason) is not sent
    text = bench.stored().decode()
    assert "seed" in text
    assert sent or answer.seed.reason in " ".join(text.split())


def test_a_seed_can_be_kept_off_the_wire(bench: Bench) -> None:
    with ModelServer(WORKING) as server:
        model = spec("openai", seed=False)
        answer = bench.record(server, one_call(model))
        assert b"seed" not in server.requests[0].body
    assert not answer.seed.sent
    assert "`seed: false`" in answer.seed.reason


def test_cost_comes_from_the_definition(bench: Bench) -> None:
    price = PriceSpec(input=1.0, output=2.0)
    with ModelServer(script({"reply": {"text": "x", "usage": {"input": 10, "output": 5}}})) as s:
        model = spec("openai", price=price)
        answer = bench.record(s, one_call(model))
    assert answer.cost == pytest.approx(20e-6)


def test_definition_and_request_meet_in_the_body(bench: Bench) -> None:
    with ModelServer(WORKING) as server:
        bench.record(server, one_call(spec("openai")))
        body = server.requests[0].json
    assert body["model"] == "model-1"
    assert body["max_completion_tokens"] == 500


@pytest.mark.parametrize("provider", DIALECTS)
def test_pictures_go_out_and_are_kept_as_objects(bench: Bench, provider: str) -> None:
    picture = random.Random(1).randbytes(5000)

    async def look(gateway: Gateway) -> Answer:
        digest = gateway.session.blobs.put(picture)
        parts = (TextPart("what is it?"), BlobPart("image", "image/png", digest))
        request = ModelRequest("", (Message("user", parts),))
        return await gateway.complete(spec(provider), request, lane=LANE)

    with ModelServer(script({"reply": {"text": "a picture"}})) as server:
        recorded = bench.record(server, look)
    assert bench.replay(look).response == recorded.response
    cassette = next(bench.folder.rglob("*.yaml")).read_bytes()
    assert len(cassette) < 3000
    assert picture in bench.stored()


def test_scripted_models_are_recorded_and_replayed_like_any_other(bench: Bench) -> None:
    bench.scripts["replies.yaml"] = WORKING
    model = spec("scripted", script="replies.yaml")
    recorded = asyncio.run(conversation(bench.gateway(Mode.AUTO), model))
    bench.scripts.clear()
    replayed = bench.replay(two_turns(model))
    assert [a.source for a in recorded] == ["recorded"] * 2
    assert [a.response for a in replayed] == [a.response for a in recorded]
    assert recorded[1].response.message.text == '{\n  "approved": true\n}'


@pytest.mark.parametrize("path", [None, "other.yaml"])
def test_a_scripted_model_without_its_script_is_a_usage_error(
    bench: Bench, path: str | None
) -> None:
    model = spec("scripted", script=path)
    with pytest.raises(UsageError, match="script"):
        asyncio.run(bench.gateway(Mode.AUTO).complete(model, ask(), lane=LANE))


def test_addresses_do_not_depend_on_the_endpoint(tmp_path: Path) -> None:
    addresses = []
    for name in ("a", "b"):
        with ModelServer(WORKING) as server:
            work = one_call(spec("openai"))
            addresses.append(Bench(tmp_path / name).record(server, work).address)
    assert addresses[0] == addresses[1]
    assert addresses[0].key != digest_json({})


def test_a_replay_imports_no_http_client(bench: Bench) -> None:
    bench.scripts["s"] = WORKING
    with ModelServer(WORKING) as server:
        bench.record(server, one_call(spec("openai"), ask("hi", None)))
    code = f"""
import asyncio, sys
from pathlib import Path
from agentci.adapters.files import LocalFiles
from agentci.adapters.http import HttpTransport
from agentci.core.messages import Message, ModelRequest, TextPart, ToolDefinition
from agentci.models.gateway import Gateway
from agentci.record.session import Mode, RecordingSession
from agentci.spec.pipeline import ModelSpec
session = RecordingSession(LocalFiles(), Path({str(bench.folder)!r}), mode=Mode.REPLAY)
gateway = Gateway(session=session, http=HttpTransport(), clock=None, env={{}})
model = ModelSpec(provider="openai", id="model-1", parameters={{"max_tokens": 500}})
tool = ToolDefinition("run", "Runs the tests.", {{"type": "object", "properties": {{}}}})
request = ModelRequest("", (Message("user", (TextPart("hi"),)),), system="You fix bugs.",
                       tools=(tool,))
answer = asyncio.run(gateway.complete(model, request, lane="{LANE}"))
assert answer.source == "replayed", answer
heavy = ("httpx2", "httpcore2", "anyio", "openai", "vcr")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
