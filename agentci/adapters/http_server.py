"""A server for programs on this machine: HTTP/1.1 by h11 over asyncio, on loopback only.

It speaks the protocol and nothing else: what a request means is its handler's business. Offers to
switch to a WebSocket are declined in a way that clients take as "use HTTP".
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Mapping
from typing import Final

import h11

from agentci.core.serving import HttpHandler, ServedRequest

LARGEST_REQUEST: Final = 128 * 1024 * 1024
"""Bytes of a request's body."""

_LARGEST_HEAD = 256 * 1024
_BLOCK = 256 * 1024
_BACKLOG = 1024
_MOST_HELD = 64 * 1024
_UPGRADE_REQUIRED: Final = 426
_TOO_LARGE: Final = 413
_NO_BODY: Final = frozenset({204, 304})


class LoopbackServer:
    """`HttpServer` on 127.0.0.1. Belongs to one event loop."""

    def __init__(self) -> None:
        """Listen on nothing yet."""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, handler: HttpHandler) -> str:
        """Listen on a free port, see `HttpServer.start`."""

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._connections.add(task)
            try:
                await _Connection(reader, writer, handler).serve()
            except asyncio.CancelledError:
                pass  # by `close`; the stream's callback would call it an error
            finally:
                self._connections.discard(task)
                with contextlib.suppress(OSError):
                    writer.close()

        self._server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=_BACKLOG)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Stop listening and cut all connections."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(list(self._connections))
        await self._server.wait_closed()
        self._server = None


class _Connection:
    """One connection with any number of requests, one after the other."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: HttpHandler
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)

    async def serve(self) -> None:
        """Answer requests until the client or the protocol ends the connection."""
        try:
            while await self._exchange():
                self._http.start_next_cycle()
        except h11.RemoteProtocolError as error:
            await self._refuse(error.error_status_hint, "this is not HTTP/1.1")
        except OSError:
            pass  # the client went away

    async def _exchange(self) -> bool:
        """Answer one request; say whether another one may follow."""
        head = await self._event()
        if not isinstance(head, h11.Request):
            return False
        headers = _headers(head)
        if "websocket" in headers.get("upgrade", "").lower():
            await self._refuse(_UPGRADE_REQUIRED, "WebSockets are not recorded; use HTTP")
            return False
        body = await self._body()
        if body is None:
            await self._refuse(_TOO_LARGE, f"the body is larger than {LARGEST_REQUEST} bytes")
            return False
        method, target = head.method.decode("ascii"), head.target.decode("ascii")
        request = ServedRequest(method, target, headers, body)
        reply = _Reply(self._http, self._writer)
        await self._handler(request, reply)
        if not reply.is_whole:
            reply.abort()
            return False
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    async def _body(self) -> bytes | None:
        chunks: list[bytes] = []
        size = 0
        if self._http.they_are_waiting_for_100_continue:
            await self._write(h11.InformationalResponse(status_code=100, headers=[]))
        while True:
            event = await self._event()
            if isinstance(event, h11.Data):
                size += len(event.data)
                if size > LARGEST_REQUEST:
                    return None
                chunks.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                return b"".join(chunks)
            else:
                raise ConnectionResetError

    async def _event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self._http.receive_data(await self._reader.read(_BLOCK))

    async def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def _refuse(self, status: int, reason: str) -> None:
        if self._http.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        reply = _Reply(self._http, self._writer)
        text = f"agentci: {reason}\n".encode()
        headers = {"content-type": "text/plain; charset=utf-8", "connection": "close"}
        if status == _UPGRADE_REQUIRED:
            headers["upgrade"] = "HTTP/1.1"
        await reply.start(status, headers, length=len(text))
        await reply.send(text)
        await reply.finish()


class _Reply:
    """`ServedReply` on one connection."""

    def __init__(self, http: h11.Connection, writer: asyncio.StreamWriter) -> None:
        self._http = http
        self._writer = writer
        self._gone = False
        self._held: list[bytes] = []
        """Goes out when the loop comes round: what is ready at the same time costs one send."""
        self._size = 0
        self.is_whole = False

    async def start(
        self, status: int, headers: Mapping[str, str], *, length: int | None = None
    ) -> None:
        fields = [(name, value) for name, value in headers.items() if value.isprintable()]
        if status not in _NO_BODY:
            sized = length is not None
            fields.append(("content-length", str(length)) if sized else _CHUNKED)
        await self._write(h11.Response(status_code=status, headers=fields))

    async def send(self, data: bytes) -> None:
        if data:
            await self._write(h11.Data(data=data))

    async def finish(self) -> None:
        await self._write(h11.EndOfMessage())
        self._flush()
        self.is_whole = not self._gone

    def abort(self) -> None:
        self._flush()
        self._gone = True
        self._writer.transport.abort()

    def _flush(self) -> None:
        data, self._held, self._size = b"".join(self._held), [], 0
        if data and not self._gone:
            self._writer.write(data)

    async def _write(self, event: h11.Event) -> None:
        if self._gone:
            return
        try:
            data = self._http.send(event)
            if data:
                if not self._held:
                    asyncio.get_running_loop().call_soon(self._flush)
                self._held.append(data)
                self._size += len(data)
                if self._size >= _MOST_HELD:
                    self._flush()
                await self._writer.drain()
        except (OSError, h11.LocalProtocolError):
            self._gone = True
            if not isinstance(sys.exception(), OSError):
                raise


_CHUNKED: Final = ("transfer-encoding", "chunked")


def _headers(head: h11.Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in head.headers:
        key, text = name.decode("ascii"), value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found
