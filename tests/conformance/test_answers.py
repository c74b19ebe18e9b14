"""Every dialect reads the same answer from JSON, from a stream, and however a stream was cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import ProviderError
from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    Usage,
)
from agentci.core.wire import WireResponse
from tests.support.answers import ANSWERS, AnswerCase, json_answer, stream_answer
from tests.support.conversations import BLOBS, DIALECTS, QUESTION

_EXPECTED = {
    "text": (FinishReason.STOP, "Grüße, 世界"),
    "calls": (FinishReason.TOOL_CALLS, None),
    "thinking and calls": (FinishReason.TOOL_CALLS, None),
    "refusal": (FinishReason.REFUSED, None),
    "cut": (FinishReason.LENGTH, "Once"),
}
_SIGNED = [case for case in ANSWERS if case.name == "thinking and calls"]


def _decode(case: AnswerCase, response: WireResponse) -> ModelResponse:
    return DIALECTS[case.dialect].decode(response)


@pytest.mark.parametrize("case", ANSWERS, ids=str)
def test_an_answer_is_read_for_what_it_says(case: AnswerCase) -> None:
    answer = _decode(case, case.json)
    finish, text = _EXPECTED[case.name]
    assert answer.finish_reason is finish
    assert text is None or answer.message.text == text
    assert answer.usage == Usage(input_tokens=20, output_tokens=12, cached_tokens=5, calls=1)
    assert answer.model.endswith("-x-2026")
    if finish is FinishReason.TOOL_CALLS:
        calls = answer.message.tool_calls
        assert [(c.name, c.arguments) for c in calls] == [
            ("weather", {"place": "Rom"}),
            ("clock", {}),
        ]
        assert len({c.id for c in calls}) == 2


@pytest.mark.parametrize("case", ANSWERS, ids=str)
def test_a_stream_says_the_same_as_the_json_form(case: AnswerCase) -> None:
    assert _decode(case, case.stream) == _decode(case, case.json)


@given(case=st.sampled_from(ANSWERS), data=st.data())
def test_cutting_a_stream_into_other_chunks_changes_nothing(
    case: AnswerCase, data: st.DataObject
) -> None:
    body = case.stream.body
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)), max_size=30)))
    chunks = tuple(body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True))
    recut = WireResponse(200, case.stream.headers, chunks)
    assert _decode(case, recut) == _decode(case, case.stream)


@pytest.mark.parametrize("case", ANSWERS, ids=str)
def test_line_ends_and_comments_of_a_stream_do_not_matter(case: AnswerCase) -> None:
    body = b": hello\r\n\r\n" + case.stream.body.replace(b"\n", b"\r\n")
    again = WireResponse(200, case.stream.headers, (body,))
    assert _decode(case, again) == _decode(case, case.stream)


@pytest.mark.parametrize("case", ANSWERS, ids=str)
def test_a_stream_is_recognised_without_its_content_type(case: AnswerCase) -> None:
    assert _decode(case, WireResponse(200, {}, case.stream.chunks)) == _decode(case, case.json)


@pytest.mark.parametrize("case", ANSWERS, ids=str)
def test_a_stream_that_ends_early_is_an_error_wherever_it_ends(case: AnswerCase) -> None:
    chunks = case.stream.chunks
    # Chat says `finish_reason` before the token counts: what follows it may be missing.
    ends = {"openai-chat": 3}.get(case.dialect, 1)
    for length in range(len(chunks) - ends + 1):
        cut = WireResponse(200, case.stream.headers, chunks[:length])
        with pytest.raises(ProviderError) as caught:
            _decode(case, cut)
        assert caught.value.code == "ACI-E113"


@pytest.mark.parametrize("case", ANSWERS, ids=str)
def test_an_error_inside_a_stream_is_an_error(case: AnswerCase) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    chunks = (*case.stream.chunks[:1], *stream_answer((error,), named=True).chunks)
    with pytest.raises(ProviderError, match="Overloaded") as caught:
        _decode(case, WireResponse(200, case.stream.headers, chunks))
    assert caught.value.code == "ACI-E112"


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_status_that_is_an_error_is_told_with_the_reason(name: str, status: int) -> None:
    body = {"error": {"message": "the reason", "type": "some_error", "code": status}}
    with pytest.raises(ProviderError, match=rf"status {status}: the reason"):
        DIALECTS[name].decode(json_answer(body, status))


@pytest.mark.parametrize("name", DIALECTS)
def test_an_error_with_status_200_is_an_error(name: str) -> None:
    with pytest.raises(ProviderError, match="out of credit"):
        DIALECTS[name].decode(json_answer({"error": {"message": "out of credit"}}))


@pytest.mark.parametrize("case", _SIGNED, ids=str)
def test_thinking_goes_back_as_it_came(case: AnswerCase) -> None:
    answer = _decode(case, case.json)
    request = ModelRequest("the-model", (QUESTION, answer.message))
    body = DIALECTS[case.dialect].encode(request, BLOBS.__getitem__).body
    sent: Any = json.loads(json.dumps(body))
    match case.dialect:
        case "anthropic-messages":
            text = {"type": "text", "text": "Let me look."}
            original = [text if b["type"] == "text" else b for b in case.body["content"]]
            assert sent["messages"][-1]["content"] == original
        case "openai-responses":
            assert sent["input"][1] == case.body["output"][0]
        case "gemini":
            original = case.body["candidates"][0]["content"]
            assert sent["contents"][-1] == original
        case other:
            pytest.fail(f"no expectation for {other}")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def _replaced(value: Any, data: st.DataObject) -> Any:
    """Walk down to some place and put something else there."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 5)):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: _replaced(value[key], data)}
    if isinstance(value, list | tuple) and value and data.draw(st.integers(0, 5)):
        index = data.draw(st.integers(0, len(value) - 1))
        return [*value[:index], _replaced(value[index], data), *value[index + 1 :]]
    return data.draw(_json)


def _decodes_or_explains(name: str, response: WireResponse) -> None:
    try:
        answer = DIALECTS[name].decode(response)
    except ProviderError as error:
        assert error.code in {"ACI-E111", "ACI-E112", "ACI-E113", "ACI-E114"}  # noqa: PT017
        assert "\n" not in error.message  # noqa: PT017
    else:
        assert isinstance(answer.message, Message)
        request = ModelRequest("the-model", (QUESTION, answer.message))
        DIALECTS[name].encode(request, BLOBS.__getitem__)


@given(case=st.sampled_from(ANSWERS), data=st.data())
def test_a_damaged_answer_is_read_or_explained(case: AnswerCase, data: st.DataObject) -> None:
    _decodes_or_explains(case.dialect, json_answer(_replaced(case.body, data)))


@given(case=st.sampled_from(ANSWERS), data=st.data())
def test_a_damaged_stream_is_read_or_explained(case: AnswerCase, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(case.events) - 1))
    events = [_replaced(e, data) if i == index else e for i, e in enumerate(case.events)]
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
    _decodes_or_explains(case.dialect, stream_answer(tuple(texts)))


@given(name=st.sampled_from(sorted(DIALECTS)), body=st.binary(max_size=60))
def test_any_bytes_are_read_or_explained(name: str, body: bytes) -> None:
    for kind in ("application/json", "text/event-stream", "text/html"):
        _decodes_or_explains(name, WireResponse(200, {"content-type": kind}, (body,)))


@pytest.mark.parametrize("name", DIALECTS)
def test_deep_nesting_is_explained(name: str) -> None:
    with pytest.raises(ProviderError, match="malformed"):
        DIALECTS[name].decode(WireResponse(200, {}, (b"[" * 200_000,)))
