from __future__ import annotations

from typing import Any

import pytest

from agentci.core.errors import ProviderError, UsageError
from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    TextPart,
    ThinkingPart,
    ToolCallPart,
)
from agentci.models.providers.openai_responses import DIALECT
from tests.support.answers import REASONING, json_answer, stream_answer
from tests.support.conversations import BLOBS, QUESTION, VERDICT


def _body(*messages: Message, **options: Any) -> Any:
    request = ModelRequest("m", messages or (QUESTION,), **options)
    return DIALECT.encode(request, BLOBS.__getitem__).body


def _answer(*output: Any, **fields: Any) -> Any:
    return {"id": "r1", "model": "m", "status": "completed", "output": list(output), **fields}


def _message(text: str, **fields: Any) -> Any:
    return {"type": "message", "content": [{"type": "output_text", "text": text}], **fields}


def test_nothing_is_left_to_the_servers_memory() -> None:
    assert _body()["store"] is False
    with pytest.raises(UsageError, match="`previous_response_id` is filled by agentci"):
        _body(parameters={"previous_response_id": "r1"})


def test_reasoning_is_asked_for_in_the_form_that_can_be_sent_back() -> None:
    assert "include" not in _body()
    asked = _body(parameters={"reasoning": {"effort": "low"}})
    assert asked["include"] == ["reasoning.encrypted_content"]
    own = _body(parameters={"reasoning": {"effort": "low"}, "include": ["x"]})
    assert own["include"] == ["x"]
    stored = _body(parameters={"reasoning": {"effort": "low"}, "store": True})
    assert "include" not in stored


def test_reasoning_goes_back_whole_unless_only_a_server_that_stored_it_knows_it() -> None:
    plain = {key: value for key, value in REASONING.items() if key != "encrypted_content"}
    for item, stored, goes in (
        (REASONING, False, True),
        (plain, False, False),
        (plain, True, True),
    ):
        message = DIALECT.decode(json_answer(_answer(item))).message
        assert [part.text for part in message.parts if isinstance(part, ThinkingPart)] == [
            "I think."
        ]
        sent = _body(message, parameters={"store": stored})["input"]
        assert sent == ([item] if goes else [])


def test_the_phase_of_a_message_goes_back_with_it() -> None:
    answer = _answer(_message("Looking.", phase="commentary"), _message("Done."))
    message = DIALECT.decode(json_answer(answer)).message
    assert message.text == "Looking.Done."
    assert _body(message)["input"] == [
        {"role": "assistant", "content": "Looking.", "phase": "commentary"},
        {"role": "assistant", "content": "Done."},
    ]


def test_a_verbosity_beside_a_schema_is_kept() -> None:
    body = _body(output_schema=VERDICT, parameters={"text": {"verbosity": "low"}})
    assert body["text"]["verbosity"] == "low"
    assert body["text"]["format"]["schema"] == VERDICT
    assert "text" not in _body(output_schema={"type": "array"})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, FinishReason.STOP),
        ({"status": "incomplete", "incomplete_details": None}, FinishReason.OTHER),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            FinishReason.REFUSED,
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            FinishReason.LENGTH,
        ),
        ({"status": "cancelled"}, FinishReason.OTHER),
    ],
)
def test_finish_reasons(fields: Any, expected: FinishReason) -> None:
    answer = DIALECT.decode(json_answer(_answer(_message("x"), **fields)))
    assert answer.finish_reason is expected


def test_calls_of_tools_that_the_server_ran_are_passed_over() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    answer = DIALECT.decode(json_answer(_answer(search, _message("x"))))
    assert answer.message.parts == (TextPart("x"),)
    assert answer.finish_reason is FinishReason.STOP


def test_an_image_is_not_dropped_in_silence() -> None:
    image = {"type": "image_generation_call", "result": "eA=="}
    with pytest.raises(ProviderError, match="an image") as caught:
        DIALECT.decode(json_answer(_answer(image)))
    assert caught.value.code == "ACI-E114"


def test_output_that_only_the_events_before_the_last_carry_is_read() -> None:
    call = {"type": "function_call", "call_id": "a", "name": "clock", "arguments": "{}"}
    events = (
        {"type": "response.output_item.done", "item": call},
        {"type": "response.completed", "response": _answer()},
    )
    answer = DIALECT.decode(stream_answer(events, named=True))
    assert answer.message.parts == (ToolCallPart("a", "clock", {}),)


@pytest.mark.parametrize(
    "events",
    [
        (
            {
                "type": "response.failed",
                "response": {"status": "failed", "error": {"code": "x", "message": "went wrong"}},
            },
        ),
        ({"type": "error", "code": "x", "message": "went wrong"},),
    ],
)
def test_a_failed_stream_is_told_with_its_reason(events: tuple[Any, ...]) -> None:
    with pytest.raises(ProviderError, match=r"went wrong") as caught:
        DIALECT.decode(stream_answer(events, named=True))
    assert caught.value.code == "ACI-E112"


def test_thinking_of_another_dialect_is_not_sent() -> None:
    strange = Message("assistant", (ThinkingPart("hm", "EqQ="), ThinkingPart("hm"), TextPart("x")))
    assert _body(strange)["input"] == [{"role": "assistant", "content": "x"}]
