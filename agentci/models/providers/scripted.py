"""The neutral conversation as a wire format: what the provider `scripted` records.

Nothing ever sends it anywhere; it exists so that scripted calls are keyed, recorded and replayed
exactly as the calls of a real provider are.
"""

from __future__ import annotations

import json
from typing import Any, Final, assert_never

from agentci.core.errors import ProviderError
from agentci.core.json_types import JsonObject
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
from agentci.models.dialect import BlobReader


class ScriptedDialect:
    """The neutral conversation as a wire format. Nothing ever sends it anywhere."""

    name: Final = "scripted"
    version: Final = 1
    seed_support: Final = True

    def encode(self, request: ModelRequest, blob: BlobReader) -> WireRequest:
        """Return the request as JSON; binary parts stand as their digests."""
        del blob
        return WireRequest("POST", "/reply", request_json(request))

    def decode(self, response: WireResponse) -> ModelResponse:
        """Return the response that `response_json` has written.

        Raises:
            ProviderError: when the recorded answer is not one of these.
        """
        try:
            body = json.loads(response.body)
            usage = body["usage"]
            return ModelResponse(
                message=Message(
                    body["message"]["role"],
                    tuple(_part(item) for item in body["message"]["parts"]),
                ),
                finish_reason=FinishReason(body["finish_reason"]),
                usage=Usage(
                    usage["input_tokens"], usage["output_tokens"], usage["cached_tokens"], 1
                ),
                model=body["model"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ProviderError(
                f"a recorded answer of the provider `scripted` is damaged: {error}",
                code="ACI-E138",
                hint="record it again with `agentci run --mode record`",
            ) from error

    def auth_headers(self, key: str) -> dict[str, str]:
        """Return nothing: there is no endpoint."""
        del key
        return {}

    def error_text(self, response: WireResponse) -> str:
        """Return the body as text."""
        return response.body.decode("utf-8", "replace")


DIALECT: Final = ScriptedDialect()


def request_json(request: ModelRequest) -> JsonObject:
    """Return the neutral request as JSON, without `stream`, which does not change the answer."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [_message_json(message) for message in request.messages],
    }
    if request.system:
        body["system"] = request.system
    if request.tools:
        body["tools"] = [
            {"name": t.name, "description": t.description, "parameters": t.parameters}
            for t in request.tools
        ]
    if request.parameters:
        body["parameters"] = dict(request.parameters)
    if request.seed is not None:
        body["seed"] = request.seed
    if request.output_schema is not None:
        body["output_schema"] = request.output_schema
    return body


def response_json(response: ModelResponse) -> JsonObject:
    """Return the neutral response as JSON."""
    usage = response.usage
    return {
        "model": response.model,
        "message": _message_json(response.message),
        "finish_reason": response.finish_reason.value,
        "usage": {
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens,
        },
    }


def _message_json(message: Message) -> dict[str, Any]:
    return {"role": message.role, "parts": [_part_json(part) for part in message.parts]}


def _part_json(part: Part) -> dict[str, Any]:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ThinkingPart():
            shown: dict[str, Any] = {"type": "thinking", "text": part.text}
            return shown if part.signature is None else {**shown, "signature": part.signature}
        case ToolCallPart():
            return {
                "type": "tool_call",
                "id": part.id,
                "name": part.name,
                "arguments": part.arguments,
            }
        case ToolResultPart():
            return {
                "type": "tool_result",
                "id": part.id,
                "name": part.name,
                "content": part.content,
                "is_error": part.is_error,
            }
        case BlobPart():
            blob = {"type": part.kind, "media_type": part.media_type, "digest": part.digest}
            return blob if part.name is None else {**blob, "name": part.name}
        case _:
            assert_never(part)


def _part(item: dict[str, Any]) -> Part:
    """Read a part of an answer; answers hold no blobs and no tool results."""
    match item["type"]:
        case "text":
            return TextPart(item["text"])
        case "thinking":
            return ThinkingPart(item["text"], item.get("signature"))
        case "tool_call":
            return ToolCallPart(item["id"], item["name"], item["arguments"])
        case other:
            msg = f"unknown part `{other}`"
            raise ValueError(msg)
