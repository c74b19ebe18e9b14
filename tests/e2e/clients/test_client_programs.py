"""Real agent programs: recorded through the proxy, replayed elsewhere with nothing to reach."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.client_installs import install
from tests.support.client_programs import PROGRAMS, ClientProgram
from tests.support.command_line import ROOT
from tests.support.empty_network import way_into_it

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_client_replays_its_task_in_another_directory_and_home(
    program: ClientProgram, tmp_path: Path
) -> None:
    install(program.name)
    way = way_into_it()
    done = subprocess.run(
        [
            *(way or ()),
            *(sys.executable, "-m", "tests.support.client_trial", program.name, str(tmp_path)),
            *(["--alone"] if way else []),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    found = json.loads(done.stdout)
    assert found["files"]["out.txt"] == "hello\n"
    assert found["calls"] >= program.asks


def test_nothing_can_be_reached_from_where_clients_replay() -> None:
    way = way_into_it()
    if way is None:
        pytest.skip("no empty network namespace: `unshare -n` needs root or user namespaces")
    source = "from tests.support.empty_network import is_empty; raise SystemExit(not is_empty())"
    alone = subprocess.run([*way, sys.executable, "-c", source], cwd=ROOT, check=False)
    assert alone.returncode == 0
