"""Hooks before a commit: wall-clock time of a warm run, as a ratio to bare Python, interleaved.

    python benchmarks/hooks.py [--rounds N] [--json] [--check]

On a copy of the shipped pipelines, committed: first with nothing changed since the hook passed,
then with a file staged that touches no pipeline, and with one staged that touches a suite and
changes no result. The ratio is what travels between machines: 60 is a second where bare Python
takes 17 ms. With `--check` the exit code is 1 where a hook takes longer.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ("pipelines", "cassettes", "agentci.lock")
BAR = 60.0
"""Highest allowed ratio to bare Python."""
HOOKS: tuple[tuple[str, ...], ...] = (("check",), ("hook", "cassettes"), ("hook", "gate"))
STATES = ("unchanged", "elsewhere", "suite")


@dataclass(frozen=True)
class Row:
    """A hook in a state."""

    hook: str
    state: str
    median: float
    ratio: float


def main() -> int:
    """Measure, print a table, and say whether all hooks keep the bar."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        rows = [row for state in STATES for row in measure(project, state, options.rounds)]
    if options.json:
        print(json.dumps([vars(row) for row in rows], indent=1))
    else:
        print(f"{'hook':<24}{'state':<12}{'median':>9}{'ratio to python -c pass':>26}")
        for row in rows:
            print(f"{row.hook:<24}{row.state:<12}{row.median:>7.3f} s{row.ratio:>26.1f}")
    return int(options.check and any(row.ratio > BAR for row in rows))


def make_project(folder: Path) -> Path:
    """Return a repository with what ships, in which every hook has passed."""
    for name in PROJECT:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        else:
            shutil.copy(source, folder / name)
    (folder / ".gitignore").write_text(".agentci/\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def measure(project: Path, state: str, rounds: int) -> list[Row]:
    """Time each hook in one state; where something is staged, it is new in every round."""
    times: dict[tuple[str, ...], list[float]] = {hook: [] for hook in HOOKS}
    floor: list[float] = []
    for hook in HOOKS:
        call(project, "-m", "agentci", *hook)
    for number in range(rounds):
        stage(project, state, number)
        floor.append(call(project, "-c", "pass"))
        for hook, found in times.items():
            found.append(call(project, "-m", "agentci", *hook))
    git(project, "reset", "--quiet", "--hard")
    bare = statistics.median(floor)
    medians = {hook: statistics.median(found) for hook, found in times.items()}
    return [Row(f"agentci {' '.join(h)}", state, m, m / bare) for h, m in medians.items()]


def stage(project: Path, state: str, number: int) -> None:
    """Stage what the state is about."""
    if state == "elsewhere":
        (project / "readme.md").write_text(f"{number}\n")
    elif state == "suite":
        with (project / "pipelines/triage/suite.yaml").open("a") as file:
            file.write(f"# {number}\n")
    git(project, "add", "--all")


def call(project: Path, *arguments: str) -> float:
    """Run Python in the project and return the seconds that it took; it has to succeed."""
    env = {"PATH": os.environ["PATH"], "HOME": str(project), "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], cwd=project, env=env, check=True, capture_output=True
    )
    return time.perf_counter() - start


def git(folder: Path, *arguments: str) -> None:
    """Run git without anybody's settings."""
    who = ("-c", "user.name=a", "-c", "user.email=a@localhost")
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *who, *arguments], cwd=folder, env=env, check=True)


if __name__ == "__main__":
    sys.exit(main())
