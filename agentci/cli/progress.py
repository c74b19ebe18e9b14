"""What a person sees while a run is under way: a live view on a terminal, else one line a step.

Everything goes to standard error. It observes a run and cannot change it.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from agentci.app import wiring
from agentci.cli.render.errors import printable
from agentci.cli.render.run_text import outcome_style
from agentci.cli.render.style import color_wanted, paint
from agentci.cli.render.text import duration

if TYPE_CHECKING:
    from agentci.cli.invocation import Invocation
    from agentci.core.lane import Lane
    from agentci.engine.listener import RunListener
    from agentci.steps.results import StepRecord

_SHOWN: Final = 12
"""Running steps in the live view; more would push the terminal's content away."""


class LineProgress:
    """One line for each step that ended; with `-v` also what the steps are doing."""

    def __init__(self, invocation: Invocation) -> None:
        """Write as much as the user asked for."""
        self._say = invocation.note
        self._color = color_wanted(sys.stderr)

    def step_started(self, lane: Lane, kind: str) -> None:
        """Say that a step starts, for those who want to know."""
        self._say(f"{'start':<9} {lane} ({kind})", level=1)

    def step_finished(self, record: StepRecord) -> None:
        """Say how a step ended."""
        self._say(_finished(record, color=self._color))

    def activity(self, lane: Lane, text: str) -> None:
        """Say what a step is doing, for those who want to know."""
        self._say(f"{'':<9} {lane}: {printable(text)}", level=1)


class LiveProgress:
    """Finished steps scroll by; running ones stand below with what they are doing."""

    def __init__(self) -> None:
        """Load rich, which only a terminal needs."""
        from rich.console import Console
        from rich.live import Live

        self._running: dict[Lane, tuple[float, str]] = {}
        self._clock = wiring.clock()
        self._color = color_wanted(sys.stderr)
        console = Console(stderr=True, highlight=False)
        self.live = Live(
            get_renderable=self._view, console=console, transient=True, refresh_per_second=8
        )

    def step_started(self, lane: Lane, kind: str) -> None:
        """Add a running step."""
        self._running[lane] = (self._clock.monotonic(), kind)

    def step_finished(self, record: StepRecord) -> None:
        """Move a step from the running ones to the finished ones."""
        from rich.text import Text

        self._running.pop(record.lane, None)
        line = _finished(record, color=self._color)
        self.live.console.print(Text.from_ansi(line), soft_wrap=True)

    def activity(self, lane: Lane, text: str) -> None:
        """Show what a step is doing."""
        if lane in self._running:
            self._running[lane] = (self._running[lane][0], printable(text).replace("\n", " "))

    def _view(self) -> Any:
        from rich.text import Text

        now = self._clock.monotonic()
        running = list(self._running.items())
        lines = [
            f"{'running':<9} {lane} ({duration(now - since)}) {doing}"
            for lane, (since, doing) in running[:_SHOWN]
        ]
        if len(running) > _SHOWN:
            lines.append(f"{'':<9} and {len(running) - _SHOWN} more")
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")


class Progress:
    """The view that fits where standard error goes, as a context around the run."""

    def __init__(self, invocation: Invocation) -> None:
        """Choose: live where a person watches and did not ask for less or for more."""
        self.listener: RunListener
        self._context: AbstractContextManager[Any] = nullcontext()
        if invocation.verbosity == 0 and color_wanted(sys.stderr) and sys.stderr.isatty():
            live = LiveProgress()
            self.listener = live
            self._context = live.live
        else:
            self.listener = LineProgress(invocation)

    def __enter__(self) -> RunListener:
        """Start the view."""
        self._context.__enter__()
        return self.listener

    def __exit__(self, *details: object) -> None:
        """Take the live part of the view away; finished steps stay."""
        self._context.__exit__(*details)  # type: ignore[arg-type]  # passed through as given


def _finished(record: StepRecord, *, color: bool) -> str:
    style = outcome_style(record.outcome, passed=record.passed)
    mark = paint(f"{record.outcome:<9}", style, color=color)
    return f"{mark} {record.lane} ({record.source}, {duration(record.seconds)})"
