"""What a person sees while a change is judged: both sides, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from agentci.cli.eval_progress import EvalProgress

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

    def power(self, suite: str, power: Power) -> None:
        """Say before anything runs how small a loss the suite can see."""
        self._say(f"{suite}: {power_text(power)}", level=1)

    def __enter__(self) -> Self:
        """Start the view."""
        self._progress.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        """Take the view away."""
        self._progress.__exit__(*details)


def power_text(power: Power) -> str:
    """Return in words what a suite can see."""
    size = f"{power.cases} cases" if power.trials == 1 else f"{power.cases} x {power.trials} trials"
    if power.groups is not None:
        size += f" in {power.groups} groups"
    if power.detectable is None:
        return f"{size} can see no drop of the pass rate: {power.assumption}"
    points = 100 * power.detectable
    return (
        f"{size} see drops of the pass rate from {points:.1f} points on, "
        f"{power.power:.0%} of the time, if {power.assumption}"
    )
