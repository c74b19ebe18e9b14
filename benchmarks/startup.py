"""CPU time of a start, as a ratio to bare Python, measured in interleaved runs.

    python benchmarks/startup.py [--rounds N] [--json]

The ratio is what travels between machines; milliseconds do not. Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A command whose start is measured."""

    name: str
    argv: tuple[str, ...]
    bar: float | None
    """Highest allowed ratio to bare Python."""


def candidates() -> tuple[Candidate, ...]:
    """Return what is measured; the first one is the floor."""
    launcher = "from agentci.__main__ import entry; entry()"
    agentci = (sys.executable, "-c", launcher)
    return (
        Candidate("python -c pass", (sys.executable, "-c", "pass"), None),
        Candidate("agentci --version", (*agentci, "--version"), 1.5),
        Candidate("agentci --help", (*agentci, "--help"), 8.0),
        Candidate("agentci check, unchanged", (*agentci, "check"), 8.0),
        Candidate("agentci check, from scratch", (*agentci, "check", "--no-cache"), 20.0),
        Candidate("pytest --version", (sys.executable, "-m", "pytest", "--version"), None),
    )


def cpu_seconds(argv: tuple[str, ...], environment: dict[str, str]) -> float:
    """Return user and system time of one run of `argv`, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(rounds: int) -> dict[str, float]:
    """Return the median CPU seconds of every candidate; rounds are interleaved."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    times: dict[str, list[float]] = {candidate.name: [] for candidate in candidates()}
    with tempfile.TemporaryDirectory() as home:
        environment["HOME"] = home
        for number in range(rounds + 1):
            for candidate in candidates():
                spent = cpu_seconds(candidate.argv, environment)
                if number:  # the first round compiles bytecode and warms the disk
                    times[candidate.name].append(spent)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> int:
    """Measure, print, and compare with the bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    medians = measure(options.rounds)
    floor = medians["python -c pass"]
    rows = [(c, medians[c.name], medians[c.name] / floor) for c in candidates()]
    if options.json:
        print(json.dumps({c.name: round(ratio, 2) for c, _, ratio in rows}, indent=2))
    else:
        for candidate, seconds, ratio in rows:
            bar = f"bar {candidate.bar:>4}x" if candidate.bar else ""
            print(f"{candidate.name:<28} {seconds * 1000:7.1f} ms CPU {ratio:6.2f}x  {bar}")
    return int(any(c.bar is not None and ratio > c.bar for c, _, ratio in rows))


if __name__ == "__main__":
    sys.exit(main())
