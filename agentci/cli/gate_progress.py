"""What a person sees while a change is judged: both sides, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from agentci.cli.eval_progress import EvalProgress
from agentci.report.wording import power_words

if TYPE_CHECKING:
    from agentci.app.eval_request import EvalListener
    from agentci.cli.invocation import Invocation
    from agentci.gate.decision import Power


class GateProgress:
    """The views of both evaluations, and a line on what each suite can see."""

    def __init__(self, invocation: Invocation) -> None:
        """Show as much as the user asked for."""
        self._say = invocation.note
        self._progress = EvalProgress(invocation)
        self.head: EvalListener = self._progress.listener
        self.base: EvalListener = self._progress.listener

    def power(self, suite: str, power: Power, *, live: bool) -> None:
        """Say before anything runs how small a loss the suite can see; live calls cost money."""
        self._say(f"{suite}: {power_words(power)}", level=0 if live else 1)

    def __enter__(self) -> Self:
        """Start the view."""
        self._progress.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        """Take the view away."""
        self._progress.__exit__(*details)
