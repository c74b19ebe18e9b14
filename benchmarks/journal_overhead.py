"""What the journal costs a step, beside the floor: the same bytes written to a file as they are.

    python benchmarks/journal_overhead.py [STEPS]

A step writes two events, started and finished. Times are processor and wall time of one process;
the ratio to the floor is what to compare between machines. Exits with 1 above 0.3 ms a step.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agentci.adapters.files import LocalFiles
from agentci.core.digest import digest_bytes
from agentci.core.lane import Lane
from agentci.core.messages import Usage
from agentci.engine.journal_events import step_finished, step_started
from agentci.plan.keys import StepKey
from agentci.record.journal import Journal
from agentci.steps.results import StepRecord

LIMIT = 0.3
"""Milliseconds a step."""

FIELDS = ("definition", "inputs", "tree", "seed", "prompt", "model", "tools", "env", "timeout")


def main() -> int:
    """Measure, print, and say whether the limit holds."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    key = StepKey(digest_bytes(b"key"), {name: digest_bytes(name.encode()) for name in FIELDS})
    record = StepRecord(
        lane=Lane("fix[2]/code"),
        step="code",
        kind="agent",
        outcome="done",
        output={"text": "All tests pass. " * 20},
        tree="0" * 40,
        interactions=tuple(
            {
                "lane": "fix[2]/code/coder",
                "key": digest_bytes(b"x"),
                "occurrence": n,
                "response": "",
            }
            for n in range(6)
        ),
        usage=Usage(1000, 200, 0, 6),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        journal = Journal.create(LocalFiles(), path, {"run": "1"})

        def write_step() -> None:
            journal.write(step_started(record.lane, record.kind, key))
            journal.write(step_finished(record, key.digest))

        each = _milliseconds(write_step, steps)
        journal.close()
        lines = path.read_bytes().splitlines(keepends=True)[1:3]
        with (Path(folder) / "floor").open("ab", buffering=0) as file:

            def write_floor() -> None:
                for line in lines:
                    file.write(line)

            floor = _milliseconds(write_floor, steps)
    print(f"steps            {steps}")
    print(f"bytes a step     {sum(map(len, lines))}")
    print(f"journal          {each:.4f} ms a step")
    print(f"floor            {floor:.4f} ms a step (two plain writes of the same bytes)")
    print(f"ratio            {each / floor:.1f}")
    print(f"limit            {LIMIT} ms a step: {'kept' if each <= LIMIT else 'BROKEN'}")
    return 0 if each <= LIMIT else 1


def _milliseconds(call: Callable[[], None], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count * 1000


if __name__ == "__main__":
    sys.exit(main())
