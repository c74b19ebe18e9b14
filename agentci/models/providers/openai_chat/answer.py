"""The JSON of an answer to a neutral one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agentci.core.messages import (
    FinishReason,
    Message,
    ModelResponse,
    Part,
    TextPart,
    ToolCallPart,
    Usage,
)
from agentci.models import reading
from agentci.models.providers.openai_chat.reasoning import extras, thinking
from agentci.models.reading import Node

_FINISH = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.REFUSED,
}


def to_response(answer: Node) -> ModelResponse:
    """Return the neutral form of a whole answer."""
    choices = answer.child("choices").items()
    if not choices:
        raise reading.malformed("`answer.choices` is empty")
    message = choices[0].child("message")
    if not message.present:
        raise reading.malformed(f"`{message.path}` is missing")
    calls = tuple(_calls(message, answer.child("id").text()))
    refusal = message.child("refusal").text()
    text = _content(message)
    parts: list[Part] = [*thinking(message), *extras(message, calls)]
    if not text and not refusal:
        text = message.child("audio").child("transcript").text()
    if text or refusal:
        parts.append(TextPart(text or refusal))
    parts.extend(calls)
    reason = choices[0].child("finish_reason").text()
    if reason == "error":
        raise reading.failed(choices[0].value)
    finish = _FINISH.get(reason, FinishReason.OTHER)
    if refusal:
        finish = FinishReason.REFUSED
    elif calls and finish in {FinishReason.STOP, FinishReason.OTHER}:
        finish = FinishReason.TOOL_CALLS  # some servers say `stop` beside tool calls
    return ModelResponse(
        Message("assistant", tuple(parts)), finish, _usage(answer), answer.child("model").text()
    )


def _content(message: Node) -> str:
    content = message.child("content")
    if isinstance(content.value, str) or not content.present:
        return content.text()
    return "".join(item.child("text").text() for item in content.items())


def _calls(message: Node, answer_id: str) -> Iterator[ToolCallPart]:
    for index, call in enumerate(message.child("tool_calls").items()):
        function = call.child("function")
        if not function.present:
            raise reading.malformed(f"`{call.path}` is not a function call")
        raw = function.child("arguments")
        arguments = (
            raw.object() if isinstance(raw.value, Mapping) else reading.read_arguments(raw.text())
        )
        name = function.child("name").text()
        call_id = call.child("id").text()
        yield ToolCallPart(
            call_id or reading.synthetic_call_id(answer_id, index, name, arguments),
            name,
            arguments,
        )


def _usage(answer: Node) -> Usage:
    usage = answer.child("usage")
    prompt = usage.child("prompt_tokens").count()
    details = usage.child("prompt_tokens_details")
    cached = details.child("cached_tokens").count()
    # Some servers count reasoning in the total only.
    total = usage.child("total_tokens").count()
    return Usage(
        input_tokens=prompt,
        output_tokens=max(usage.child("completion_tokens").count(), total - prompt),
        cached_tokens=cached or usage.child("prompt_cache_hit_tokens").count(),
        calls=1,
    )
