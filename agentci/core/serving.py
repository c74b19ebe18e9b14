"""Ports of a server on this machine: what a program asks, and how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """A request that a program on this machine has sent to us."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: Mapping[str, str] = field(repr=False)
    """Lower-case names."""
    body: bytes
    """Content encodings are still on it."""


class ServedReply(Protocol):
    """The answer to a `ServedRequest`. A client that went away is no error: nothing is sent."""

    async def start(
        self, status: int, headers: Mapping[str, str], *, length: int | None = None
    ) -> None:
        """Send status and headers; `length` is the size of the body in bytes where it is known."""

    async def send(self, data: bytes) -> None:
        """Send one chunk of the body, at once and as one chunk."""

    async def finish(self) -> None:
        """End the body."""

    def abort(self) -> None:
        """Cut the connection, so that the client sees that the answer is not whole."""


HttpHandler: TypeAlias = Callable[[ServedRequest, ServedReply], Awaitable[None]]
"""Answers one request; called for any number of requests at the same time."""


class HttpServer(Protocol):
    """A server for programs on this machine: on loopback, reachable from nowhere else."""

    async def start(self, handler: HttpHandler) -> str:
        """Listen on a free port and return the origin, for example `http://127.0.0.1:40123`."""

    async def close(self) -> None:
        """Stop listening and cut all connections; not started is fine."""
