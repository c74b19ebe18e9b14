"""The deltas of a stream, joined to the JSON that an answer without streaming has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agentci.core.json_types import JsonValue
from agentci.models import reading, writing
from agentci.models.providers.openai_chat.reasoning import REASONING_TEXTS
from agentci.models.reading import Node


def assemble(events: Iterable[Node]) -> Node:
    """Build from the deltas the answer that the server would have sent without streaming."""
    answer: dict[str, JsonValue] = {}
    message: dict[str, JsonValue] = {}
    calls: dict[int, dict[str, str | JsonValue]] = {}
    finish: JsonValue = None
    for event in events:
        for key in ("id", "model", "usage"):
            if event.child(key).present:
                answer[key] = event.child(key).value
        for choice in event.child("choices").items()[:1]:
            finish = choice.child("finish_reason").value or finish
            _add_delta(choice.child("delta"), message, calls)
    if finish is None:
        raise reading.cut_short("no `finish_reason` came")
    if calls:
        message["tool_calls"] = [
            {
                "id": call["id"],
                "function": {"name": call["name"], "arguments": call["arguments"]},
                "extra_content": call.get("extra_content"),
            }
            for _, call in sorted(calls.items())
        ]
    return Node({**answer, "choices": [{"message": message, "finish_reason": finish}]})


def _add_delta(
    delta: Node, message: dict[str, JsonValue], calls: dict[int, dict[str, str | JsonValue]]
) -> None:
    for key in ("refusal", *REASONING_TEXTS):
        text = delta.child(key)
        if isinstance(text.value, str):
            message[key] = f"{message.get(key, '')}{text.value}"
    _add_content(delta.child("content"), message)
    details = delta.child("reasoning_details")
    if details.present:
        earlier = Node(message.get("reasoning_details")).items()
        message["reasoning_details"] = [d.value for d in (*earlier, *details.items())]
    for position, call in enumerate(delta.child("tool_calls").items()):
        index = call.child("index")
        number = index.count() if index.present else len(calls) + position
        state = calls.setdefault(number, {"id": "", "name": "", "arguments": ""})
        function = call.child("function")
        state["id"] = state["id"] or call.child("id").text()
        state["name"] = state["name"] or function.child("name").text()
        raw = function.child("arguments")
        more = (
            writing.arguments_text(raw.object()) if isinstance(raw.value, Mapping) else raw.text()
        )
        state["arguments"] = f"{state['arguments']}{more}"
        if call.child("extra_content").present:
            state["extra_content"] = call.child("extra_content").value


def _add_content(content: Node, message: dict[str, JsonValue]) -> None:
    if not content.present:
        return
    earlier = message.get("content")
    if isinstance(content.value, str) and (earlier is None or isinstance(earlier, str)):
        message["content"] = f"{earlier or ''}{content.value}"
        return
    joined: list[JsonValue] = []
    for value in (earlier, content.value):
        if isinstance(value, str):
            joined.append({"type": "text", "text": value})
        else:
            joined.extend(item.value for item in Node(value).items())
    message["content"] = joined
