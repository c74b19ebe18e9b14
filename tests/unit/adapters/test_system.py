"""The clock, randomness and environment of the machine."""

from __future__ import annotations

import asyncio
import time

import pytest

from agentci.adapters.system import SystemClock, SystemEnv, SystemRandom
from agentci.core.effects import Clock, Env, Random


def test_the_clock_tells_the_time() -> None:
    clock: Clock = SystemClock()
    assert abs(clock.now() - time.time()) < 5
    assert clock.monotonic() <= clock.monotonic()


def test_sleeping_lets_others_run() -> None:
    async def both() -> list[str]:
        seen: list[str] = []

        async def work(name: str, seconds: float) -> None:
            await SystemClock().sleep(seconds)
            seen.append(name)

        await asyncio.gather(work("late", 0.05), work("early", 0.0))
        return seen

    assert asyncio.run(both()) == ["early", "late"]


def test_random_tokens_have_their_size_and_differ() -> None:
    random: Random = SystemRandom()
    tokens = {random.token(16) for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {16}


def test_variables_are_read_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    env: Env = SystemEnv()
    monkeypatch.setenv("AGENTCI_TEST_VARIABLE", "value")
    monkeypatch.delenv("AGENTCI_TEST_MISSING", raising=False)
    assert env.get("AGENTCI_TEST_VARIABLE") == "value"
    assert env.get("AGENTCI_TEST_MISSING") is None
