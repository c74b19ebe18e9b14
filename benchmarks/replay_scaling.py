"""Replaying N recorded calls of one lane, beside a floor that does the least a recorder can do.

The floor is SHA-256 over sorted JSON, a list for each key, and one JSONL file read whole. Every
number is from a process of its own. Run as `python benchmarks/replay_scaling.py`; with `--check` it
exits 1 where a bar is missed.
"""

# ruff: noqa: PLC0415 - what a recorder imports is in the process that measures it, nowhere else
from __future__ import annotations

import argparse
import hashlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

SIZES = (100, 1000, 5000)
CPU_BAR, GROWTH_BAR, MEMORY_BAR = 1.0, 1.2, 100.0


@dataclass(frozen=True)
class Measured:
    """One replay."""

    calls: int
    cpu: float
    """CPU seconds over start-up: opening, replaying, sealing."""
    p50: float
    """Milliseconds of a call."""
    memory: float
    """Peak resident megabytes of the whole process."""
    disk: float
    """Megabytes."""


def body(number: int) -> dict[str, object]:
    return {
        "model": "bench-model",
        "messages": [
            {"role": "system", "content": "You are a careful reviewer.\nAnswer briefly."},
            {"role": "user", "content": f"Question {number}: " + "what does this do? " * 10},
        ],
        "temperature": 0,
    }


def answer(number: int) -> dict[str, object]:
    message = {"role": "assistant", "content": f"Answer {number}.\n\n" + "It adds numbers. " * 20}
    return {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {
            "id": f"chatcmpl-{number:08d}",
            "object": "chat.completion",
            "created": 1764547200 + number,
            "model": "bench-model",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 81, "completion_tokens": 97, "total_tokens": 178},
        },
    }


def floor_key(number: int) -> str:
    return hashlib.sha256(json.dumps(body(number), sort_keys=True).encode()).hexdigest()


def floor(calls: int, folder: Path) -> Iterator[Callable[[int], object]]:
    path = folder / "floor.jsonl"
    if not path.exists():
        lines = (json.dumps({"key": floor_key(n), "answer": answer(n)}) for n in range(calls))
        path.write_text("\n".join(lines))
        return
    index: dict[str, list[object]] = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        index.setdefault(entry["key"], []).append(entry["answer"])
    yield lambda number: index[floor_key(number)].pop(0)


def ours(calls: int, folder: Path) -> Iterator[Callable[[int], object]]:
    from agentci.adapters.files import LocalFiles
    from agentci.core.lane import Lane
    from agentci.core.wire import WireRequest
    from agentci.record.interaction import Interaction
    from agentci.record.keys import canonical_request, interaction_key
    from agentci.record.session import Mode, RecordingSession

    class QuickFiles(LocalFiles):
        """Recording is not what is measured: one write, no fsync."""

    lane = Lane("bench/agent")
    mode = Mode.REPLAY if any(folder.rglob("*.yaml")) else Mode.RECORD
    session = RecordingSession(QuickFiles(), folder, mode=mode)

    def call(number: int) -> object:
        wire = WireRequest("POST", "/chat/completions", body(number))  # type: ignore[arg-type]
        request = canonical_request("openai-chat/1", wire)
        address = session.reserve(lane, interaction_key(request))
        found = session.lookup(address)
        if found is None:
            session.append(Interaction(address, "model", request, answer(number)))  # type: ignore[arg-type]
            return None
        return found.response

    if mode is Mode.RECORD:
        for number in range(calls):
            call(number)
        session.seal()
        return
    yield call
    session.seal()
    assert len(session.played) == calls


RECORDERS = {"floor": floor, "ours": ours}


def work(name: str, calls: int, folder: Path) -> Measured | None:
    if name == "ours":
        import agentci.adapters.files
        import agentci.record.session  # noqa: F401 - start-up is not measured
    began = time.process_time()
    spans: list[float] = []
    for call in RECORDERS[name](calls, folder):
        for number in range(calls):
            start = time.perf_counter()
            assert call(number) == answer(number)
            spans.append(time.perf_counter() - start)
    if not spans:
        return None
    return Measured(
        calls=calls,
        cpu=time.process_time() - began,
        p50=statistics.median(spans) * 1000,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        disk=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6,
    )


def measure(name: str, calls: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--worker", name, str(calls), folder]
        subprocess.run(command, check=True)
        runs = [
            Measured(**json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
            for _ in range(3)
        ]
    return min(runs, key=lambda run: run.cpu)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", nargs=3, metavar=("NAME", "CALLS", "FOLDER"))
    parser.add_argument("--check", action="store_true", help="exit with 1 where a bar is missed")
    options = parser.parse_args()
    if options.worker:
        name, calls, folder = options.worker
        measured = work(name, int(calls), Path(folder))
        print(json.dumps(asdict(measured)) if measured else "")
        return 0
    table = {name: {n: measure(name, n) for n in SIZES} for name in RECORDERS}
    print(f"{'':8}{'calls':>7}{'CPU s':>9}{'p50 ms':>9}{'peak MB':>9}{'disk MB':>9}")
    for name, rows in table.items():
        for n, row in rows.items():
            print(f"{name:8}{n:7}{row.cpu:9.3f}{row.p50:9.4f}{row.memory:9.1f}{row.disk:9.2f}")
    last, first = table["ours"][5000], table["ours"][100]
    growth = last.p50 / first.p50
    print(f"CPU over the floor at 5000: {last.cpu / table['floor'][5000].cpu:.1f}x")
    print(f"p50 at 5000 over p50 at 100: {growth:.2f}x (bar {GROWTH_BAR}x)")
    missed = [
        text
        for text, is_missed in (
            (f"CPU at 5000 is {last.cpu:.2f} s, bar {CPU_BAR}", last.cpu >= CPU_BAR),
            (f"p50 grows {growth:.2f}x, bar {GROWTH_BAR}", growth > GROWTH_BAR),
            (f"peak is {last.memory:.0f} MB, bar {MEMORY_BAR}", last.memory >= MEMORY_BAR),
        )
        if is_missed
    ]
    print("\n".join(f"missed: {text}" for text in missed) or "every bar is met")
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
