"""A tripwire: during a run, clocks and randomness are touched by the adapters alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.command_line import ROOT
from tests.support.small_project import make_small_project

_TRAP = """
import datetime, os, random, secrets, sys, time, uuid

ALLOWED = ("agentci.adapters",)

def trap(module, name):
    original = getattr(module, name)
    def trapped(*args, **kwargs):
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.startswith("agentci") and not caller.startswith(ALLOWED):
            raise AssertionError(f"{caller} calls {module.__name__}.{name}")
        return original(*args, **kwargs)
    setattr(module, name, trapped)

for module, names in {
    time: "time monotonic perf_counter process_time time_ns monotonic_ns gmtime localtime sleep",
    random: "random randint choice shuffle getrandbits randrange sample uniform",
    secrets: "token_bytes token_hex token_urlsafe randbelow choice",
    uuid: "uuid1 uuid4",
    os: "urandom getenv getlogin",
}.items():
    for name in names.split():
        trap(module, name)

class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.startswith("agentci"):
            raise AssertionError(f"{caller} calls datetime.now")
        return super().now(tz)
    utcnow = today = now

datetime.datetime = Clock
"""
_CALL = "from agentci.__main__ import main; sys.exit(main(['run', 'small', '--json']))"


def _run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_run_takes_time_and_randomness_from_its_ports_alone(tmp_path: Path) -> None:
    done = _run(_TRAP + _CALL, make_small_project(tmp_path))
    assert done.returncode == 8, done.stderr  # it waits for a person, as it should
    assert json.loads(done.stdout)["steps"]


def test_the_tripwire_trips(tmp_path: Path) -> None:
    planted = "import types; m = types.ModuleType('agentci.engine.planted')\n"
    planted += "exec('import time; time.time()', m.__dict__)\n"
    done = _run(_TRAP + planted, make_small_project(tmp_path))
    assert "agentci.engine.planted calls time.time" in done.stderr
