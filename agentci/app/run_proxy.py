"""The proxy of a run: it listens while a step's program is attached, and costs nothing before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agentci.app import wiring

if TYPE_CHECKING:
    from agentci.adapters.http import HttpTransport
    from agentci.core.lane import Lane
    from agentci.core.serving import HttpServer
    from agentci.models.endpoints import EndpointSettings
    from agentci.models.proxy import Proxy
    from agentci.models.spending import SpendingPort
    from agentci.record.session import RecordingSession
    from agentci.record.surroundings import Surroundings

_TOKEN_BYTES: Final = 9


@dataclass(frozen=True, slots=True)
class _Running:
    proxy: Proxy
    server: HttpServer
    relay: HttpTransport


@dataclass(slots=True)
class RunProxy:
    """`ProxyPort` for the steps of a run and for programs outside of runs."""

    session: RecordingSession
    endpoints: Mapping[str, EndpointSettings]
    stand_in: bool = True
    """Whether programs get keys that are none; see `client_environment`."""
    spending: SpendingPort | None = None
    """Lets live calls through."""
    answered: int = 0
    """Requests that got an answer so far."""
    _running: _Running | None = None
    _users: int = 0
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def attached(
        self, lane: Lane, around: Surroundings, *, rules: tuple[str, ...] = ()
    ) -> AsyncIterator[Mapping[str, str]]:
        """Give a program the lane, see `ProxyPort.attached`."""
        self._users += 1
        try:
            proxy = (await self._open()).proxy
            attachment = proxy.attach(lane, around, rules=rules)
            try:
                yield proxy.environment(lane, stand_in=self.stand_in)
            except BaseException:
                proxy.drop(attachment)
                raise
            finally:
                self.answered += attachment.served
            await proxy.detach(attachment)
        finally:
            self._users -= 1
            if not self._users:
                await self._close()

    async def _open(self) -> _Running:
        async with self._opening:
            return self._running or await self._start()

    async def _start(self) -> _Running:
        from agentci.models.proxy import Proxy  # noqa: PLC0415 - most runs have none

        relay, server = wiring.relay(), wiring.http_server()
        proxy = Proxy(
            session=self.session,
            upstream=relay,
            clock=wiring.clock(),
            env=wiring.env(),
            token=wiring.random().token(_TOKEN_BYTES).hex(),
            endpoints=self.endpoints,
            spending=self.spending,
        )
        proxy.origin = await server.start(proxy.handle)
        self._running = _Running(proxy, server, relay)
        return self._running

    async def _close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await running.server.close()
            await running.relay.close()
