"""A proxy that listens, between a client of the test and a model server of the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from agentci.adapters.files import LocalFiles
from agentci.adapters.http import HttpTransport
from agentci.adapters.http_server import LoopbackServer
from agentci.adapters.system import SystemClock
from agentci.core.errors import AgentciError
from agentci.core.lane import Lane
from agentci.models.proxy import Proxy
from agentci.record.redact import OnSecret
from agentci.record.session import Mode, RecordingSession
from agentci.record.surroundings import Surroundings

LANE = Lane("code[2]/agent")


@dataclass(frozen=True, slots=True)
class FixedEnv:
    """An environment of the test's own."""

    values: Mapping[str, str]

    def get(self, name: str) -> str | None:
        """Return the value of `name`."""
        return self.values.get(name)


@dataclass(slots=True)
class Seat:
    """A client's place at the proxy."""

    client: httpx2.AsyncClient
    variables: Mapping[str, str]
    session: RecordingSession
    failures: list[Exception] = field(default_factory=list)

    @property
    def openai(self) -> str:
        """Base URL of OpenAI."""
        return self.variables["OPENAI_BASE_URL"]


@asynccontextmanager
async def seat(
    folder: Path,
    mode: Mode,
    env: Mapping[str, str] | None = None,
    *,
    around: Surroundings | None = None,
    rules: tuple[str, ...] = (),
    on_secret: OnSecret = OnSecret.REFUSE,
) -> AsyncIterator[Seat]:
    """Start a proxy on the cassettes in `folder`; failures are in the seat when it is left."""
    session = RecordingSession(LocalFiles(), folder, mode=mode, on_secret=on_secret)
    transport, server = HttpTransport(), LoopbackServer()
    proxy = Proxy(
        session=session,
        upstream=transport,
        clock=SystemClock(),
        env=FixedEnv(env or {}),
        token="token",
    )
    try:
        proxy.origin = await server.start(proxy.handle)
        attachment = proxy.attach(LANE, around or Surroundings(), rules=rules)
        variables = proxy.environment(LANE, stand_in=True)
        limits = httpx2.Limits(max_connections=300)
        async with httpx2.AsyncClient(trust_env=False, limits=limits, timeout=60) as client:
            made = Seat(client, variables, session, attachment.failures)
            yield made
        with suppress(AgentciError):  # it is in the seat
            await proxy.detach(attachment)
        session.seal()
    finally:
        await server.close()
        await transport.close()
        await asyncio.sleep(0)


def chat(text: str, *, stream: bool = False) -> dict[str, object]:
    """Return the body of a call of Chat Completions."""
    messages = [{"role": "user", "content": text}]
    return {"model": "m", "messages": messages, **({"stream": True} if stream else {})}
