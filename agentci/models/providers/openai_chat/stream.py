"""The deltas of a stream, joined to the JSON that an answer without streaming has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agentci.core.json_types import JsonObject, JsonValue
from agentci.models import reading, writing
from agentci.models.providers.openai_chat.reasoning import REASONING_TEXTS
from agentci.models.reading import Node

_DETAIL_TEXTS = ("text", "summary")


def assemble(events: Iterable[Node]) -> Node:
    """Build from the deltas the answer that the server would have sent without streaming."""
    answer: dict[str, JsonValue] = {}
    message = _Message()
    finish: JsonValue = None
    for event in events:
        for key in ("id", "model", "usage"):
            if event.child(key).present:
                answer[key] = event.child(key).value
        for choice in event.child("choices").items()[:1]:
            finish = choice.child("finish_reason").value or finish
            message.add(choice.child("delta"))
    if finish is None:
        raise reading.cut_short("no `finish_reason` came")
    return Node({**answer, "choices": [{"message": message.json(), "finish_reason": finish}]})


@dataclass(slots=True)
class _Call:
    """A tool call whose arguments are still coming."""

    id: str
    name: str = ""
    arguments: str = ""
    extra_content: JsonValue = None

    def json(self) -> JsonObject:
        return {
            "id": self.id,
            "function": {"name": self.name, "arguments": self.arguments},
            "extra_content": self.extra_content,
        }


@dataclass(slots=True)
class _Message:
    """A message whose parts are still coming."""

    texts: dict[str, str] = field(default_factory=dict)
    content: list[JsonValue] = field(default_factory=list)
    details: list[dict[str, JsonValue]] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    by_index: dict[int, _Call] = field(default_factory=dict)

    def json(self) -> JsonObject:
        message: dict[str, JsonValue] = dict(self.texts)
        if self.content:
            message["content"] = self.content
        if self.details:
            message["reasoning_details"] = self.details
        if self.calls:
            message["tool_calls"] = [call.json() for call in self.calls]
        return message

    def add(self, delta: Node) -> None:
        for key in ("refusal", *REASONING_TEXTS):
            text = delta.child(key)
            if isinstance(text.value, str):
                self.texts[key] = self.texts.get(key, "") + text.value
        self._add_content(delta.child("content"))
        for detail in delta.child("reasoning_details").items():
            self._add_detail(detail)
        for call in delta.child("tool_calls").items():
            self._add_call(call)

    def _add_content(self, content: Node) -> None:
        if isinstance(content.value, str):
            if content.value:
                self.content.append({"type": "text", "text": content.value})
        else:
            self.content.extend(item.value for item in content.items())

    def _add_detail(self, detail: Node) -> None:
        """Join the pieces of one detail; servers number them, and pieces come in a row."""
        piece: dict[str, JsonValue] = {
            key: value for key, value in detail.object().items() if value is not None
        }
        last = self.details[-1] if self.details else None
        same = last is not None and all(last.get(k) == piece.get(k) for k in ("type", "index"))
        if last is None or not same:
            self.details.append(piece)
            return
        for key, value in piece.items():
            joined = key in _DETAIL_TEXTS and key in last
            last[key] = Node(last[key]).text() + detail.child(key).text() if joined else value

    def _add_call(self, delta: Node) -> None:
        index, call_id = delta.child("index"), delta.child("id").text()
        call = self.by_index.get(index.count()) if index.present else None
        # Some servers give no index, or the same one to several calls.
        if call is None or (call_id and call.id and call_id != call.id):
            call = _Call(call_id)
            self.calls.append(call)
            self.by_index[index.count()] = call
        function = delta.child("function")
        call.id = call.id or call_id
        call.name = call.name or function.child("name").text()
        arguments = function.child("arguments")
        if isinstance(arguments.value, Mapping):
            call.arguments += writing.arguments_text(arguments.object())
        else:
            call.arguments += arguments.text()
        if delta.child("extra_content").present:
            call.extra_content = delta.child("extra_content").value
