"""The loopback server, spoken to byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from agentci.adapters.http_server import LoopbackServer
from agentci.core.serving import ServedReply, ServedRequest


async def mirror(request: ServedRequest, reply: ServedReply) -> None:
    """Answer with what came, one chunk for each word."""
    await reply.start(200, {"content-type": "text/plain"})
    await reply.send(f"{request.method} {request.target}".encode())
    for word in request.body.split():
        await reply.send(word)
    await reply.finish()


async def talk(*pieces: bytes, handler: Any = mirror) -> bytes:
    """Send `pieces` and return everything that comes back."""
    server = LoopbackServer()
    origin = await server.start(handler)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(origin.rpartition(":")[2]))
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.write_eof()
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()
        await server.close()


def run(work: Coroutine[Any, Any, bytes]) -> bytes:
    return asyncio.run(work)


def test_several_requests_use_one_connection() -> None:
    one = b"GET /one HTTP/1.1\r\nhost: x\r\n\r\n"
    two = b"POST /two HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab cd"
    said = run(talk(one, two))
    assert said.count(b"HTTP/1.1 200") == 2
    assert b"8\r\nGET /one\r\n" in said
    assert b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n" in said


def test_requests_that_are_sent_ahead_are_answered_in_order() -> None:
    each = b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n"
    said = run(talk(b"".join(each % number for number in range(5))))
    assert [said.index(b"GET /%d" % n) for n in range(5)] == sorted(
        said.index(b"GET /%d" % n) for n in range(5)
    )


def test_a_body_in_chunks_is_put_together() -> None:
    head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    assert b"5\r\nabcde\r\n" in run(talk(head, b"2\r\nab\r\n", b"3\r\ncde\r\n0\r\n\r\n"))


def test_a_client_that_waits_for_a_go_ahead_gets_it() -> None:
    head = b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
    said = run(talk(head, b"ab"))
    assert said.startswith(b"HTTP/1.1 100 ")
    assert b"2\r\nab\r\n" in said


def test_a_websocket_is_declined_so_that_clients_fall_back() -> None:
    upgrade = (
        b"GET / HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-key: x\r\nsec-websocket-version: 13\r\n\r\n"
    )
    said = run(talk(upgrade))
    assert said.startswith(b"HTTP/1.1 426 ")
    assert b"upgrade: HTTP/1.1" in said


def test_a_head_request_gets_no_body() -> None:
    async def nothing(_request: ServedRequest, reply: ServedReply) -> None:
        await reply.start(200, {}, length=0)
        await reply.finish()

    said = run(talk(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n", handler=nothing))
    assert said.startswith(b"HTTP/1.1 200 ")
    assert said.endswith(b"\r\n\r\n")


def test_an_old_client_gets_an_answer_that_ends_with_the_connection() -> None:
    said = run(talk(b"GET /old HTTP/1.0\r\n\r\n"))
    assert said.endswith(b"\r\n\r\nGET /old")


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n", b"\r\n"])
def test_noise_is_refused(noise: bytes) -> None:
    said = run(talk(noise + b"\r\n\r\n"))
    assert said == b"" or said.startswith(b"HTTP/1.1 400 ")


def test_what_is_ready_goes_out_while_the_rest_is_waited_for() -> None:
    async def ask() -> bytes:
        seen = asyncio.Event()

        async def slow(_request: ServedRequest, reply: ServedReply) -> None:
            await reply.start(200, {})
            await reply.send(b"first")
            await seen.wait()
            await reply.send(b"x" * 200_000)
            await reply.finish()

        server = LoopbackServer()
        origin = await server.start(slow)
        port = int(origin.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        async with asyncio.timeout(5):
            await reader.readuntil(b"first\r\n")
            seen.set()
            rest = await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.close()
        await server.close()
        return rest

    assert run(ask()).count(b"x") == 200_000


def test_an_answer_without_an_end_cuts_the_connection() -> None:
    async def half(_request: ServedRequest, reply: ServedReply) -> None:
        await reply.start(200, {}, length=10)
        await reply.send(b"abc")

    try:
        said = run(talk(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", handler=half))
    except ConnectionResetError:
        return
    assert not said.endswith(b"0\r\n\r\n")


def test_closing_cuts_what_is_under_way() -> None:
    async def scenario() -> bytes:
        started = asyncio.Event()

        async def stuck(_request: ServedRequest, _reply: ServedReply) -> None:
            started.set()
            await asyncio.sleep(60)

        server = LoopbackServer()
        origin = await server.start(stuck)
        port = int(origin.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await started.wait()
        await server.close()
        await server.close()
        said = await reader.read()
        writer.close()
        return said

    assert run(scenario()) == b""
