"""What a terminal shows while suites are evaluated."""

from __future__ import annotations

import pytest

from agentci.app import wiring
from agentci.cli.eval_progress import LiveEvalProgress
from agentci.core.digest import digest_bytes
from agentci.evals.results import SuiteResult, TrialResult


class _Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time


def test_the_line_has_the_score_so_far_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock()
    monkeypatch.setattr(wiring, "clock", lambda: clock)
    live = LiveEvalProgress()
    assert live.line() == ""
    live.suite_started("p/a", known=7, missing=8)
    assert live.line() == "p/a: 0 of 8 trials"
    for number, passed in enumerate((True, False), start=1):
        clock.time += 3
        result = TrialResult(number, "judged", digest_bytes(b""), passed=passed)
        live.trial_finished("p/a", "case", result)
    assert live.line() == "p/a: 2 of 8 trials, 50.0 % passed so far, about 18.0 s left"
    live.trial_finished("p/a", "case", TrialResult(3, "error", digest_bytes(b"")))
    assert "50.0 % passed" in live.line()
    live.suite_finished(SuiteResult("p/a", "a", 1, {}, ()))
    assert live.line() == ""
