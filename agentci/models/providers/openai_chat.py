"""OpenAI Chat Completions, and the many servers that speak it with small differences.

The differences are fields of `OpenAiChat`; a server that needs another combination is another
value at the end of this file, not another dialect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from agentci.core.canonical import canonical_bytes
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.messages import (
    BlobPart,
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)
from agentci.core.wire import WireRequest, WireResponse
from agentci.models import reading, writing
from agentci.models.dialect import BlobReader
from agentci.models.reading import Node

_NAME = "openai-chat"
_RESERVED = ("messages", "model", "n", "seed", "stream")
_AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}
_FINISH = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.REFUSED,
}
_REASONING_TEXTS = ("reasoning_content", "reasoning")
"""Where servers put reasoning as text. The signature of the part is the name of the field, so
that it goes back where it came from."""


@dataclass(frozen=True, slots=True)
class OpenAiChat:
    """The dialect, with what differs between servers."""

    max_tokens_field: str = "max_completion_tokens"
    seed_field: str | None = "seed"
    top_k: bool = False
    stream_usage: bool = True
    """Whether a stream has to be asked for its token counts."""
    native_schema: bool = True
    """Whether `response_format` takes a JSON Schema."""
    schema_with_tools: bool = True
    """Whether it may be given beside tools; grammar-based servers then never call one."""
    name: str = _NAME
    version: int = 1

    @property
    def seed_support(self) -> bool:
        """Whether the server has a field for a seed."""
        return self.seed_field is not None

    def encode(self, request: ModelRequest, blob: BlobReader) -> WireRequest:
        """Return the request on the wire, see `Dialect.encode`."""
        names = {
            "max_tokens": self.max_tokens_field,
            "temperature": "temperature",
            "top_p": "top_p",
            "stop": "stop",
            **({"top_k": "top_k"} if self.top_k else {}),
        }
        split = writing.split_parameters(
            request.parameters, names, dialect=_NAME, reserved=_RESERVED
        )
        body: dict[str, JsonValue] = {
            "model": request.model,
            "messages": list(_messages(request, blob)),
            **split.named,
        }
        if request.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": tool.parameters,
                    },
                }
                for tool in request.tools
            ]
        if request.seed is not None and self.seed_field is not None:
            body[self.seed_field] = request.seed
        if request.output_schema is not None and self._takes_schema(request, split.passed):
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {
                    "name": "output",
                    "schema": request.output_schema,
                    "strict": False,
                },
            }
        if request.stream:
            body["stream"] = True
            if self.stream_usage:
                body["stream_options"] = {"include_usage": True}
        return WireRequest(
            "POST",
            "/chat/completions",
            writing.merged(body, split.passed),
            headers={"content-type": "application/json"},
        )

    def decode(self, response: WireResponse) -> ModelResponse:
        """Return the answer, see `Dialect.decode`."""
        reading.require_success(response)
        if reading.is_stream(response):
            return _read(_assemble(reading.read_events(response)))
        return _read(Node(reading.read_body(response)))

    def auth_headers(self, key: str) -> Mapping[str, str]:
        """Return the header that carries `key`."""
        return {"authorization": f"Bearer {key}"}

    def error_text(self, response: WireResponse) -> str:
        """Return what the provider says went wrong."""
        return reading.error_text(response)

    def _takes_schema(self, request: ModelRequest, passed: Mapping[str, JsonValue]) -> bool:
        schema = request.output_schema or {}
        return (
            self.native_schema
            and schema.get("type") == "object"
            and "response_format" not in passed
            and (self.schema_with_tools or not request.tools)
        )


def _messages(request: ModelRequest, blob: BlobReader) -> Iterator[JsonObject]:
    if request.system:
        yield {"role": "system", "content": request.system}
    for message in request.messages:
        if message.role == "assistant":
            yield from _assistant(message)
        else:
            results = [part for part in message.parts if isinstance(part, ToolResultPart)]
            for result in results:
                yield {"role": "tool", "tool_call_id": result.id, "content": result.content}
            others = [part for part in message.parts if not isinstance(part, ToolResultPart)]
            if others or not results:
                yield {"role": "user", "content": _user_content(others, blob)}


def _user_content(parts: Iterable[Part], blob: BlobReader) -> JsonValue:
    content: list[JsonObject] = []
    for part in parts:
        match part:
            case TextPart():
                content.append({"type": "text", "text": part.text})
            case BlobPart():
                content.append(_blob(part, blob))
            case ToolCallPart() | ThinkingPart() | ToolResultPart():
                continue  # only ever the assistant's, or sent apart
            case _:
                assert_never(part)
    if all(item["type"] == "text" for item in content):
        return "".join(str(item["text"]) for item in content)
    return content


def _blob(part: BlobPart, blob: BlobReader) -> JsonObject:
    if part.kind == "image":
        return {"type": "image_url", "image_url": {"url": writing.data_url(part, blob)}}
    if part.kind == "audio" and part.media_type in _AUDIO_FORMATS:
        audio = {
            "data": writing.base64_text(part, blob),
            "format": _AUDIO_FORMATS[part.media_type],
        }
        return {"type": "input_audio", "input_audio": audio}
    if part.kind == "file" and part.media_type == "application/pdf":
        file = {
            "filename": part.name or "file.pdf",
            "file_data": writing.data_url(part, blob),
        }
        return {"type": "file", "file": file}
    if part.kind == "file" and writing.is_text(part.media_type):
        return {"type": "text", "text": writing.quoted_file(part, blob)}
    raise writing.cannot_carry(part, _NAME)


def _assistant(message: Message) -> Iterator[JsonObject]:
    result: dict[str, JsonValue] = {"role": "assistant"}
    calls: list[JsonObject] = []
    extras: dict[str, JsonObject] = {}
    for part in message.parts:
        match part:
            case TextPart():
                result["content"] = f"{result.get('content', '')}{part.text}"
            case ThinkingPart():
                _put_back(part, result, extras)
            case ToolCallPart():
                calls.append(
                    {
                        "id": part.id,
                        "type": "function",
                        "function": {
                            "name": part.name,
                            "arguments": writing.arguments_text(part.arguments),
                        },
                        **extras.get(part.id, {}),
                    }
                )
            case BlobPart():
                raise writing.cannot_carry(part, _NAME, role="assistant")
            case ToolResultPart():
                continue  # the toolbox's, never the assistant's
            case _:
                assert_never(part)
    if calls:
        result["tool_calls"] = calls
        result.setdefault("content", None)
    if len(result) > 1:
        yield result


def _put_back(
    part: ThinkingPart, message: dict[str, JsonValue], extras: dict[str, JsonObject]
) -> None:
    """Put reasoning back into the field from which `_thinking` and `_extras` took it."""
    if part.signature in _REASONING_TEXTS:
        message[part.signature] = f"{message.get(part.signature, '')}{part.text}"
    elif part.signature is not None and part.signature.startswith("["):
        message["reasoning_details"] = reading.read_json(part.signature.encode())
    elif part.signature is not None and part.signature.startswith("{"):
        for call_id, extra in Node(reading.read_json(part.signature.encode())).object().items():
            extras[call_id] = {"extra_content": extra}


def _read(answer: Node) -> ModelResponse:
    choices = answer.child("choices").items()
    if not choices:
        raise reading.malformed("`answer.choices` is empty")
    message = choices[0].child("message")
    if not message.present:
        raise reading.malformed(f"`{message.path}` is missing")
    calls = tuple(_calls(message, answer.child("id").text()))
    refusal = message.child("refusal").text()
    text = _content(message)
    parts: list[Part] = [*_thinking(message), *_extras(message, calls)]
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


def _thinking(message: Node) -> Iterator[ThinkingPart]:
    details = message.child("reasoning_details")
    for field in _REASONING_TEXTS:
        text = message.child(field)
        if isinstance(text.value, str) and text.value:
            signature = _opaque(details.value) if details.items() else field
            yield ThinkingPart(text.value, signature)
            return
    if details.items():
        yield ThinkingPart("", _opaque(details.value))
    if isinstance(message.child("content").value, list | tuple):
        chunks = [c.child("thinking") for c in message.child("content").items()]
        texts = [t.child("text").text() for chunk in chunks for t in chunk.items()]
        if texts:
            yield ThinkingPart("".join(texts))


def _extras(message: Node, calls: tuple[ToolCallPart, ...]) -> Iterator[ThinkingPart]:
    """Keep what a gateway attached to tool calls and wants back, such as thought signatures."""
    extras = {
        call.id: node.child("extra_content").value
        for call, node in zip(calls, message.child("tool_calls").items(), strict=False)
        if node.child("extra_content").present
    }
    if extras:
        yield ThinkingPart("", _opaque(extras))


def _opaque(value: JsonValue) -> str:
    return canonical_bytes(value).decode("utf-8")


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


def _assemble(events: Iterable[Node]) -> Node:
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
    for key in ("refusal", *_REASONING_TEXTS):
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


DIALECT = OpenAiChat()
"""OpenAI itself."""
COMPATIBLE = OpenAiChat(max_tokens_field="max_tokens", top_k=True, schema_with_tools=False)
"""Servers that follow OpenAI's format: Ollama, vLLM, llama.cpp, OpenRouter, Together."""
JSON_BY_PROMPT = OpenAiChat(max_tokens_field="max_tokens", native_schema=False)
"""Servers that refuse a schema in `response_format` for some or all models: DeepSeek, Groq."""
MISTRAL = OpenAiChat(
    max_tokens_field="max_tokens",
    seed_field="random_seed",
    stream_usage=False,
    schema_with_tools=False,
)
"""Mistral, which refuses fields that it does not know."""
