"""Processes that are kept, and killed when they take too long."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentci.evals.scorers import kept_process as module
from agentci.evals.scorers.kept_process import KeptProcess

PROGRAM = Path(module.__file__).with_name("pattern_child.py")


@pytest.fixture
def process() -> Iterator[KeptProcess]:
    kept = KeptProcess(PROGRAM)
    yield kept
    kept.close()


def _find(process: KeptProcess, pattern: str, text: str, *, seconds: float = 30) -> bool | None:
    request = {"pattern": pattern, "texts": [text], "flags": int(re.IGNORECASE)}
    reply = process.ask(json.dumps(request).encode(), seconds=seconds)
    return None if reply is None else json.loads(reply) == [0]


def test_after_a_request_that_was_stopped_the_next_one_is_answered(process: KeptProcess) -> None:
    for _ in range(2):
        assert _find(process, "(a+)+$", "a" * 50 + "b", seconds=0.3) is None
        assert _find(process, "a+b+", "aab") is True
        assert _find(process, "A", "b" * 3_000_000) is False
    process.close()
    assert _find(process, "a", "a") is True


def test_it_is_started_once(process: KeptProcess) -> None:
    assert _find(process, "a", "a")
    first = process._child
    assert first is not None
    assert _find(process, "a", "a")
    assert process._child is first
    first.kill()
    first.wait()
    assert _find(process, "a", "a")


def test_a_program_that_fails_answers_nothing(process: KeptProcess) -> None:
    assert process.ask(b"no json", seconds=30) is None
    assert _find(process, "a", "a")


def test_several_threads_may_ask_at_once(process: KeptProcess) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(_find, process, f"^{n % 2}$", "1") for n in range(20)]
    assert [each.result() for each in asked] == [n % 2 == 1 for n in range(20)]
