"""A small suite of somebody else, run by pytest in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.command_line import ROOT


@dataclass(frozen=True, slots=True)
class SuiteOutput:
    """What a run of pytest said."""

    code: int
    text: str

    @property
    def counts(self) -> dict[str, int]:
        """How many tests passed, failed, ..., from the last line."""
        last = self.text.strip().rpartition("\n")[2]
        return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last)}


def run_suite(
    folder: Path, *arguments: str, plugin: bool = True, env: Mapping[str, str] | None = None
) -> SuiteOutput:
    """Run pytest in `folder`, with the plugin of this checkout and without those installed."""
    own = ["-p", "agentci.pytest_plugin.plugin"] if plugin else []
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *own, *arguments],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(env or {}),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    return SuiteOutput(done.returncode, done.stdout + done.stderr)
