"""Gemini `generateContent` and `streamGenerateContent`.

Gemini signs single parts, also text and tool calls. A neutral part has no signature, so the one of
a text or a call travels in an empty `ThinkingPart` before it, and goes back to where it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import quote

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

_NAME = "gemini"
_RESERVED = ("contents", "model", "seed", "stream", "systemInstruction")
_PARAMETERS = {
    "max_tokens": "maxOutputTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "stop": "stopSequences",
}
_ALONE = "alone:"
"""Marks the signature of an empty text, which belongs to no part after it."""
_FINISH = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "SAFETY": FinishReason.REFUSED,
    "RECITATION": FinishReason.REFUSED,
    "BLOCKLIST": FinishReason.REFUSED,
    "PROHIBITED_CONTENT": FinishReason.REFUSED,
    "SPII": FinishReason.REFUSED,
    "IMAGE_SAFETY": FinishReason.REFUSED,
    "MODEL_ARMOR": FinishReason.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Gemini:
    """The dialect."""

    name: str = _NAME
    version: int = 1
    seed_support: bool = True

    def encode(self, request: ModelRequest, blob: BlobReader) -> WireRequest:
        """Return the request on the wire, see `Dialect.encode`."""
        split = writing.split_parameters(
            request.parameters, _PARAMETERS, dialect=_NAME, reserved=_RESERVED
        )
        config: dict[str, JsonValue] = dict(split.named)
        if request.seed is not None:
            config["seed"] = request.seed
        if request.output_schema is not None and not request.tools:
            # Before Gemini 3 a JSON answer and tools exclude each other.
            config["responseMimeType"] = "application/json"
            config["responseJsonSchema"] = request.output_schema
        body: dict[str, JsonValue] = {"contents": list(_contents(request, blob))}
        if request.system:
            body["systemInstruction"] = {"role": "user", "parts": [{"text": request.system}]}
        if request.tools:
            declarations: list[JsonValue] = [
                {
                    "name": tool.name,
                    "description": tool.description,
                    "parametersJsonSchema": tool.parameters,
                }
                for tool in request.tools
            ]
            body["tools"] = [{"functionDeclarations": declarations}]
        if config:
            body["generationConfig"] = config
        return WireRequest(
            "POST",
            _path(request),
            writing.merged(body, split.passed),
            headers={"content-type": "application/json"},
        )

    def decode(self, response: WireResponse) -> ModelResponse:
        """Return the answer, see `Dialect.decode`."""
        return _read(reading.read_answer(response, _assemble))

    def auth_headers(self, key: str) -> Mapping[str, str]:
        """Return the header that carries `key`."""
        return {"x-goog-api-key": key}

    def error_text(self, response: WireResponse) -> str:
        """Return what the provider says went wrong."""
        return reading.error_text(response)


def _path(request: ModelRequest) -> str:
    model = request.model if "/" in request.model else f"models/{request.model}"
    method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
    version = "v1beta" if model.endswith("-latest") else "v1"  # moving names are only there
    return f"/{version}/{quote(model, safe='/-._~@')}:{method}"


def _contents(request: ModelRequest, blob: BlobReader) -> Iterator[JsonObject]:
    for turn in writing.turns(request.messages):
        parts: list[JsonObject] = []
        signature: str | None = None
        for part in turn.parts:
            if isinstance(part, ThinkingPart):
                if signature is not None:
                    parts.append({"text": "", "thoughtSignature": signature})
                    signature = None
                if not part.text and part.signature and not part.signature.startswith(_ALONE):
                    signature = part.signature
                else:
                    parts.append(_thought(part))
                continue
            wire = _part(part, blob)
            parts.append(wire if signature is None else {**wire, "thoughtSignature": signature})
            signature = None
        if signature is not None:
            parts.append({"text": "", "thoughtSignature": signature})
        if parts:
            yield {"role": "model" if turn.assistant else "user", "parts": parts}


def _thought(part: ThinkingPart) -> JsonObject:
    if part.signature is None:
        return {"text": part.text, "thought": True}
    if part.signature.startswith(_ALONE):
        return {"text": "", "thoughtSignature": part.signature.removeprefix(_ALONE)}
    return {"text": part.text, "thought": True, "thoughtSignature": part.signature}


def _part(part: Part, blob: BlobReader) -> JsonObject:
    match part:
        case TextPart():
            return {"text": part.text}
        case BlobPart():
            data = writing.base64_text(part, blob)
            return {"inlineData": {"mimeType": part.media_type, "data": data}}
        case ToolCallPart():
            return {
                "functionCall": {**_call_id(part.id), "name": part.name, "args": part.arguments}
            }
        case ToolResultPart():
            answer = {"error" if part.is_error else "output": part.content}
            return {
                "functionResponse": {**_call_id(part.id), "name": part.name, "response": answer}
            }
        case ThinkingPart():
            return _thought(part)
        case _:
            assert_never(part)


def _call_id(call_id: str) -> JsonObject:
    return {} if reading.is_synthetic(call_id) else {"id": call_id}


def _read(answer: Node) -> ModelResponse:
    candidates = answer.child("candidates").items()
    model = answer.child("modelVersion").text()
    usage = _usage(answer.child("usageMetadata"))
    if not candidates:
        feedback = answer.child("promptFeedback")
        if not feedback.child("blockReason").present:
            raise reading.malformed("`answer.candidates` is empty")
        why = feedback.child("blockReasonMessage").text() or feedback.child("blockReason").text()
        return ModelResponse(
            Message("assistant", (TextPart(why),)), FinishReason.REFUSED, usage, model
        )
    joined: list[JsonObject] = []
    for part in candidates[0].child("content").child("parts").items():
        _join(part, joined)
    parts = [
        part
        for index, item in enumerate(Node(joined, "answer.candidates[0].content.parts").items())
        for part in _parts(item, index, answer.child("responseId").text())
    ]
    finish = _FINISH.get(candidates[0].child("finishReason").text(), FinishReason.OTHER)
    if finish is FinishReason.STOP and any(isinstance(part, ToolCallPart) for part in parts):
        finish = FinishReason.TOOL_CALLS
    return ModelResponse(Message("assistant", tuple(parts)), finish, usage, model)


def _parts(part: Node, index: int, answer_id: str) -> Iterator[Part]:
    signature = part.child("thoughtSignature").text() or None
    text = part.child("text").text()
    if part.child("thought").value is True:
        if text or signature:
            yield ThinkingPart(text, signature)
        return
    if part.child("inlineData").present:
        raise reading.unreadable(f"`{part.child('inlineData').child('mimeType').text()}` data")
    call = part.child("functionCall")
    if call.present:
        name, arguments = call.child("name").text(), call.child("args").object()
        if signature:
            yield ThinkingPart("", signature)
        call_id = call.child("id").text()
        yield ToolCallPart(
            call_id or reading.synthetic_call_id(answer_id, index, name, arguments),
            name,
            arguments,
        )
    elif text:
        if signature:
            yield ThinkingPart("", signature)
        yield TextPart(text)
    elif signature:
        yield ThinkingPart("", _ALONE + signature)


def _usage(usage: Node) -> Usage:
    prompt = usage.child("promptTokenCount").count()
    used_by_tools = usage.child("toolUsePromptTokenCount").count()
    answered = usage.child("candidatesTokenCount").count()
    return Usage(
        input_tokens=prompt + used_by_tools,
        output_tokens=answered + usage.child("thoughtsTokenCount").count(),
        cached_tokens=usage.child("cachedContentTokenCount").count(),
        calls=1,
    )


def _assemble(chunks: Iterable[Node]) -> Node:
    """Build the answer that the server would have sent without streaming."""
    answer: dict[str, JsonValue] = {}
    parts: list[JsonValue] = []
    finish: JsonValue = None
    for chunk in chunks:
        for key in ("modelVersion", "responseId", "promptFeedback"):
            if chunk.child(key).present:
                answer[key] = chunk.child(key).value
        counts = {k: v for k, v in chunk.child("usageMetadata").object().items() if v is not None}
        answer["usageMetadata"] = {**Node(answer.get("usageMetadata")).object(), **counts}
        for candidate in chunk.child("candidates").items()[:1]:
            finish = candidate.child("finishReason").value or finish
            parts.extend(part.value for part in candidate.child("content").child("parts").items())
    if finish is None:
        if Node(answer.get("promptFeedback")).object():
            return Node(answer)
        raise reading.cut_short("no `finishReason` came")
    return Node({**answer, "candidates": [{"content": {"parts": parts}, "finishReason": finish}]})


def _join(part: Node, parts: list[JsonObject]) -> None:
    """Add a part, to the one before where both are unsigned text of one kind.

    A stream cuts one text into many parts, and the cuts mean nothing.
    """
    value = part.object()
    last = parts[-1] if parts else {}
    mergeable = {"text", "thought"}
    if (
        parts
        and "text" in value
        and "text" in last
        and mergeable.issuperset(value)
        and mergeable.issuperset(last)
        and bool(value.get("thought")) == bool(last.get("thought"))
    ):
        parts[-1] = {**last, "text": Node(last["text"]).text() + part.child("text").text()}
    else:
        parts.append(value)


DIALECT = Gemini()
