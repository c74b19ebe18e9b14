"""The proxy between a real client, a real server and real cassettes."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import zlib
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import brotli
import httpx2
import pytest
import zstandard

from agentci.core.errors import CassetteMiss, EnvironmentProblem, SafetyRefusal
from agentci.core.messages import ModelRequest, ModelResponse
from agentci.models.proxy_address import STAND_IN_KEY
from agentci.record.redact import OnSecret
from agentci.record.session import Mode
from agentci.record.surroundings import surroundings
from tests.support.model_server import Fault, ModelServer
from tests.support.proxy_bench import LANE, chat, seat
from tests.support.recorded_programs import answer

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def echo(request: ModelRequest, number: int) -> ModelResponse:
    return answer(text=f"{request.messages[-1].text} is what you said ({number})")


def test_an_answer_is_recorded_once_and_replayed_without_the_server(tmp_path: Path) -> None:
    async def ask(mode: Mode, env: dict[str, str]) -> tuple[int, bytes]:
        async with seat(tmp_path, mode, env) as there:
            response = await there.client.post(
                f"{there.openai}/chat/completions", json=chat("hello")
            )
        assert not there.failures
        return response.status_code, response.content

    with ModelServer(echo) as server:
        first = run(ask(Mode.AUTO, server.environment))
        again = run(ask(Mode.AUTO, server.environment))
        assert len(server.requests) == 1
    replayed = run(ask(Mode.REPLAY, {}))
    assert first == again == replayed
    assert first[0] == 200


def test_a_stream_arrives_while_it_comes_and_is_replayed_with_its_boundaries(
    tmp_path: Path,
) -> None:
    async def ask(mode: Mode, env: dict[str, str]) -> list[tuple[float, bytes]]:
        loop = asyncio.get_running_loop()
        async with seat(tmp_path, mode, env) as there:
            url = f"{there.openai}/chat/completions"
            start = loop.time()
            body = chat("hello, my good friend", stream=True)
            async with there.client.stream("POST", url, json=body) as response:
                return [(loop.time() - start, each) async for each in response.aiter_raw()]

    with ModelServer(echo, faults=[Fault(pause=0.1)]) as server:
        recorded = run(ask(Mode.RECORD, server.environment))
    replayed = run(ask(Mode.REPLAY, {}))
    assert recorded[-1][0] - recorded[0][0] > 0.3  # the first was there long before the last
    assert [each for _, each in replayed] == [each for _, each in recorded]
    assert len(recorded) == 5


def test_a_miss_is_the_providers_error_and_is_remembered(tmp_path: Path) -> None:
    async def ask() -> None:
        async with seat(tmp_path, Mode.REPLAY) as there:
            variables = there.variables
            bodies = {
                f"{there.openai}/chat/completions": chat("x"),
                f"{variables['ANTHROPIC_BASE_URL']}/v1/messages": chat("x"),
                f"{variables['GOOGLE_GEMINI_BASE_URL']}/v1beta/models/m:generateContent": {
                    "contents": []
                },
            }
            errors = []
            for url, body in bodies.items():
                response = await there.client.post(url, json=body)
                assert response.status_code == 400
                assert response.headers["x-should-retry"] == "false"
                errors.append(response.json())
        assert errors[0]["error"]["type"] == "invalid_request_error"
        assert errors[1]["type"] == "error"
        assert errors[2]["error"]["status"] == "INVALID_ARGUMENT"
        assert all("no recording" in each["error"]["message"] for each in errors)
        assert [type(each) for each in there.failures] == [CassetteMiss] * 3

    run(ask())


@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_a_provider_refuses_is_recorded(status: int, tmp_path: Path) -> None:
    async def ask(mode: Mode, env: dict[str, str]) -> tuple[int, Any]:
        async with seat(tmp_path, mode, env) as there:
            url = f"{there.openai}/chat/completions"
            response = await there.client.post(url, json=chat("x"))
            return response.status_code, response.json()

    with ModelServer(echo, faults=[Fault(status=status)]) as server:
        recorded = run(ask(Mode.RECORD, server.environment))
    assert run(ask(Mode.REPLAY, {})) == recorded
    assert recorded[0] == status


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, headers={"retry-after": "7"}),
        Fault(status=500),
        Fault(status=401),
        Fault(drop="before"),
        Fault(drop="middle"),
        Fault(cut_short=True),
    ],
    ids=["429", "500", "401", "dropped", "cut", "ended early"],
)
def test_what_may_go_well_next_time_is_passed_on_and_not_recorded(
    fault: Fault, tmp_path: Path
) -> None:
    """The second try gets the address of the first, so a replay needs one call only."""

    async def ask(mode: Mode, env: dict[str, str]) -> tuple[int, bytes] | None:
        async with seat(tmp_path, mode, env) as there:
            url = f"{there.openai}/chat/completions"
            try:
                response = await there.client.post(url, json=chat("some words", stream=True))
            except httpx2.RemoteProtocolError:
                if mode is Mode.REPLAY:
                    raise
            else:
                if mode is Mode.REPLAY:
                    return response.status_code, response.content
                assert response.status_code == (fault.status or (502 if fault.drop else 200))
                assert response.headers.get("retry-after") == fault.headers.get("retry-after")
            response = await there.client.post(url, json=chat("some words", stream=True))
            assert not there.failures
            return response.status_code, response.content

    with ModelServer(echo, faults=[fault]) as server:
        recorded = run(ask(Mode.RECORD, server.environment))
    assert run(ask(Mode.REPLAY, {})) == recorded


def test_an_aborted_client_leaves_a_whole_recording(tmp_path: Path) -> None:
    async def abort(env: dict[str, str]) -> None:
        async with seat(tmp_path, Mode.RECORD, env) as there:
            url = f"{there.openai}/chat/completions"
            body = chat("some words that take long", stream=True)
            async with there.client.stream("POST", url, json=body) as response:
                async for _ in response.aiter_raw():
                    break
        assert not there.failures

    async def replay() -> bytes:
        async with seat(tmp_path, Mode.REPLAY) as there:
            url = f"{there.openai}/chat/completions"
            body = chat("some words that take long", stream=True)
            return (await there.client.post(url, json=body)).content

    with ModelServer(echo, faults=[Fault(pause=0.05)]) as server:
        run(abort(server.environment))
    assert run(replay()).endswith(b"data: [DONE]\n\n")


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
    "br": brotli.compress,
}


@pytest.mark.parametrize("encoding", PACK)
def test_a_compressed_request_is_the_same_request(encoding: str, tmp_path: Path) -> None:
    body = json.dumps(chat("hello")).encode()
    packed = PACK[encoding](body)

    async def ask(mode: Mode, env: dict[str, str], content: bytes, **headers: str) -> bytes:
        async with seat(tmp_path, mode, env) as there:
            url = f"{there.openai}/chat/completions"
            response = await there.client.post(url, content=content, headers=headers)
            assert response.status_code == 200
            return response.content

    with ModelServer(echo) as server:
        recorded = run(ask(Mode.RECORD, server.environment, body))
    assert run(ask(Mode.REPLAY, {}, packed, **{"content-encoding": encoding})) == recorded


def test_a_damaged_request_is_refused_and_remembered(tmp_path: Path) -> None:
    async def ask() -> None:
        async with seat(tmp_path, Mode.REPLAY) as there:
            headers = {"content-encoding": "gzip"}
            url = f"{there.openai}/chat/completions"
            content = gzip.compress(b"{}")[:-4]
            response = await there.client.post(url, content=content, headers=headers)
            assert response.status_code == 400
        assert len(there.failures) == 1

    run(ask())


@pytest.mark.parametrize(("encoding", "package"), [("br", "brotli"), ("zstd", "zstandard")])
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_request_that_nothing_here_can_decode_is_refused_in_the_providers_words(
    encoding: str, package: str, provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    async def ask() -> None:
        async with seat(tmp_path, Mode.RECORD) as there:
            path = "chat/completions" if provider == "openai" else "v1/messages"
            url = f"{there.variables[f'{provider.upper()}_BASE_URL']}/{path}"
            content = PACK[encoding](json.dumps(chat("hello")).encode())
            headers = {"content-encoding": encoding}
            response = await there.client.post(url, content=content, headers=headers)
            assert response.status_code == 400  # after a 415, not every client gives up
            error = response.json()["error"]
            assert error["type"] == "invalid_request_error"
            assert f"the package `{package}` is not installed" in error["message"]
        (failure,) = there.failures
        assert isinstance(failure, EnvironmentProblem)
        assert "agentci-pipelines[import]" in (failure.hint or "")

    run(ask())
    assert not list(tmp_path.rglob("*.yaml"))


def test_two_hundred_streams_at_a_time_lose_nothing(tmp_path: Path) -> None:
    async def ask(mode: Mode, env: dict[str, str]) -> list[bytes]:
        async with seat(tmp_path, mode, env) as there:
            url = f"{there.openai}/chat/completions"
            responses = await asyncio.gather(
                *(
                    there.client.post(url, json=chat(f"this is caller {n}", stream=True))
                    for n in range(200)
                )
            )
        assert not there.failures
        assert not there.session.unplayed([LANE])
        return [response.content for response in responses]

    def plain(request: ModelRequest, _number: int) -> ModelResponse:
        return answer(text=f"to: {request.messages[-1].text}")

    with ModelServer(plain) as server:
        recorded = run(ask(Mode.RECORD, server.environment))
        assert len(server.requests) == 200
    assert run(ask(Mode.REPLAY, {})) == recorded
    assert len(set(recorded)) == 200


def test_equal_calls_get_the_answers_that_were_recorded(tmp_path: Path) -> None:
    async def ask(mode: Mode, env: dict[str, str]) -> list[str]:
        async with seat(tmp_path, mode, env) as there:
            url = f"{there.openai}/chat/completions"
            found = [await there.client.post(url, json=chat("again")) for _ in range(5)]
        return [each.json()["choices"][0]["message"]["content"] for each in found]

    with ModelServer(echo) as server:
        recorded = run(ask(Mode.RECORD, server.environment))
    assert len(set(recorded)) == 5
    assert run(ask(Mode.REPLAY, {})) == recorded


def test_other_paths_of_a_provider_are_recorded_too(tmp_path: Path) -> None:
    async def ask(mode: Mode, env: dict[str, str]) -> Any:
        async with seat(tmp_path, mode, env) as there:
            return (await there.client.get(f"{there.openai}/models")).json()

    with ModelServer(echo) as server:
        recorded = run(ask(Mode.RECORD, server.environment))
    assert run(ask(Mode.REPLAY, {})) == recorded == {"object": "list", "data": []}


def test_probes_are_answered_and_strangers_are_not(tmp_path: Path) -> None:
    async def ask() -> None:
        async with seat(tmp_path, Mode.REPLAY) as there:
            base = there.variables["ANTHROPIC_BASE_URL"]
            assert (await there.client.head(base)).status_code == 200
            assert (await there.client.head(f"{base}/")).status_code == 200
            stranger = base.replace("/token/", "/guess/")
            assert (await there.client.get(f"{stranger}/v1/models")).status_code == 404
            other = base.replace("agent/anthropic", "other/anthropic").replace("%2Fagent", "%2Fx")
            assert (await there.client.get(f"{other}/v1/models")).status_code == 404
        assert not there.failures

    run(ask())


def test_programs_never_see_the_key_and_the_provider_gets_it(tmp_path: Path) -> None:
    async def ask(env: dict[str, str], own: str) -> int:
        async with seat(tmp_path, Mode.LIVE, env) as there:
            assert there.variables["OPENAI_API_KEY"] == STAND_IN_KEY
            headers = {"authorization": f"Bearer {own}"}
            url = f"{there.openai}/chat/completions"
            return (await there.client.post(url, json=chat("x"), headers=headers)).status_code

    with ModelServer(echo, api_key="the-real-key-of-the-user") as server:
        assert run(ask(server.environment, STAND_IN_KEY)) == 200
        without = {**server.environment, "OPENAI_API_KEY": ""}
        assert run(ask(without, "the-real-key-of-the-user")) == 200
        assert run(ask(server.environment, "another-key-of-the-program")) == 401
    assert not list(tmp_path.rglob("*.yaml"))


def test_a_call_with_its_own_key_in_the_text_is_not_recorded(tmp_path: Path) -> None:
    key = "the-real-key-of-the-user"

    async def ask(env: dict[str, str]) -> None:
        async with seat(tmp_path, Mode.RECORD, env) as there:
            url = f"{there.openai}/chat/completions"
            assert (await there.client.post(url, json=chat(f"it is {key}"))).status_code == 200
        assert isinstance(there.failures[0], SafetyRefusal)

    with ModelServer(echo, api_key=key) as server:
        run(ask(server.environment))
    assert not list(tmp_path.rglob("*.yaml"))


def test_what_a_redacted_folder_hides_is_hidden_from_the_requests_of_programs_too(
    tmp_path: Path,
) -> None:
    drawn = "q7Zk2mXw9Lr4Tb8Vn3Yd6Hs1Jf5Gc0PaEuKo"
    first, second = f"ghp_{drawn}", f"ghp_{drawn[::-1]}"

    async def ask(mode: Mode, env: dict[str, str], token: str) -> bytes:
        async with seat(tmp_path, mode, env, on_secret=OnSecret.REDACT) as there:
            url = f"{there.openai}/chat/completions"
            response = await there.client.post(url, json=chat(f"use {token} now"))
        assert not there.failures
        return response.content

    with ModelServer(lambda _request, _number: answer(text="done")) as server:
        made = run(ask(Mode.RECORD, server.environment, first))
        assert first.encode() in server.requests[0].body
    assert first not in (tmp_path / "code.2" / "agent.yaml").read_text()
    assert run(ask(Mode.REPLAY, {}, first)) == made
    assert run(ask(Mode.REPLAY, {}, second)) == made


def test_folders_are_masked_in_requests_and_put_back_into_answers(tmp_path: Path) -> None:
    folder = tmp_path / "cassettes"

    async def ask(mode: Mode, env: dict[str, str], place: Path, stream: bool) -> str:
        around = surroundings(place / "work", place / "home")
        text = f"look into {place / 'work'}/src and {place / 'home'}/.cache"
        async with seat(folder, mode, env, around=around) as there:
            url = f"{there.openai}/chat/completions"
            response = await there.client.post(url, json=chat(text, stream=stream))
            assert response.status_code == 200, response.text
            if not stream:
                return str(response.json()["choices"][0]["message"]["content"])
            events = [line[6:] for line in response.text.splitlines() if line[:6] == "data: "]
            parts = [json.loads(event)["choices"] for event in events if event != "[DONE]"]
            return "".join(choice[0]["delta"].get("content") or "" for choice in parts if choice)

    def plain(request: ModelRequest, _number: int) -> ModelResponse:
        return answer(text=f"I did {request.messages[-1].text}.")

    one, two = tmp_path / "first", tmp_path / "a" / "longer" / "second"
    for stream in (False, True):
        with ModelServer(plain) as server:
            recorded = run(ask(Mode.AUTO, server.environment, one, stream))
        replayed = run(ask(Mode.REPLAY, {}, two, stream))
        assert recorded == f"I did look into {one}/work/src and {one}/home/.cache."
        assert replayed == f"I did look into {two}/work/src and {two}/home/.cache."
    for path in folder.rglob("*.yaml"):
        assert str(tmp_path) not in path.read_text()


def test_rules_of_the_step_mask_what_they_match(tmp_path: Path) -> None:
    async def ask(mode: Mode, env: dict[str, str], text: str) -> int:
        async with seat(tmp_path, mode, env, rules=(r"build-\d+",)) as there:
            url = f"{there.openai}/chat/completions"
            return (await there.client.post(url, json=chat(text))).status_code

    with ModelServer(echo) as server:
        run(ask(Mode.RECORD, server.environment, "in build-17"))
    assert run(ask(Mode.REPLAY, {}, "in build-18")) == 200
    assert run(ask(Mode.REPLAY, {}, "in another")) == 400
    text = (tmp_path / "code.2" / "agent.yaml").read_text()
    assert "notes:\n  masked:\n    pipeline:\n      build-\\d+: 1\n" in text.replace("'", "")


def test_a_bug_of_ours_is_not_hidden_by_the_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("a bug")

    async def ask(env: dict[str, str]) -> None:
        async with seat(tmp_path, Mode.RECORD, env) as there:
            url = f"{there.openai}/chat/completions"
            await there.client.post(url, json=chat("x"))

    monkeypatch.setattr("agentci.models.proxy.keep", broken)
    with ModelServer(echo) as server, pytest.raises(RuntimeError, match="a bug"):
        run(ask(server.environment))
