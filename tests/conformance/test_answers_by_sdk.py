"""The providers' SDKs read the same answers as the dialects, from JSON and from streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agentci.core.messages import ModelResponse, ThinkingPart
from tests.support.answers import ANSWERS, AnswerCase
from tests.support.canned_endpoint import CannedEndpoint, canned_endpoint
from tests.support.conversations import DIALECTS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

_QUESTION: Any = [{"role": "user", "content": "Hello?"}]


@dataclass(frozen=True, slots=True)
class Seen:
    """What both sides have to agree on."""

    text: str
    thinking: str
    calls: tuple[tuple[str, str, Any], ...]
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    model: str


def _ours(answer: ModelResponse) -> Seen:
    thinking = [p.text for p in answer.message.parts if isinstance(p, ThinkingPart)]
    return Seen(
        text=answer.message.text,
        thinking="".join(thinking),
        calls=tuple((c.id, c.name, c.arguments) for c in answer.message.tool_calls),
        input_tokens=answer.usage.input_tokens,
        output_tokens=answer.usage.output_tokens,
        cached_tokens=answer.usage.cached_tokens,
        model=answer.model,
    )


@pytest.fixture(scope="module")
def endpoint() -> Iterator[CannedEndpoint]:
    with canned_endpoint() as running:
        yield running


def _openai_chat(url: str, *, stream: bool) -> Seen:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(api_key="key", base_url=f"{url}/v1", max_retries=0) as client:
        chat = client.chat.completions
        if stream:
            with chat.stream(model="m", messages=_QUESTION) as events:
                for _ in events:
                    pass
                answer = events.current_completion_snapshot
        else:
            answer = chat.create(model="m", messages=_QUESTION)
    message = answer.choices[0].message
    return Seen(
        text=message.content or message.refusal or "",
        thinking="",
        calls=tuple(
            (call.id, call.function.name, json.loads(call.function.arguments))
            for call in message.tool_calls or ()
        ),
        input_tokens=answer.usage.prompt_tokens,
        output_tokens=answer.usage.completion_tokens,
        cached_tokens=answer.usage.prompt_tokens_details.cached_tokens,
        model=answer.model,
    )


def _openai_responses(url: str, *, stream: bool) -> Seen:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(api_key="key", base_url=f"{url}/v1", max_retries=0) as client:
        if stream:
            finals = ("response.completed", "response.incomplete")
            events = list(client.responses.create(model="m", input="Hello?", stream=True))
            answer = next(event.response for event in events if event.type in finals)
        else:
            answer = client.responses.create(model="m", input="Hello?")
    refusals = [
        content.refusal
        for item in answer.output
        if item.type == "message"
        for content in item.content
        if content.type == "refusal"
    ]
    reasoning = [item for item in answer.output if item.type == "reasoning"]
    calls = [item for item in answer.output if item.type == "function_call"]
    return Seen(
        text=answer.output_text or "".join(refusals),
        thinking="".join(text.text for item in reasoning for text in item.summary),
        calls=tuple((call.call_id, call.name, json.loads(call.arguments)) for call in calls),
        input_tokens=answer.usage.input_tokens,
        output_tokens=answer.usage.output_tokens,
        cached_tokens=answer.usage.input_tokens_details.cached_tokens,
        model=answer.model,
    )


def _anthropic(url: str, *, stream: bool) -> Seen:
    anthropic = pytest.importorskip("anthropic")
    call = {"model": "m", "max_tokens": 9, "messages": _QUESTION}
    with anthropic.Anthropic(api_key="key", base_url=url, max_retries=0) as client:
        if stream:
            with client.messages.stream(**call) as events:
                answer = events.get_final_message()
        else:
            answer = client.messages.create(**call)
    usage = answer.usage
    return Seen(
        text="".join(block.text for block in answer.content if block.type == "text"),
        thinking="".join(block.thinking for block in answer.content if block.type == "thinking"),
        calls=tuple((b.id, b.name, b.input) for b in answer.content if b.type == "tool_use"),
        input_tokens=usage.input_tokens
        + usage.cache_creation_input_tokens
        + usage.cache_read_input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cache_read_input_tokens,
        model=answer.model,
    )


def _google(url: str, *, stream: bool) -> Seen:
    genai = pytest.importorskip("google.genai")
    client = genai.Client(api_key="key", http_options=genai.types.HttpOptions(base_url=url))
    call = {"model": "m", "contents": "Hello?"}
    if stream:
        chunks = list(client.models.generate_content_stream(**call))
    else:
        chunks = [client.models.generate_content(**call)]
    client.close()
    parts = [part for chunk in chunks for part in (chunk.candidates[0].content.parts or ())]
    usage = chunks[-1].usage_metadata
    calls = [part.function_call for part in parts if part.function_call]
    return Seen(
        text="".join(part.text for part in parts if part.text and not part.thought),
        thinking="".join(part.text for part in parts if part.text and part.thought),
        calls=tuple((call.id, call.name, call.args or {}) for call in calls),
        input_tokens=usage.prompt_token_count,
        output_tokens=usage.candidates_token_count + usage.thoughts_token_count,
        cached_tokens=usage.cached_content_token_count,
        model=chunks[-1].model_version,
    )


_READERS = {
    "openai-chat": _openai_chat,
    "openai-responses": _openai_responses,
    "anthropic-messages": _anthropic,
    "gemini": _google,
}


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
@pytest.mark.parametrize("case", ANSWERS, ids=str)
def test_the_sdk_reads_the_same(case: AnswerCase, stream: bool, endpoint: CannedEndpoint) -> None:
    endpoint.answer = case.stream if stream else case.json
    theirs = _READERS[case.dialect](endpoint.url, stream=stream)
    assert _ours(DIALECTS[case.dialect].decode(endpoint.answer)) == theirs
