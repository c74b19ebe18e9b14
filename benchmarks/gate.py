"""`agentci gate` on known results, beside promptfoo, pytest with vcrpy, and a floor.

    python -m benchmarks.gate [--cases N ...] [--rounds N] [--json] [--check]

The same work for all, in the same run: N cases, each with one recorded answer that is compared with
an expected one. agentci does it for both sides of a change. promptfoo has the answers in memory, so
that not even its cache has to be read; pytest replays a cassette of vcrpy per case; the floor is 15
lines of the standard library. Each number is of a process of its own, start-up included; rounds are
interleaved, and the median counts. Peers take one round where there are more than 1,000 cases; one
that does not tell its results is shown with the time until it gave up.
promptfoo is installed as the tests' clients are (`tests/support/client_installs.py`); a peer that
cannot be had is named, and `--check` fails without it. With `--check` the exit code is 1 where a
bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.gate_peers import FLOOR, Peer, Unavailable, peers
from tests.support.gate_project import GateProject, git

ROOT = Path(__file__).resolve().parents[1]
SMALL = 1_000
SECONDS, MEGABYTES, GROWTH = 1.0, 80.0, 10.0
"""Bars of `agentci gate`, warm: at 1,000 cases, and how many times as long it may take at 10,000
(in general: the number of cases divided by 100)."""
BARE, GATE = "python -c pass", "agentci gate"
PATIENCE = 900
"""Seconds for one command."""

LAUNCHER = """
import json, os, subprocess, sys, time
start = time.perf_counter()
child = subprocess.Popen(sys.argv[2:], stdout=2, stderr=2)
_, status, used = os.wait4(child.pid, 0)
found = [time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss]
open(sys.argv[1], "w").write(json.dumps([*found, os.waitstatus_to_exitcode(status)]))
"""
"""A small process starts the command: the peak of a child is never below that of its parent."""


@dataclass(frozen=True, slots=True)
class Spent:
    """One measured process with its children."""

    wall: float
    """Seconds, as `cpu`."""
    cpu: float
    memory: float
    """Peak resident megabytes of the largest process."""
    failed: str = ""
    """What a peer said that did not do the work."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A command that is measured."""

    name: str
    command: Sequence[str]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    says: str = ""
    """What its output has in it when it did the work."""
    before: Callable[[], object] = lambda: None
    once: bool = False
    """Whether one round is enough."""
    may_fail: bool = False
    """Whether it is shown rather than fatal that it does not do the work."""


class Failed(Exception):
    """A command did not do the work."""


def spend(candidate: Candidate) -> Spent:
    """Run a command and take the time."""
    candidate.before()
    clean = {"PATH": os.environ["PATH"], "HOME": str(candidate.folder), "NO_COLOR": "1"}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        done = subprocess.run(
            (sys.executable, "-I", "-S", "-c", LAUNCHER, str(report), *candidate.command),
            cwd=candidate.folder,
            env={**clean, **candidate.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=PATIENCE,
        )
        said = done.stdout.decode("utf-8", "replace")
        wall, cpu, kilobytes, code = json.loads(report.read_text())
    failed = code != 0 or candidate.says not in said
    if failed and candidate.may_fail:
        return Spent(wall, cpu, kilobytes / 1024, said.strip()[-200:] or f"exit code {code}")
    if failed:
        raise Failed(f"{candidate.name} ended with {code} and said:\n{said[-2000:]}")
    return Spent(wall, cpu, kilobytes / 1024)


def candidates(folder: Path, count: int, found: Sequence[Peer]) -> list[Candidate]:
    """Make what is measured with `count` cases, in `folder`."""
    project = GateProject.create(folder / "project", cases=count)
    git(project.root, "checkout", "-qb", "change")
    project.commit_nothing()
    agentci = (sys.executable, "-m", "agentci")
    env = {"PYTHONPATH": str(ROOT)}
    gate = (*agentci, "gate", "--base", "main")
    passing = f"{count} still passing"
    made = [
        Candidate(BARE, (sys.executable, "-c", "pass"), folder),
        Candidate(
            f"{GATE}, cold", gate, project.root, env, passing, before=project.forget, once=True
        ),
        Candidate(GATE, gate, project.root, env, passing),
        Candidate("agentci eval", (*agentci, "eval"), project.root, env, f"{count}"),
    ]
    for peer in (FLOOR, *found):
        place = folder / peer.name.replace(" ", "-")
        place.mkdir()
        peer.prepare(place, count)
        large = count > SMALL and peer is not FLOOR
        own, says = peer.env(place), peer.says(count)
        made.append(
            Candidate(peer.name, peer.command, place, own, says, once=large, may_fail=large)
        )
    return made


def measure(count: int, rounds: int, found: Sequence[Peer]) -> dict[str, Spent]:
    """Return the median of every candidate."""
    spent: dict[str, list[Spent]] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = candidates(Path(folder), count, found)
        for number in range(rounds + 1):
            for each in made:
                if not each.once or number == 1:
                    one = spend(each)
                    if number:  # the first round compiles bytecode and warms the disk
                        spent.setdefault(each.name, []).append(one)
    return {each.name: _median(spent[each.name]) for each in made}


def _median(rounds: Sequence[Spent]) -> Spent:
    return Spent(
        statistics.median(each.wall for each in rounds),
        statistics.median(each.cpu for each in rounds),
        statistics.median(each.memory for each in rounds),
        next((each.failed for each in rounds if each.failed), ""),
    )


def missed_bars(measured: Mapping[int, Mapping[str, Spent]], names: Sequence[str]) -> list[str]:
    """Return what `agentci gate` does not keep, in words."""
    missed = []
    small = measured.get(SMALL)
    if small is not None and small[GATE].wall > SECONDS:
        missed.append(f"{SMALL} cases take {small[GATE].wall:.2f} s, more than {SECONDS:.1f}")
    if small is not None and small[GATE].memory > MEGABYTES:
        missed.append(f"{SMALL} cases take {small[GATE].memory:.0f} MB, more than {MEGABYTES:.0f}")
    for count, found in measured.items():
        if small is not None and count > SMALL:
            growth, allowed = found[GATE].wall / small[GATE].wall, GROWTH * count / SMALL / 10
            if growth > allowed:
                missed.append(f"{count} cases take {growth:.1f} times as long as {SMALL}")
        missed += [
            f"{name} is quicker with {count} cases"
            for name in names
            if found[name].wall <= found[GATE].wall
        ]
    return missed


def _show(measured: Mapping[int, Mapping[str, Spent]]) -> None:
    for count, found in measured.items():
        print(f"{count} cases{'wall s':>26}{'x python':>10}{'x gate':>8}{'CPU s':>8}{'MB':>6}")
        for name, each in found.items():
            bare, gate = each.wall / found[BARE].wall, each.wall / found[GATE].wall
            print(
                f"  {name:<26}{each.wall:>10.3f}{bare:>10.1f}{gate:>8.2f}"
                f"{each.cpu:>8.2f}{each.memory:>6.0f}"
            )
            if each.failed:
                print(f"    told no results, but: {each.failed.splitlines()[-1]}")


def main() -> int:
    """Measure, print, and with `--check` compare with the bars."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate")
    parser.add_argument("--cases", type=int, nargs="+", default=[SMALL, 10 * SMALL])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a bar is missed")
    options = parser.parse_args()
    missing, found = [], []
    for peer in peers():
        try:
            peer.install()
            found.append(peer)
        except Unavailable as problem:
            missing.append(f"{peer.name} cannot be had: {problem}")
    measured = {count: measure(count, options.rounds, found) for count in options.cases}
    missed = [*missed_bars(measured, [peer.name for peer in found]), *missing]
    if options.json:
        shown = {
            count: {
                name: {
                    "wall": each.wall,
                    "cpu": each.cpu,
                    "megabytes": each.memory,
                    "failed": each.failed,
                }
                for name, each in rows.items()
            }
            for count, rows in measured.items()
        }
        print(json.dumps({"cases": shown, "missed": missed}, indent=2))
    else:
        _show(measured)
        print("missed: " + "; ".join(missed) if missed else "every bar is met")
    return int(options.check and bool(missed))


if __name__ == "__main__":
    sys.exit(main())
