"""Real agent programs: recorded through the proxy, replayed elsewhere with nothing to reach."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.client_programs import PROGRAMS, ClientProgram
from tests.support.command_line import ROOT

pytestmark = pytest.mark.clients


def can_be_alone() -> bool:
    if shutil.which("unshare") is None:
        return False
    return (
        subprocess.run(["unshare", "-n", "true"], check=False, capture_output=True).returncode == 0
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_client_replays_its_task_in_another_directory_and_home(
    program: ClientProgram, tmp_path: Path
) -> None:
    program.install()
    alone = can_be_alone()
    done = subprocess.run(
        [
            *(["unshare", "-n"] if alone else []),
            *(sys.executable, "-m", "tests.support.client_trial", program.name, str(tmp_path)),
            *(["--alone"] if alone else []),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    found = json.loads(done.stdout)
    assert found["files"]["out.txt"] == "hello\n"
    assert found["calls"] >= program.asks
