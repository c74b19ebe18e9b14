"""A call that is forked from a warm process is the same as one that is started."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.command_line import agentci, run_module

STARTED = {"PYTHONDONTWRITEBYTECODE": "1"}
"""A variable that an interpreter looks at as it starts, so that one is started."""
SHOW = """
import os, sys
print(sorted({*os.environ} - {"PYTHONDONTWRITEBYTECODE"}), sys.argv[1:], os.getcwd())
print(sys.path[0], sys.stdout.encoding, sys.stdout.errors)
print(sys.stdin.read(), __name__, file=sys.stderr)
sys.stdout.flush()
os.kill(os.getpid(), 9) if "die" in sys.argv else sys.exit(7)
"""
MEET = """
import pathlib, sys, time
own, other = map(pathlib.Path, sys.argv[1:])
own.touch()
end = time.monotonic() + 30
while not other.exists():
    if time.monotonic() > end:
        sys.exit(1)
    time.sleep(0.01)
"""


@pytest.mark.parametrize("line", [["--help"], ["check"], ["nonsense", "--json"]])
def test_a_forked_call_says_what_a_started_one_says(tmp_path: Path, line: list[str]) -> None:
    started = agentci(*line, folder=tmp_path, env=STARTED)
    assert agentci(*line, folder=tmp_path) == started


@pytest.mark.parametrize(("word", "code"), [("live", 7), ("die", -9)])
def test_a_forked_process_finds_the_same_surroundings(tmp_path: Path, word: str, code: int) -> None:
    (tmp_path / "show.py").write_text(SHOW)
    started = run_module("show", [word], folder=tmp_path, env={"A": "b", **STARTED})
    forked = run_module("show", [word], folder=tmp_path, env={"A": "b"})
    assert forked == started
    assert forked.code == code


def test_calls_at_the_same_time_do_not_wait_for_each_other(tmp_path: Path) -> None:
    (tmp_path / "meet.py").write_text(MEET)
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(run_module, "meet", names, folder=tmp_path, env={})
            for names in (["a", "b"], ["b", "a"])
        ]
        assert [call.result().code for call in calls] == [0, 0]
