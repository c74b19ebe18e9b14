"""What a call costs more through the proxy than direct, and whether recordings make it slower.

    python benchmarks/proxy_overhead.py [--calls 300] [--sizes 100,1000,5000] [--rounds 3] [--check]

A server on loopback gives a fixed answer at once. The same client asks it directly, through a bare
relay that only copies bytes (the floor of any proxy in this language), through the proxy live and
while recording, and from recordings. Times are milliseconds; what counts is the difference to a
direct call in the same run. Of several rounds the best median counts, because other work on the
machine only ever adds; the worst one stands beside it. The client and the server have processes of
their own; relay and proxy have this one. `/ relay` is the median beside the relay's. Then many
streams at a time are recorded and replayed, and counted. With `--check`, a missed bar ends with
exit code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agentci.adapters.files import LocalFiles
from agentci.adapters.http import HttpTransport
from agentci.adapters.http_server import LoopbackServer
from agentci.adapters.system import SystemClock
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.models.proxy import Proxy
from agentci.record.http.form import HttpAnswer, store_answer
from agentci.record.importers.dialects import model_request
from agentci.record.interaction import Interaction
from agentci.record.keys import interaction_key
from agentci.record.session import Mode, RecordingSession
from agentci.record.surroundings import surroundings

LANE = Lane("main")
BAR = 2.0
"""Milliseconds that the median call may cost more, recorded ones included."""
FLAT = 1.25
"""How much more a call may take among the most recordings than among the fewest."""
STREAMS = 200
ANSWER = json.dumps(
    {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": "word " * 200}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
).encode()  # fmt: skip
_SERVER = """
import asyncio, sys
ANSWER = sys.argv[1].encode()
HEAD = b"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n"
EVENTS = b"HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\ntransfer-encoding: chunked"
async def stream(writer, body):
    writer.write(EVENTS + b"\\r\\n\\r\\n")
    words = [body.split(b"question ")[1].split(b":")[0].decode()] * 10 + ["end"]
    for word in words:
        reason = '"stop"' if word == "end" else "null"
        choice = f'{{"index":0,"delta":{{"content":"{word} "}},"finish_reason":{reason}}}'
        event = f'data: {{"id":"1","choices":[{choice}]}}\\n\\n'.encode()
        writer.write(b"%x\\r\\n%s\\r\\n" % (len(event), event))
        await asyncio.sleep(0.02)
    writer.write(b"e\\r\\ndata: [DONE]\\n\\n\\r\\n0\\r\\n\\r\\n")
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            size = int(head.lower().split(b"content-length:")[1].split(b"\\r\\n")[0])
            body = await reader.readexactly(size)
            if b'"stream": true' in body:
                await stream(writer, body)
            else:
                writer.write(HEAD % len(ANSWER) + ANSWER)
    except asyncio.IncompleteReadError:
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""
_CLIENT = """
import http.client, json, sys, time
port, path, first, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
connection = http.client.HTTPConnection("127.0.0.1", port)
times = []
for number in range(first, first + count):
    text = f"question {number}: " + "some words of a prompt " * 40
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]})
    start = time.perf_counter()
    connection.request("POST", path, body, {"content-type": "application/json"})
    answer = connection.getresponse()
    data = answer.read()
    times.append(time.perf_counter() - start)
    assert answer.status == 200, data
print(json.dumps(times))
"""
_STREAMS = """
import asyncio, json, sys, time
port, path, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
async def one(number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    messages = [{"role": "user", "content": f"question {number}: count"}]
    body = json.dumps({"model": "m", "stream": True, "messages": messages}).encode()
    head = f"POST {path} HTTP/1.1\\r\\nhost: x\\r\\ncontent-type: application/json\\r\\n"
    start = time.perf_counter()
    writer.write(head.encode() + b"content-length: %d\\r\\n\\r\\n%s" % (len(body), body))
    await reader.readuntil(b"data: ")
    first = time.perf_counter() - start
    rest = await reader.readuntil(b"\\r\\n0\\r\\n\\r\\n")
    writer.close()
    whole = rest.count(b'"%d "' % number) == 10 and b"[DONE]" in rest
    return first if whole else None
async def main():
    print(json.dumps(await asyncio.gather(*(one(number) for number in range(count)))))
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Environment:
    """Points the provider `openai` to the server."""

    port: int

    def get(self, name: str) -> str | None:
        """Return the value of `name`."""
        values = {"OPENAI_BASE_URL": f"http://127.0.0.1:{self.port}", "OPENAI_API_KEY": "k"}
        return values.get(name)


@contextmanager
def fixed_server() -> Iterator[int]:
    """Run the server and give its port."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER, ANSWER.decode()], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


async def run_client(script: str, port: int, *arguments: object) -> str:
    """Run a client in a process of its own and return what it prints."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, str(port), *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    assert child.returncode == 0
    return out.decode()


async def ask(port: int, path: str, first: int, count: int) -> list[float]:
    """Return the times of `count` calls, in milliseconds."""
    out = await run_client(_CLIENT, port, path, first, count)
    return [each * 1000 for each in json.loads(out)]


async def ask_streams(port: int, path: str, count: int) -> list[float]:
    """Ask for `count` streams at a time; return when the whole ones began, in milliseconds."""
    out = await run_client(_STREAMS, port, path, count)
    return [each * 1000 for each in json.loads(out) if each is not None]


async def through_relay(upstream: int, *, first: int, count: int) -> list[float]:
    """Return the times of calls through a relay that copies bytes and knows nothing of them."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", upstream)
        await asyncio.gather(copy(reader, up_writer), copy(up_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        return await ask(server.sockets[0].getsockname()[1], "/chat/completions", first, count)
    finally:
        server.close()


@asynccontextmanager
async def proxy_on(folder: Path, mode: Mode, upstream: int) -> AsyncIterator[tuple[int, str]]:
    """Run a proxy on the cassettes in `folder`; give its port and the path of chats."""
    session = RecordingSession(LocalFiles(), folder, mode=mode)
    transport, server = HttpTransport(), LoopbackServer()
    proxy = Proxy(
        session=session,
        upstream=transport,
        clock=SystemClock(),
        env=Environment(upstream),
        token="token",
    )
    proxy.origin = await server.start(proxy.handle)
    attachment = proxy.attach(LANE, surroundings(Path.cwd(), Path.home()))
    url = proxy.environment(LANE, stand_in=True)["OPENAI_BASE_URL"]
    port, path = int(proxy.origin.rpartition(":")[2]), url.removeprefix(proxy.origin)
    yield port, f"{path}/chat/completions"
    await proxy.detach(attachment)
    session.close()
    await server.close()
    await transport.close()


async def through_proxy(
    folder: Path, mode: Mode, upstream: int, *, first: int, count: int
) -> list[float]:
    """Return the times of calls through a proxy on the cassettes in `folder`."""
    async with proxy_on(folder, mode, upstream) as (port, path):
        return await ask(port, path, first, count)


async def streams_through_proxy(folder: Path, mode: Mode, upstream: int) -> list[float]:
    """Return when the whole ones of many streams at a time began, through a proxy."""
    async with proxy_on(folder, mode, upstream) as (port, path):
        return await ask_streams(port, path, STREAMS)


def fill(folder: Path, size: int) -> None:
    """Write a cassette with `size` calls."""
    session = RecordingSession(LocalFiles(), folder, mode=Mode.RECORD)
    url = "https://api.openai.com/v1/chat/completions"
    response = store_answer(HttpAnswer(200, {"content-type": "application/json"}, (ANSWER,)))
    for number in range(size):
        text = f"question {number}: " + "some words of a prompt " * 40
        body: JsonObject = {"model": "m", "messages": [{"role": "user", "content": text}]}
        request = model_request("POST", url, body)
        assert request is not None
        address = session.reserve(LANE, interaction_key(request))
        session.append(Interaction(address, "model", request, response))


@dataclass(frozen=True, slots=True)
class Row:
    """A way of asking, and the times of its calls, round by round."""

    name: str
    rounds: list[Sequence[float]] = field(default_factory=list)

    @property
    def best(self) -> float:
        """The median of the best round."""
        return min(map(statistics.median, self.rounds))

    def line(self, direct: float, floor: float) -> str:
        """Return the line of the table."""
        times = min(self.rounds, key=statistics.median)
        tail = statistics.quantiles(times, n=20)[-1]
        worst = max(map(statistics.median, self.rounds))
        return (
            f"{self.name:30} {self.best:8.3f} {tail:8.3f} {worst:9.3f} {self.best - direct:+9.3f}"
            f" {self.best / floor:8.1f}"
        )


async def measure_calls(
    port: int, folder: Path, *, calls: int, sizes: Sequence[int], rounds: int
) -> bool:
    """Print the table; say whether all of its bars are met."""
    direct, floor = Row("direct"), Row("through a bare relay")
    live, made = Row("through the proxy, live"), Row("recorded")
    played = {size: Row(f"replayed, of {size} recordings") for size in sizes}
    for size in sizes:
        fill(folder / str(size), size)
    for number in range(rounds):
        direct.rounds.append(await ask(port, "/chat/completions", 0, calls))
        floor.rounds.append(await through_relay(port, first=0, count=calls))
        for row, mode in ((live, Mode.LIVE), (made, Mode.RECORD)):
            fresh = folder / f"{mode}-{number}"
            row.rounds.append(await through_proxy(fresh, mode, port, first=0, count=calls))
        for size, row in played.items():
            first, count, there = max(0, size - calls), min(size, calls), folder / str(size)
            times = await through_proxy(there, Mode.REPLAY, port, first=first, count=count)
            row.rounds.append(times)
    print(
        f"{'calls':30} {'p50 ms':>8} {'p95 ms':>8} {'worst p50':>9} {'overhead':>9} {'/ relay':>8}"
    )
    rows = (direct, floor, live, made, *played.values())
    for row in rows:
        print(row.line(direct.best, floor.best))
    ratio = played[sizes[-1]].best / played[sizes[0]].best
    print(f"\np50 at {sizes[-1]} over p50 at {sizes[0]}: {ratio:.2f} (bar {FLAT:g})")
    worst = max(row.best for row in rows) - direct.best
    print(f"worst of live, recorded and replayed: {worst:.3f} ms (bar {BAR:g} ms)")
    print("a recorded call ends when it is searched for secrets and written")
    return worst <= BAR and ratio <= FLAT


async def measure_streams(port: int, folder: Path) -> bool:
    """Print how many of many streams at a time came whole; say whether all did."""
    direct = await ask_streams(port, "/chat/completions", STREAMS)
    made = await streams_through_proxy(folder, Mode.RECORD, port)
    kept = len(RecordingSession(LocalFiles(), folder, mode=Mode.REPLAY).unplayed())
    played = await streams_through_proxy(folder, Mode.REPLAY, port)
    print(f"\n{f'{STREAMS} streams at a time':30} {'whole':>8} {'first byte p50 ms':>18}")
    for name, times in (("direct", direct), ("recorded", made), ("replayed", played)):
        print(f"{name:30} {len(times):8} {statistics.median(times):18.1f}")
    print(f"recordings: {kept}")
    return len(made) == len(played) == kept == STREAMS


async def measure(calls: int, sizes: Sequence[int], rounds: int) -> bool:
    """Measure calls and streams; say whether all bars are met."""
    folder = Path(tempfile.mkdtemp(prefix="agentci-proxy-"))
    try:
        with fixed_server() as port:
            met = await measure_calls(port, folder, calls=calls, sizes=sizes, rounds=rounds)
            return await measure_streams(port, folder / "streams") and met
    finally:
        shutil.rmtree(folder)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--sizes", default="100,1000,5000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit with 1 where a bar is missed")
    options = parser.parse_args()
    start = time.perf_counter()
    sizes = [int(each) for each in options.sizes.split(",")]
    met = asyncio.run(measure(options.calls, sizes, options.rounds))
    print(f"took {time.perf_counter() - start:.1f} s on {os.cpu_count()} CPUs")
    return int(options.check and not met)


if __name__ == "__main__":
    raise SystemExit(main())
