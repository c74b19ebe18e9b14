"""Runs the command line of this checkout, in a process of its own as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """What a call of the command line did."""

    code: int
    out: str
    err: str


def agentci(*arguments: str, folder: Path, env: Mapping[str, str] | None = None) -> CommandOutput:
    """Run `agentci ARGUMENTS` in `folder`, without the terminal and CI variables of the caller."""
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "agentci", *arguments],
        cwd=folder,
        env={**clean, **(env or {})},
        capture_output=True,
        check=False,
        timeout=120,
    )
    return CommandOutput(done.returncode, done.stdout.decode(), done.stderr.decode())
