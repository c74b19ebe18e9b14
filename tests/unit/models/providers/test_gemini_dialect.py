from __future__ import annotations

import json
from typing import Any

import pytest

from agentci.core.errors import ProviderError
from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
)
from agentci.core.wire import WireResponse
from agentci.models.providers.gemini import DIALECT
from agentci.models.reading import is_synthetic
from tests.support.answers import json_answer, stream_answer
from tests.support.conversations import BLOBS, CLOCK, QUESTION, VERDICT


def _wire(*messages: Message, model: str = "gemini-x", **options: Any) -> Any:
    request = ModelRequest(model, messages or (QUESTION,), **options)
    return DIALECT.encode(request, BLOBS.__getitem__)


def _answer(*parts: Any, finish: str | None = "STOP") -> Any:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    return {"candidates": [{**candidate, "finishReason": finish}], "responseId": "r1"}


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-x", False, "/v1/models/gemini-x:generateContent"),
        ("gemini-x", True, "/v1/models/gemini-x:streamGenerateContent?alt=sse"),
        ("tunedModels/mine", False, "/v1/tunedModels/mine:generateContent"),
        ("gemini-x-latest", False, "/v1beta/models/gemini-x-latest:generateContent"),
        ("a b?c#d", False, "/v1/models/a%20b%3Fc%23d:generateContent"),
    ],
)
def test_the_path_names_the_model(model: str, stream: bool, path: str) -> None:
    assert _wire(model=model, stream=stream).path == path


def test_a_schema_is_sent_only_without_tools() -> None:
    config = _wire(output_schema=VERDICT).body["generationConfig"]
    assert config == {"responseMimeType": "application/json", "responseJsonSchema": VERDICT}
    assert "generationConfig" not in _wire(output_schema=VERDICT, tools=(CLOCK,)).body


def test_a_users_generation_config_joins_ours() -> None:
    parameters = {"temperature": 1, "generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}
    assert _wire(parameters=parameters, seed=7).body["generationConfig"] == {
        "seed": 7,
        "temperature": 1,
        "thinkingConfig": {"thinkingBudget": 0},
    }


_SIGNED = [
    [{"text": "x", "thoughtSignature": "c2ln"}],
    [{"text": "hm", "thought": True}, {"text": "x"}, {"text": "", "thoughtSignature": "c2ln"}],
    [{"text": "", "thoughtSignature": "c2ln"}, {"text": "x"}],
    [{"text": "hm", "thought": True, "thoughtSignature": "c2ln"}, {"text": "x"}],
    [
        {"text": "x", "thoughtSignature": "YQ=="},
        {"functionCall": {"id": "1", "name": "clock", "args": {}}, "thoughtSignature": "Yg=="},
        {"functionCall": {"id": "2", "name": "clock", "args": {}}},
        {"text": "", "thoughtSignature": "Yw=="},
    ],
]


@pytest.mark.parametrize("parts", _SIGNED)
def test_signatures_go_back_to_the_parts_that_they_sign(parts: list[Any]) -> None:
    json_form = DIALECT.decode(json_answer(_answer(*parts)))
    streamed = [_answer(part, finish=None) for part in parts]
    stream = DIALECT.decode(stream_answer((*streamed, _answer())))
    for answer in (json_form, stream):
        assert _wire(answer.message).body["contents"] == [{"role": "model", "parts": parts}]


def test_signed_texts_are_not_joined_with_others() -> None:
    parts = ({"text": "a"}, {"text": "b", "thoughtSignature": "c2ln"}, {"text": "c"})
    message = DIALECT.decode(json_answer(_answer(*parts))).message
    assert message.parts == (
        TextPart("a"),
        ThinkingPart("", "c2ln"),
        TextPart("b"),
        TextPart("c"),
    )


def test_a_call_without_an_id_is_sent_back_without_one() -> None:
    call = {"functionCall": {"name": "clock", "args": {}}}
    message = DIALECT.decode(json_answer(_answer(call, call))).message
    first, second = message.tool_calls
    assert is_synthetic(first.id)
    assert first.id != second.id
    results = Message("tool", tuple(ToolResultPart(c.id, c.name, "x") for c in (first, second)))
    contents = _wire(message, results).body["contents"]
    assert contents[0]["parts"] == [call, call]
    result = {"functionResponse": {"name": "clock", "response": {"output": "x"}}}
    assert contents[1]["parts"] == [result, result]


def test_a_stream_that_came_as_a_list_is_read() -> None:
    chunks = [_answer({"text": "a"}, finish=None), _answer({"text": "b"})]
    assert DIALECT.decode(json_answer(chunks)).message.text == "ab"
    failing = json_answer([*chunks[:1], {"error": {"message": "too much"}}])
    with pytest.raises(ProviderError, match="too much"):
        DIALECT.decode(failing)


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        ("STOP", FinishReason.STOP),
        ("MAX_TOKENS", FinishReason.LENGTH),
        ("SAFETY", FinishReason.REFUSED),
        ("RECITATION", FinishReason.REFUSED),
        ("MALFORMED_FUNCTION_CALL", FinishReason.OTHER),
        ("SOMETHING_NEW", FinishReason.OTHER),
    ],
)
def test_finish_reasons(finish: str, expected: FinishReason) -> None:
    answer = DIALECT.decode(json_answer(_answer({"text": "x"}, finish=finish)))
    assert answer.finish_reason is expected


def test_a_refused_prompt_is_a_refusal() -> None:
    body = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}
    for response in (json_answer(body), stream_answer((body,))):
        answer = DIALECT.decode(response)
        assert answer.finish_reason is FinishReason.REFUSED
        assert answer.message.text == "SAFETY"
        assert answer.usage.input_tokens == 4


def test_an_image_is_not_dropped_in_silence() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "eA=="}}
    with pytest.raises(ProviderError, match="`image/png` data") as caught:
        DIALECT.decode(json_answer(_answer(image)))
    assert caught.value.code == "ACI-E114"


def test_parts_that_later_versions_add_are_passed_over() -> None:
    parts = ({"executableCode": {"code": "1"}}, {"text": "x"})
    assert DIALECT.decode(json_answer(_answer(*parts))).message.parts == (TextPart("x"),)


def test_numbers_keep_their_kind() -> None:
    call = {"functionCall": {"id": "a", "name": "clock", "args": {"n": 1, "x": 1.5}}}
    message = DIALECT.decode(json_answer(_answer(call))).message
    assert message.parts == (ToolCallPart("a", "clock", {"n": 1, "x": 1.5}),)


def test_an_answer_without_candidates_is_malformed() -> None:
    empty = WireResponse(200, {}, (json.dumps({"usageMetadata": {}}).encode(),))
    with pytest.raises(ProviderError, match="malformed"):
        DIALECT.decode(empty)


def test_the_key_is_in_one_header() -> None:
    assert DIALECT.auth_headers("k") == {"x-goog-api-key": "k"}
