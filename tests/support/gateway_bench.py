"""A project's cassettes with gateways on them, and a conversation of two turns to record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from agentci.adapters.files import LocalFiles
from agentci.adapters.http import HttpTransport
from agentci.core.effects import Http
from agentci.core.lane import Lane
from agentci.core.messages import Message, ModelRequest, TextPart, ToolDefinition, ToolResultPart
from agentci.core.wire import HttpRequest, WireResponse
from agentci.models.gateway import Answer, Gateway, GatewayEvent
from agentci.record.session import Mode, RecordingSession
from agentci.spec.pipeline import ModelSpec
from agentci.spec.script import Script
from tests.support.model_server import ModelServer

T = TypeVar("T")
LANE = Lane("code[2]/coder")
KEY = "test-K3Y-" + "7h1s-1s-v3ry-s3cr3t"
DIALECTS = ("openai", "openai-responses", "anthropic", "gemini")
RUN = ToolDefinition("run", "Runs the tests.", {"type": "object", "properties": {}})
LONG = "A longer text with ünicode 漢字 and 🎉, so that streams have several chunks.\n" * 3


class NoHttp:
    """A transport that must not be used."""

    async def send(
        self, request: HttpRequest, *, on_chunk: Callable[[bytes], None] | None = None
    ) -> WireResponse:
        pytest.fail(f"a replay called {request.url}")

    async def close(self) -> None:
        pass


@dataclass
class FakeClock:
    """A clock in which sleeping takes no time."""

    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return 1_790_000_000.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Bench:
    """A project's cassettes, and gateways on them."""

    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    events: list[GatewayEvent] = field(default_factory=list)
    scripts: dict[str, Script] = field(default_factory=dict)

    def session(self, mode: Mode, *, record_all: bool = False) -> RecordingSession:
        return RecordingSession(LocalFiles(), self.folder, mode=mode, record_all=record_all)

    def gateway(
        self, mode: Mode, env: dict[str, str] | None = None, http: Http | None = None
    ) -> Gateway:
        return self.on(self.session(mode), env, http)

    def on(
        self, session: RecordingSession, env: dict[str, str] | None = None, http: Http | None = None
    ) -> Gateway:
        return Gateway(
            session=session,
            http=http or NoHttp(),
            clock=self.clock,
            env=dict(env or {}),
            scripts=self.scripts,
            on_event=self.events.append,
        )

    def record(self, server: ModelServer, work: Callable[[Gateway], Awaitable[T]]) -> T:
        return self.calling(Mode.AUTO, server, work)

    def calling(
        self, mode: Mode, server: ModelServer, work: Callable[[Gateway], Awaitable[T]]
    ) -> T:
        async def inner() -> T:
            http = HttpTransport()
            session = self.session(mode)
            try:
                return await work(self.on(session, server.environment, http))
            finally:
                session.seal()
                await http.close()

        return asyncio.run(inner())

    def replay(self, work: Callable[[Gateway], Awaitable[T]]) -> T:
        async def inner() -> T:
            return await work(self.gateway(Mode.REPLAY))

        return asyncio.run(inner())

    def stored(self) -> bytes:
        return b"".join(p.read_bytes() for p in sorted(self.folder.rglob("*")) if p.is_file())


def script(*rules: object) -> Script:
    return Script.model_validate_json(
        json.dumps({"format": "agentci/script", "version": 1, "rules": rules})
    )


WORKING = script(
    {
        "when": {"turn": 1},
        "reply": {"text": LONG, "tool_calls": [{"name": "run", "arguments": {"x": "é 1"}}]},
    },
    {"reply": {"json": {"approved": True}, "usage": {"input": 1000, "cached": 600}}},
)


def spec(provider: str, *, stream: bool = False, **more: object) -> ModelSpec:
    fields = {"provider": provider, "id": "model-1", "stream": stream, **more}
    return ModelSpec.model_validate({"parameters": {"max_tokens": 500}, **fields})


def ask(text: str = "fix it", seed: int | None = 7) -> ModelRequest:
    message = Message("user", (TextPart(text),))
    return ModelRequest("", (message,), system="You fix bugs.", tools=(RUN,), seed=seed)


async def conversation(gateway: Gateway, model: ModelSpec) -> list[Answer]:
    """Two turns with a tool call in between."""
    first = await gateway.complete(model, ask(), lane=LANE)
    results = tuple(
        ToolResultPart(call.id, call.name, "3 passed") for call in first.response.message.tool_calls
    )
    messages = (*ask().messages, first.response.message, Message("tool", results))
    again = ModelRequest("", messages, system="You fix bugs.", tools=(RUN,), seed=8)
    return [first, await gateway.complete(model, again, lane=LANE)]


def two_turns(model: ModelSpec) -> Callable[[Gateway], Awaitable[list[Answer]]]:
    """Return the work of holding the conversation."""
    return lambda gateway: conversation(gateway, model)


def one_call(
    model: ModelSpec, request: ModelRequest | None = None
) -> Callable[[Gateway], Awaitable[Answer]]:
    """Return the work of asking once."""
    asked = ask() if request is None else request
    return lambda gateway: gateway.complete(model, asked, lane=LANE)
