"""Replays recorded model calls through the gateway and relates their CPU time to a floor.

The floor is what any replay has to do in some form: write each request as JSON, hash it, and parse
the answer, with the standard library in the same process. Bars: 5,000 calls in under one second of
CPU time, a median call at 5,000 recordings at most 1.2 times as long as at 100, and 100 MB.

    python -m benchmarks.gateway_replay [--calls 5000] [--json] [--check]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import statistics
import sys
import tempfile
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

from agentci.adapters.files import LocalFiles
from agentci.adapters.http import HttpTransport
from agentci.adapters.system import SystemClock
from agentci.core.lane import Lane
from agentci.core.messages import Message, ModelRequest, TextPart, ToolDefinition
from agentci.core.wire import WireResponse
from agentci.models.gateway import Gateway
from agentci.models.providers.openai_chat import DIALECT
from agentci.models.stored_response import store_response
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import canonical_request, interaction_key
from agentci.record.session import Mode, RecordingSession
from agentci.spec.pipeline import ModelSpec

ROUNDS = 5
LANE = Lane("bench/coder")
MODEL = ModelSpec(provider="openai", id="model-1", parameters={"max_tokens": 500})
TOOLS = tuple(
    ToolDefinition(
        f"tool_{n}",
        "Does something useful with a file of the repository.",
        {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    )
    for n in range(6)
)
PROMPT = "Find out why the test fails and repair the function, not the test.\n" * 18


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU times of one replay, in seconds."""

    first: float
    """Of the first call, which reads the cassette."""
    total: float
    lookups: float
    """The part of `total` that was spent in the cassettes."""
    median: float


class TimedSession(RecordingSession):
    """A session that knows how long its lookups took."""

    spent = 0.0

    def lookup(self, address: Address) -> Interaction | None:
        """Look up and take the time."""
        before = time.process_time()
        found = super().lookup(address)
        self.spent += time.process_time() - before
        return found


def request_of(number: int) -> ModelRequest:
    """Return a request of about 3 kB."""
    return ModelRequest(
        "model-1",
        (Message("user", (TextPart(f"Task {number}.\n{PROMPT}"),)),),
        system="You are a careful programmer.",
        tools=TOOLS,
        parameters={"max_tokens": 500},
        seed=number,
    )


def answer_of(number: int) -> WireResponse:
    body = {
        "id": f"chatcmpl-{number}",
        "model": "model-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": f"Done {number}: {PROMPT[:600]}"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 700, "completion_tokens": 150, "total_tokens": 850},
    }
    return WireResponse(200, {"content-type": "application/json"}, (json.dumps(body).encode(),))


def record(folder: Path, count: int) -> None:
    """Fill a cassette through the session, as a recording run does, but with no endpoint."""
    session = RecordingSession(LocalFiles(), folder, mode=Mode.AUTO)
    for number in range(count):
        wire = DIALECT.encode(request_of(number), session.blobs.get)
        canonical = canonical_request(f"{DIALECT.name}/{DIALECT.version}", wire)
        address = session.reserve(LANE, interaction_key(canonical))
        session.append(Interaction(address, "model", canonical, store_response(answer_of(number))))


def replay(folder: Path, count: int) -> Timing:
    """Replay all calls, one after the other."""
    requests = [request_of(number) for number in range(count)]
    start = time.process_time()
    session = TimedSession(LocalFiles(), folder, mode=Mode.REPLAY)
    gateway = Gateway(session=session, http=HttpTransport(), clock=SystemClock(), env={})

    async def work() -> list[float]:
        each = []
        for request in requests:
            before = time.process_time()
            await gateway.complete(MODEL, request, lane=LANE)
            each.append(time.process_time() - before)
        return each

    each = asyncio.run(work())
    total = time.process_time() - start
    assert len(session.played) == count
    return Timing(each[0], total, session.spent, statistics.median(each))


def floor(count: int) -> float:
    """Write, hash and parse as much JSON, with nothing around it."""

    def no_blob(digest: str) -> bytes:
        raise KeyError(digest)

    bodies = [DIALECT.encode(request_of(number), no_blob).body for number in range(count)]
    answers = [answer_of(number).body for number in range(count)]
    start = time.process_time()
    for body, answer in zip(bodies, answers, strict=True):
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        hashlib.sha256(text.encode()).hexdigest()
        json.loads(answer)
    return time.process_time() - start


def main() -> int:
    """Measure, print a table, and with `--check` fail where a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway_replay")
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--check", action="store_true", help="exit with 1 where a bar is missed")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small"), Path(folder, "large")
        record(small, 100)
        record(large, options.calls)
        replay(small, 100)  # imports and caches
        # the quickest of interleaved rounds: other load on the machine only ever adds
        rounds = [
            (replay(small, 100), replay(large, options.calls), floor(options.calls))
            for _ in range(ROUNDS)
        ]
        few = min((one for one, _, _ in rounds), key=lambda timing: timing.median)
        many = min((one for _, one, _ in rounds), key=lambda timing: timing.total)
        base = min(one for _, _, one in rounds)
        tracemalloc.start()
        replay(large, options.calls)
        peak = tracemalloc.get_traced_memory()[1]
    result = {
        "calls": options.calls,
        "cpu_seconds": round(many.total, 3),
        "in_cassettes_seconds": round(many.lookups, 3),
        "floor_seconds": round(base, 3),
        "ratio_to_floor": round(many.total / base, 1),
        "first_call_ms": round(many.first * 1000, 1),
        "median_us": round(many.median * 1e6, 1),
        "median_us_at_100": round(few.median * 1e6, 1),
        "median_growth": round(many.median / few.median, 2),
        "peak_mb": round(peak / 1e6, 1),
    }
    bars = {"cpu_seconds": 1.0, "median_growth": 1.2, "peak_mb": 100.0}
    met = all(result[name] < bar for name, bar in bars.items())
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        for name, value in result.items():
            limit = f"bar {bars[name]}" if name in bars else ""
            print(f"{name:<22}{value:>10}  {limit}".rstrip())
    return 0 if met or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
