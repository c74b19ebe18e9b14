"""What a call costs more through the proxy than direct, and whether recordings make it slower.

    python benchmarks/proxy_overhead.py [--calls 300] [--sizes 100,1000,5000]

A server on loopback gives a fixed answer. The same client asks it directly, through the proxy while
recording, and from recordings. Times are medians in milliseconds; the ratio of interest is the
difference to a direct call in the same run. The client and the server of the direct call run in
processes of their own; the proxy has this one.
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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
"""Milliseconds that a call may cost more."""
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
async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\\r\\n\\r\\n")
            size = int(head.lower().split(b"content-length:")[1].split(b"\\r\\n")[0])
            await reader.readexactly(size)
            writer.write(HEAD % len(ANSWER) + ANSWER)
    except asyncio.IncompleteReadError:
        writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
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


async def ask(port: int, path: str, first: int, count: int) -> list[float]:
    """Return the times of `count` calls, in milliseconds."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _CLIENT, str(port), path, str(first), str(count)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    assert child.returncode == 0
    return [each * 1000 for each in json.loads(out)]


async def through_proxy(
    folder: Path, mode: Mode, upstream: int, *, first: int, count: int
) -> list[float]:
    """Return the times of calls through a proxy on the cassettes in `folder`."""
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
    times = await ask(port, f"{path}/chat/completions", first, count)
    await proxy.detach(attachment)
    await server.close()
    await transport.close()
    return times


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


def row(name: str, times: Sequence[float], direct: float) -> str:
    """Return one line of the table."""
    middle = statistics.median(times)
    tail = statistics.quantiles(times, n=20)[-1]
    return f"{name:34} {middle:8.3f} {tail:8.3f} {middle - direct:+9.3f}"


async def measure(calls: int, sizes: Sequence[int]) -> int:
    """Print the table; return 1 where the bar is missed."""
    folder = Path(tempfile.mkdtemp(prefix="agentci-proxy-"))
    try:
        with fixed_server() as port:
            direct = statistics.median(await ask(port, "/chat/completions", 0, calls))
            print(f"{'calls':34} {'p50 ms':>8} {'p95 ms':>8} {'overhead':>9}")
            print(row("direct", await ask(port, "/chat/completions", 0, calls), direct))
            live = await through_proxy(folder / "x", Mode.LIVE, port, first=0, count=calls)
            print(row("through the proxy, live", live, direct))
            made = await through_proxy(folder / "r", Mode.RECORD, port, first=0, count=calls)
            print(row("recorded", made, direct))
            middles = []
            for size in sizes:
                fill(folder / str(size), size)
                first = max(0, size - calls)
                times = await through_proxy(
                    folder / str(size), Mode.REPLAY, port, first=first, count=min(size, calls)
                )
                middles.append(statistics.median(times))
                print(row(f"replayed, of {size} recordings", times, direct))
        growth = middles[-1] / middles[0]
        print(f"\np50 at {sizes[-1]} over p50 at {sizes[0]}: {growth:.2f}")
        worst = max(statistics.median(live), *middles) - direct
        print(
            f"worst of live and replayed: {worst:.3f} ms (bar {BAR:g} ms); CPUs: {os.cpu_count()}"
        )
        print("a recorded call ends when it is searched for secrets and on the disk")
        return int(worst > BAR)
    finally:
        shutil.rmtree(folder)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--sizes", default="100,1000,5000")
    options = parser.parse_args()
    start = time.perf_counter()
    code = asyncio.run(measure(options.calls, [int(each) for each in options.sizes.split(",")]))
    print(f"took {time.perf_counter() - start:.1f} s")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
