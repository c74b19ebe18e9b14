"""The server side of Gemini `generateContent` and `streamGenerateContent`."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
)
from tests.support.wire_common import BadRequest, Reply, blob_part, compact, need, pieces

_PATH = re.compile(r"/v1(?:beta)?/models/([^:/]+):(generateContent|streamGenerateContent)")
_FINISH = {
    FinishReason.STOP: "STOP",
    FinishReason.TOOL_CALLS: "STOP",
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.REFUSED: "SAFETY",
    FinishReason.OTHER: "OTHER",
}
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def is_gemini_path(path: str) -> bool:
    """Say whether a path without its query is one of this format."""
    return _PATH.fullmatch(path) is not None


class GeminiServer:
    """See `ServerSide`."""

    def read(self, path: str, body: Mapping[str, Any]) -> ModelRequest:
        found = _PATH.fullmatch(path.partition("?")[0])
        if found is None:
            raise BadRequest("unknown method")
        config = body.get("generationConfig") or {}
        calls = _Calls()
        return ModelRequest(
            model=unquote(found[1]),
            messages=tuple(_message(item, calls) for item in need(body, "contents", list)),
            system="".join(
                part["text"] for part in (body.get("systemInstruction") or {}).get("parts", ())
            ),
            tools=tuple(
                ToolDefinition(
                    tool["name"], tool.get("description", ""), tool.get("parametersJsonSchema", {})
                )
                for group in body.get("tools", ())
                for tool in group["functionDeclarations"]
            ),
            seed=config.get("seed"),
            output_schema=config.get("responseJsonSchema"),
            stream=found[2] == "streamGenerateContent",
        )

    def answer(self, reply: Reply) -> dict[str, Any]:
        parts = [wire for part in reply.response.message.parts for wire in _wire(part, reply)]
        return _chunk(reply, parts, finish=True)

    def events(self, reply: Reply) -> Iterator[str]:
        whole = self.answer(reply)["candidates"][0]["content"]["parts"]
        cut = [piece for part in whole for piece in _cut(part)] or [{"text": ""}]
        for index, part in enumerate(cut):
            chunk = _chunk(reply, [part], finish=index == len(cut) - 1)
            yield f"data: {compact(chunk)}\r\n\r\n"

    def error(self, status: int, message: str) -> dict[str, Any]:
        name = _STATUSES.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL")
        return {"error": {"code": status, "message": message, "status": name}}


class _Calls:
    """Gives ids to calls, which this format has none for: results come in the calls' order."""

    def __init__(self) -> None:
        self._made = 0
        self._open: list[tuple[str, str]] = []

    def made(self, name: str) -> str:
        self._made += 1
        identifier = f"call_{self._made}"
        self._open.append((identifier, name))
        return identifier

    def answered(self, name: str) -> str:
        for entry in self._open:
            if entry[1] == name:
                self._open.remove(entry)
                return entry[0]
        raise BadRequest(f"function response '{name}' answers no function call")


def _chunk(reply: Reply, parts: list[dict[str, Any]], *, finish: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = _FINISH[reply.response.finish_reason]
    return {
        "candidates": [candidate],
        "usageMetadata": _usage(reply.response),
        "modelVersion": reply.response.model,
        "responseId": reply.identity[:22],
    }


def _usage(response: ModelResponse) -> dict[str, Any]:
    usage = response.usage
    counts = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": usage.output_tokens,
        "totalTokenCount": usage.tokens,
    }
    if usage.cached_tokens:
        counts["cachedContentTokenCount"] = usage.cached_tokens
    return counts


def _wire(part: Part, reply: Reply) -> Iterator[dict[str, Any]]:
    if isinstance(part, ThinkingPart):
        yield {"text": part.text, "thought": True}
    elif isinstance(part, TextPart):
        yield {"text": part.text}
    elif isinstance(part, ToolCallPart):
        call: dict[str, Any] = {"functionCall": {"name": part.name, "args": dict(part.arguments)}}
        if any(isinstance(other, ThinkingPart) for other in reply.response.message.parts):
            call["thoughtSignature"] = base64.b64encode(reply.identity[:32].encode()).decode()
        yield call


def _cut(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "text" not in part:
        yield part
        return
    for piece in pieces(part["text"]):
        yield {**part, "text": piece}


def _message(item: Mapping[str, Any], calls: _Calls) -> Message:
    role = item.get("role", "user")
    if role not in {"user", "model"}:
        raise BadRequest("Please use a valid role: user, model.")
    parts = tuple(
        found for part in need(item, "parts", list) if (found := _part(part, calls)) is not None
    )
    if role == "model":
        return Message("assistant", parts)
    told = any(isinstance(part, ToolResultPart) for part in parts)
    return Message("tool" if told else "user", parts)


def _part(part: Mapping[str, Any], calls: _Calls) -> Part | None:
    if "functionCall" in part:
        call = part["functionCall"]
        return ToolCallPart(calls.made(call["name"]), call["name"], call.get("args") or {})
    if "functionResponse" in part:
        answer = part["functionResponse"]
        content = answer["response"]
        failed = "error" in content
        text = content.get("error" if failed else "output", "")
        name = answer["name"]
        return ToolResultPart(calls.answered(name), name, str(text), is_error=failed)
    if "inlineData" in part:
        data = part["inlineData"]
        kind = data["mimeType"].partition("/")[0]
        return blob_part(
            kind if kind in {"image", "audio"} else "file", data["mimeType"], data["data"]
        )
    if part.get("thought"):
        return ThinkingPart(part.get("text", ""), part.get("thoughtSignature"))
    return TextPart(part["text"]) if part.get("text") else None
