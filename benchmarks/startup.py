"""CPU time of whole commands, as a ratio to bare Python, measured in interleaved runs.

    python benchmarks/startup.py [--rounds N] [--json] [--check]

The ratio is what travels between machines; milliseconds do not. The commands work on a copy of the
shipped pipelines. Time that git and the pipelines' own commands take is not counted (the children
of the measured process); its own, from exec to the end, is. With `--check` the exit code is 1
where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ("pipelines", "cassettes", "agentci.lock")

LAUNCHER = """
import atexit, os, resource
def report():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.write(int(os.environ["REPORT_TO"]), str(used.ru_utime + used.ru_stime).encode())
atexit.register(report)
from agentci.__main__ import entry
entry()
"""
"""What the console script does; it also says how long the children of the process took."""


@dataclass(frozen=True)
class Candidate:
    """A command that is measured."""

    name: str
    arguments: tuple[str, ...] | None
    """For agentci; None: only Python starts."""
    bar: float | None
    """Highest allowed ratio to bare Python."""
    fresh: bool = False
    """Begins without cached results and earlier runs."""


REPLAY = ("run", "pipelines/bugfix", "--mode", "replay")
CANDIDATES = (
    Candidate("python -c pass", None, None),
    Candidate("agentci --version", ("--version",), 1.5),
    Candidate("agentci --help", ("--help",), 8.0),
    Candidate("agentci check, unchanged", ("check",), 8.0),
    Candidate("agentci check", ("check", "--no-cache"), 20.0),
    Candidate("replay of bugfix, cache empty", REPLAY, 30.0, fresh=True),
    Candidate("replay of bugfix, cache warm", REPLAY, 30.0),
)


@dataclass(frozen=True)
class Spent:
    """One measured process."""

    cpu: float
    """Seconds of user and system time, children not counted."""
    code: int


def spend(candidate: Candidate, project: Path, environment: dict[str, str]) -> Spent:
    """Run a command in `project`."""
    if candidate.fresh:
        for name in ("cache", "runs"):
            shutil.rmtree(project / ".agentci" / name, ignore_errors=True)
    source = "pass" if candidate.arguments is None else LAUNCHER
    read, write = os.pipe()
    process = subprocess.Popen(
        (sys.executable, "-c", source, *(candidate.arguments or ())),
        cwd=project,
        env={**environment, "REPORT_TO": str(write)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(write,),
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    os.close(write)
    with os.fdopen(read) as report:
        children = float(report.read() or 0)
    return Spent(used.ru_utime + used.ru_stime - children, process.returncode)


def measure(rounds: int) -> dict[str, list[Spent]]:
    """Return what every candidate took in every round; rounds are interleaved."""
    spent: dict[str, list[Spent]] = {candidate.name: [] for candidate in CANDIDATES}
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "project")
        for name in PROJECT:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, project / name)
            else:
                shutil.copy(source, project / name)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "HOME": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for number in range(rounds + 1):
            for candidate in CANDIDATES:
                one = spend(candidate, project, environment)
                if number:  # the first round compiles bytecode and warms the disk
                    spent[candidate.name].append(one)
    return spent


def main() -> int:
    """Measure, print, and with `--check` compare with the bars."""
    parser = argparse.ArgumentParser(prog="python benchmarks/startup.py")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a bar is missed")
    options = parser.parse_args()
    spent = measure(options.rounds)
    # the quickest of interleaved rounds: other load on the machine only ever adds
    quickest = {name: min(one.cpu for one in rounds) for name, rounds in spent.items()}
    ratios = {name: seconds / quickest["python -c pass"] for name, seconds in quickest.items()}
    if options.json:
        print(json.dumps({name: round(ratio, 2) for name, ratio in ratios.items()}, indent=2))
    failed = missed = False
    for candidate in CANDIDATES:
        name, bar = candidate.name, candidate.bar
        codes = sorted({one.code for one in spent[name]} - {0})
        failed = failed or bool(codes)
        missed = missed or (bar is not None and ratios[name] > bar)
        if not options.json:
            limit = f"bar {bar:4}x" if bar else ""
            failure = f"  FAILED with exit code {codes[0]}" if codes else ""
            print(
                f"{name:<31}{quickest[name] * 1000:7.1f} ms {ratios[name]:6.2f}x  {limit}{failure}"
            )
    return int(options.check and (missed or failed))


if __name__ == "__main__":
    sys.exit(main())
