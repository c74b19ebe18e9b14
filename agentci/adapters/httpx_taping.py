"""Interception of httpx and httpx2: an answer passes while it arrives, and is kept with its chunks.

vcrpy's own handlers read a whole answer before the program sees its first byte; these take their
place. `module` is `httpx` or `httpx2`, which differ in name alone. Must not know lanes or files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from agentci.adapters.httpx_streams import Streams, streams_of
from agentci.adapters.reels import still
from agentci.record.tape import SentRequest, TapedAnswer

SYNC: Final = ("HTTPTransport", "WSGITransport", "MockTransport")
ASYNC: Final = ("AsyncHTTPTransport", "ASGITransport", "MockTransport")


@dataclass(frozen=True, slots=True)
class Patch:
    """One attribute to replace."""

    target: Any
    name: str
    replacement: Any


def patches(module: Any, board: Any) -> Iterator[Patch]:
    """Yield what to replace in `module`; `board` begins and keeps calls."""
    for name in SYNC:
        transport = getattr(module, name)
        yield Patch(transport, "handle_request", _sync(transport.handle_request, module, board))
    for name in ASYNC:
        transport = getattr(module, name)
        handler = transport.handle_async_request
        yield Patch(transport, "handle_async_request", _async(handler, module, board))


def _sync(real: Any, module: Any, board: Any) -> Any:
    streams = streams_of(module)

    def handle_request(transport: Any, request: Any) -> Any:
        __tracebackhide__ = True
        body = b"".join(request.stream)
        request.stream = module.ByteStream(body)
        started = board.begin(_sent(request, body))
        if started is None:
            return real(transport, request)
        if started.call.answer is not None:
            return _response(started.call.answer, module, streams)
        try:
            with still():
                response = real(transport, request)
        except BaseException:
            started.give_up()
            raise
        return streams.tee(response, started)

    return handle_request


def _async(real: Any, module: Any, board: Any) -> Any:
    streams = streams_of(module)

    async def handle_async_request(transport: Any, request: Any) -> Any:
        __tracebackhide__ = True
        body = b"".join([part async for part in request.stream])
        request.stream = module.ByteStream(body)
        started = board.begin(_sent(request, body))
        if started is None:
            return await real(transport, request)
        if started.call.answer is not None:
            return _response(started.call.answer, module, streams)
        try:
            with still():
                response = await real(transport, request)
        except BaseException:
            started.give_up()
            raise
        return streams.async_tee(response, started)

    return handle_async_request


def _sent(request: Any, body: bytes) -> SentRequest:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return SentRequest(request.method, str(request.url), headers, body)


def _response(answer: TapedAnswer, module: Any, streams: Streams) -> Any:
    return module.Response(
        answer.status,
        headers=list(answer.headers.items()),
        stream=streams.replayed(answer.chunks),
        extensions={
            "http_version": b"HTTP/1.1",
            "reason_phrase": answer.reason.encode("ascii", "replace"),
        },
    )
