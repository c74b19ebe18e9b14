"""One table of requests that every dialect has to write, and that a provider's SDK can write too.

Each case shows one thing. `carried_by` names the dialects that can say it; the others have to
refuse it with a usage error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agentci.core.digest import Digest, digest_bytes
from agentci.core.json_types import JsonObject
from agentci.core.messages import (
    BlobPart,
    Message,
    ModelRequest,
    TextPart,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
)
from agentci.models.dialect import Dialect
from agentci.models.providers import anthropic_messages, gemini, openai_chat, openai_responses

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        openai_chat.DIALECT,
        openai_responses.DIALECT,
        anthropic_messages.DIALECT,
        gemini.DIALECT,
    )
}
ALL = frozenset(DIALECTS)

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000154a24f5d0000000049454e44ae426082"
)
SOUND = b"RIFF\x24\x00\x00\x00WAVEfmt "
PAPER = b"%PDF-1.4\n%%EOF\n"
NOTES = "naïve notes\n".encode()
BLOBS: dict[Digest, bytes] = {digest_bytes(d): d for d in (PIXEL, SOUND, PAPER, NOTES)}

WEATHER = ToolDefinition(
    "weather",
    "Tells the weather of a place.",
    {
        "type": "object",
        "properties": {"place": {"type": "string", "minLength": 1}, "days": {"type": "integer"}},
        "required": ["place"],
    },
)
CLOCK = ToolDefinition("clock", "Tells the time.", {"type": "object", "properties": {}})
VERDICT: JsonObject = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}},
    "required": ["approved"],
}


def user(*parts: Any) -> Message:
    """Return a message of the user; a text may stand for its part."""
    return Message("user", tuple(TextPart(p) if isinstance(p, str) else p for p in parts))


def blob_part(kind: Any, media_type: str, data: bytes, name: str | None = None) -> BlobPart:
    """Return a part whose bytes are in `BLOBS`."""
    return BlobPart(kind, media_type, digest_bytes(data), name)


CALLS = (
    ToolCallPart("call_a", "weather", {"place": "Florence", "days": 2}),
    ToolCallPart("call_b", "clock", {}),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A neutral request that shows one thing."""

    name: str
    messages: tuple[Message, ...]
    carried_by: frozenset[str] = ALL
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def request(self) -> ModelRequest:
        """The request."""
        return ModelRequest("the-model", self.messages, **self.options)


QUESTION = user("What is the weather?")
ROUND = (
    QUESTION,
    Message("assistant", (TextPart("Let me look."), *CALLS)),
    Message(
        "tool",
        (
            ToolResultPart("call_a", "weather", "sunny"),
            ToolResultPart("call_b", "clock", "no such clock", is_error=True),
        ),
    ),
)

CASES = (
    Case("one question", (QUESTION,)),
    Case("instructions", (QUESTION,), options={"system": "Be brief.\nBe kind."}),
    Case(
        "several turns",
        (QUESTION, Message("assistant", (TextPart("Sunny, 40 °C."),)), user("And tomorrow?")),
    ),
    Case("tools", (QUESTION,), options={"tools": (WEATHER, CLOCK)}),
    Case("parallel calls and their results", ROUND, options={"tools": (WEATHER, CLOCK)}),
    Case("a word after results", (*ROUND, user("Go on."))),
    Case(
        "results in messages of their own",
        (*ROUND[:2], *(Message("tool", (part,)) for part in ROUND[2].parts)),
    ),
    Case("an image", (user("What is this?", blob_part("image", "image/png", PIXEL)),)),
    Case(
        "a sound",
        (user("What is this?", blob_part("audio", "audio/wav", SOUND)),),
        carried_by=frozenset({"openai-chat", "gemini"}),
    ),
    Case(
        "a PDF",
        (user(blob_part("file", "application/pdf", PAPER, "paper.pdf"), "Sum it up."),),
    ),
    Case("a text file", (user("Read:", blob_part("file", "text/plain", NOTES, "notes.txt")),)),
    Case(
        "an archive",
        (user(blob_part("file", "application/zip", PAPER, "a.zip")),),
        carried_by=frozenset({"gemini"}),
    ),
    Case(
        "sampling",
        (QUESTION,),
        options={"parameters": {"temperature": 0.5, "top_p": 1, "max_tokens": 300}},
    ),
    Case(
        "stop texts",
        (QUESTION,),
        carried_by=ALL - {"openai-responses"},
        options={"parameters": {"stop": "END"}},
    ),
    Case(
        "top_k",
        (QUESTION,),
        carried_by=frozenset({"anthropic-messages", "gemini"}),
        options={"parameters": {"top_k": 40}},
    ),
    Case("a seed", (QUESTION,), options={"seed": 1234}),
    Case("an output schema", (QUESTION,), options={"output_schema": VERDICT}),
    Case(
        "an output schema beside tools",
        (QUESTION,),
        options={"output_schema": VERDICT, "tools": (CLOCK,)},
    ),
    Case("a stream", (QUESTION,), options={"stream": True}),
)
