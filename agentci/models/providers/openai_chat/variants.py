"""The dialect, with what differs between servers as fields.

A server that needs another combination is another value at the end of this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agentci.core.json_types import JsonValue
from agentci.core.messages import ModelRequest, ModelResponse
from agentci.core.wire import WireRequest, WireResponse
from agentci.models import reading, writing
from agentci.models.dialect import BlobReader
from agentci.models.providers.openai_chat.answer import to_response
from agentci.models.providers.openai_chat.request import NAME, write_messages
from agentci.models.providers.openai_chat.stream import assemble

_RESERVED = ("messages", "model", "n", "seed", "stream")


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
    name: str = NAME
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
            request.parameters, names, dialect=NAME, reserved=_RESERVED
        )
        body: dict[str, JsonValue] = {
            "model": request.model,
            "messages": list(write_messages(request, blob)),
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
        return to_response(reading.read_answer(response, assemble))

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
