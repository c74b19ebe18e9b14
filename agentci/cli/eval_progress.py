"""What a person sees while suites are evaluated: on a terminal, how far it is and the score so far.

Everything goes to standard error. Elsewhere it says nothing, unless it is asked to say more.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from agentci.app import wiring
from agentci.cli.render.errors import printable
from agentci.cli.render.style import color_wanted
from agentci.cli.render.text import count, duration

if TYPE_CHECKING:
    from agentci.app.eval_request import EvalListener
    from agentci.cli.invocation import Invocation
    from agentci.evals.results import SuiteResult, TrialResult


class LineEvalProgress:
    """With `-v`, a line for each trial that was carried out."""

    def __init__(self, invocation: Invocation) -> None:
        """Write as much as the user asked for."""
        self._say = invocation.note

    def suite_started(self, suite: str, *, known: int, missing: int) -> None:
        """Say what is to be done, for those who want to know."""
        self._say(f"{suite}: {count(known, 'trial')} known, {missing} to carry out", level=1)

    def trial_finished(self, suite: str, case: str, result: TrialResult) -> None:
        """Say what came of a trial, for those who want to know."""
        self._say(f"{_word(result):<10} {suite} {printable(case)} #{result.trial}", level=1)

    def suite_finished(self, result: SuiteResult) -> None:
        """Say nothing: the result is printed anyway."""


class LiveEvalProgress:
    """One line that is written again and again: how far, the score so far, and the time left."""

    def __init__(self) -> None:
        """Load rich, which only a terminal needs."""
        from rich.console import Console
        from rich.live import Live

        self._clock = wiring.clock()
        self._suite = ""
        self._total = self._done = self._passed = self._judged = 0
        self._since = 0.0
        console = Console(stderr=True, highlight=False)
        self.live = Live(
            get_renderable=self._view, console=console, transient=True, refresh_per_second=8
        )

    def suite_started(self, suite: str, *, known: int, missing: int) -> None:
        """Start to count anew."""
        del known
        self._suite, self._total = suite, missing
        self._done = self._passed = self._judged = 0
        self._since = self._clock.monotonic()

    def trial_finished(self, suite: str, case: str, result: TrialResult) -> None:
        """Count a trial."""
        del suite, case
        self._done += 1
        self._passed += result.passed
        self._judged += result.status == "judged"

    def suite_finished(self, result: SuiteResult) -> None:
        """Show nothing more of the suite."""
        del result
        self._total = 0

    def line(self) -> str:
        """Return the line as it is now."""
        if not self._total:
            return ""
        text = f"{self._suite}: {self._done} of {count(self._total, 'trial')}"
        if self._judged:
            text += f", {100 * self._passed / self._judged:.1f} % passed so far"
        if self._done:
            taken = self._clock.monotonic() - self._since
            left = taken / self._done * (self._total - self._done)
            text += f", about {duration(left)} left"
        return text

    def _view(self) -> Any:
        from rich.text import Text

        return Text(self.line(), no_wrap=True, overflow="ellipsis")


class EvalProgress:
    """The view that fits where standard error goes, as a context around the evaluation."""

    def __init__(self, invocation: Invocation) -> None:
        """Choose: live where a person watches and did not ask for less or for more."""
        self.listener: EvalListener
        self._context: AbstractContextManager[Any] = nullcontext()
        if invocation.verbosity == 0 and color_wanted(sys.stderr) and sys.stderr.isatty():
            live = LiveEvalProgress()
            self.listener = live
            self._context = live.live
        else:
            self.listener = LineEvalProgress(invocation)

    def __enter__(self) -> EvalListener:
        """Start the view."""
        self._context.__enter__()
        return self.listener

    def __exit__(self, *details: object) -> None:
        """Take the view away."""
        self._context.__exit__(*details)  # type: ignore[arg-type]  # passed through as given


def _word(result: TrialResult) -> str:
    if result.status != "judged":
        return result.status.replace("_", " ")
    return "passed" if result.passed else "failed"
