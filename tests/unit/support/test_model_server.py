"""The model server against the providers' own SDKs, and as a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from agentci.spec.script import Script
from tests.support.model_server import Fault, ModelServer, main

KEY = "sdk-test-key-0123"
TEXT = "Sunny: 40 °C, and a text that is long enough for several chunks."
RULES: list[Any] = [
    {
        "when": {"last_contains": "weather"},
        "reply": {"text": TEXT, "tool_calls": [{"name": "look", "arguments": {"city": "Ürümqi"}}]},
    },
    {"when": {"last_contains": "think"}, "reply": {"thinking": "let me see", "text": "done"}},
    {"when": {"last_contains": "refuse"}, "reply": {"text": "no", "finish": "refused"}},
    {"when": {"last_contains": "long"}, "reply": {"text": "cut", "finish": "length"}},
    {"when": {"last_contains": "hello"}, "reply": {"text": TEXT}},
]
SCRIPT = {"format": "agentci/script", "version": 1, "rules": RULES}
SCHEMA: Any = {"type": "object", "properties": {"city": {"type": "string"}}}


def server(*faults: Fault) -> ModelServer:
    script = Script.model_validate_json(json.dumps(SCRIPT))
    return ModelServer(script, api_key=KEY, faults=faults)


@pytest.fixture
def there() -> Iterator[ModelServer]:
    with server() as running:
        yield running


@pytest.fixture
def chat(there: ModelServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{there.origin}/v1", api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def claude(there: ModelServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=there.origin, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def gemini(there: ModelServer) -> Iterator[genai.Client]:
    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=there.origin))
    yield client
    client.close()


FUNCTION: Any = {"name": "look", "description": "Looks.", "parameters": SCHEMA}


def test_chat_completions(chat: openai.OpenAI) -> None:
    answer = chat.chat.completions.create(
        model="gpt-x",
        messages=[{"role": "user", "content": "weather?"}],
        tools=[{"type": "function", "function": FUNCTION}],
    )
    choice = answer.choices[0]
    assert answer.model == "gpt-x"
    assert answer.id.startswith("chatcmpl-")
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == TEXT
    assert choice.message.tool_calls is not None
    call = choice.message.tool_calls[0]
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"city": "Ürümqi"}
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 10


def test_chat_completions_as_a_stream(chat: openai.OpenAI) -> None:
    with chat.chat.completions.stream(
        model="gpt-x",
        messages=[{"role": "user", "content": "weather?"}],
        stream_options={"include_usage": True},
    ) as stream:
        final = stream.get_final_completion()
    message = final.choices[0].message
    assert message.content == TEXT
    assert message.tool_calls is not None
    assert json.loads(message.tool_calls[0].function.arguments) == {"city": "Ürümqi"}
    assert final.usage is not None
    assert final.usage.total_tokens == final.usage.prompt_tokens + final.usage.completion_tokens


def test_chat_completions_stream_counts_only_when_asked(chat: openai.OpenAI) -> None:
    chunks = list(
        chat.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "hello"}], stream=True
        )
    )
    assert all(chunk.usage is None for chunk in chunks)
    assert len(chunks) > 3


def test_responses(chat: openai.OpenAI) -> None:
    tools: Any = [{"type": "function", "strict": False, **FUNCTION}]
    answer = chat.responses.create(model="gpt-x", input="weather?", tools=tools)
    assert answer.output_text == TEXT
    assert answer.status == "completed"
    assert [item.type for item in answer.output] == ["message", "function_call"]
    assert answer.usage is not None
    assert answer.usage.output_tokens > 10


@pytest.mark.parametrize("asked", ["weather?", "think", "refuse", "hello"])
def test_responses_as_a_stream(chat: openai.OpenAI, asked: str) -> None:
    plain = chat.responses.create(model="gpt-x", input=asked)
    with chat.responses.stream(model="gpt-x", input=asked) as stream:
        numbers = [event.sequence_number for event in stream]
        final = stream.get_final_response()
    assert numbers == list(range(len(numbers)))
    assert final.output_text == plain.output_text
    assert [item.type for item in final.output] == [item.type for item in plain.output]
    assert final.id == plain.id


def test_messages(claude: anthropic.Anthropic) -> None:
    answer = claude.messages.create(
        model="claude-x",
        max_tokens=100,
        messages=[{"role": "user", "content": "weather?"}],
        tools=[{"name": "look", "description": "Looks.", "input_schema": SCHEMA}],
    )
    assert answer.stop_reason == "tool_use"
    text, call = answer.content
    assert text.type == "text"
    assert text.text == TEXT
    assert call.type == "tool_use"
    assert call.input == {"city": "Ürümqi"}
    assert call.id.startswith("toolu_")


@pytest.mark.parametrize("asked", ["weather?", "think", "refuse", "long", "hello"])
def test_messages_as_a_stream(claude: anthropic.Anthropic, asked: str) -> None:
    messages: Any = [{"role": "user", "content": asked}]
    plain = claude.messages.create(model="claude-x", max_tokens=100, messages=messages)
    with claude.messages.stream(model="claude-x", max_tokens=100, messages=messages) as stream:
        final = stream.get_final_message()
    names = {"id", "content", "stop_reason", "usage"}
    plain_json, final_json = (
        json.loads(answer.model_dump_json(include=names, exclude_none=True))
        for answer in (plain, final)
    )
    for answer in (plain_json, final_json):
        for block in answer["content"]:
            block.pop("parsed_output", None)
    assert final_json == plain_json


def test_thinking_has_to_come_back_unchanged(claude: anthropic.Anthropic) -> None:
    first: Any = {"role": "user", "content": "think"}
    ask: Any = {"model": "claude-x", "max_tokens": 100}
    answer = claude.messages.create(messages=[first], **ask)
    blocks: list[Any] = [block.model_dump(exclude_none=True) for block in answer.content]
    follow: Any = [first, {"role": "assistant", "content": blocks}]
    claude.messages.create(messages=[*follow, {"role": "user", "content": "hello"}], **ask)
    blocks[0]["thinking"] = "something else"
    with pytest.raises(anthropic.BadRequestError, match="signature"):
        claude.messages.create(messages=[*follow, {"role": "user", "content": "hello"}], **ask)


def test_generate_content(gemini: genai.Client) -> None:
    answer = gemini.models.generate_content(model="gemini-x", contents="weather?")
    assert answer.function_calls is not None
    assert answer.function_calls[0].args == {"city": "Ürümqi"}
    assert answer.candidates is not None
    parts = answer.candidates[0].content
    assert parts is not None
    assert parts.parts is not None
    assert parts.parts[0].text == TEXT
    assert answer.model_version == "gemini-x"


def test_generate_content_as_a_stream(gemini: genai.Client) -> None:
    chunks = list(gemini.models.generate_content_stream(model="gemini-x", contents="hello"))
    assert "".join(chunk.text or "" for chunk in chunks) == TEXT
    assert len(chunks) > 2


def test_errors_have_the_shape_that_the_sdks_know() -> None:
    faults = [Fault(status=429, message="slow down"), Fault(status=529, message="overloaded")]
    with server(*faults) as there:
        with (
            openai.OpenAI(base_url=f"{there.origin}/v1", api_key=KEY, max_retries=0) as client,
            pytest.raises(openai.RateLimitError, match="slow down"),
        ):
            client.responses.create(model="m", input="hello")
        with (
            anthropic.Anthropic(base_url=there.origin, api_key="wrong", max_retries=0) as client,
            pytest.raises(anthropic.APIStatusError, match="overloaded"),
        ):
            client.messages.create(model="m", max_tokens=5, messages=[])


def test_a_wrong_key_is_refused(there: ModelServer) -> None:
    with (
        anthropic.Anthropic(base_url=there.origin, api_key="wrong", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.messages.create(
            model="m", max_tokens=5, messages=[{"role": "user", "content": "hello"}]
        )


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "last message"),
        ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "last message"),
        ([{"role": "tool", "tool_call_id": "x", "content": "a"}], "answers no preceding"),
        (
            [
                {"role": "user", "content": "a"},
                {
                    "role": "assistant",
                    "tool_calls": [
                        {
                            "id": "c",
                            "type": "function",
                            "function": {"name": "f", "arguments": "{}"},
                        }
                    ],
                },
                {"role": "user", "content": "never mind"},
            ],
            "no tool result",
        ),
        ([{"role": "king", "content": "a"}], "king"),
    ],
)
def test_a_conversation_that_no_provider_takes_is_refused(
    chat: openai.OpenAI, messages: Any, reason: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=reason):
        chat.chat.completions.create(model="m", messages=messages)


def test_an_unexpected_request_is_refused_with_the_scripts_words(chat: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="no rule of the script applies to turn 1"):
        chat.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])


def post(url: str, data: bytes) -> tuple[int, bytes]:
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


HELLO = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}]}).encode()


def test_the_same_request_gets_the_same_bytes_from_any_server() -> None:
    answers = set()
    for _ in range(2):
        with server() as there:
            answers |= {post(f"{there.origin}/v1/chat/completions", HELLO) for _ in range(2)}
    assert len(answers) == 1


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"messages": 5}', b"\xff"])
@pytest.mark.parametrize(
    "path",
    ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1beta/models/m:generateContent"],
)
def test_a_body_that_makes_no_sense_is_a_bad_request(
    there: ModelServer, path: str, data: bytes
) -> None:
    status, body = post(there.origin + path, data)
    assert status == 400
    assert "error" in json.loads(body)


def test_an_unknown_path_is_not_found(there: ModelServer) -> None:
    assert post(f"{there.origin}/v1/embeddings", b"{}")[0] == 404


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    path = tmp_path / "replies.json"
    path.write_text(json.dumps(SCRIPT))
    command = [sys.executable, "-m", "tests.support.model_server", "--script", str(path)]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."}
    ) as process:
        assert process.stdout is not None
        origin = process.stdout.readline().strip()
        try:
            assert post(f"{origin}/v1/chat/completions", HELLO)[0] == 200
        finally:
            process.terminate()


def test_a_script_that_is_wrong_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "replies.yaml"
    path.write_text("format: agentci/script\nversion: 1\nrules: []\n")
    assert main(["--script", str(path)]) == 2
    assert f"{path}:3:" in capsys.readouterr().err
