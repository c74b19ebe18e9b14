"""What an observer of a run is told, for progress displays. Nothing here changes a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agentci.core.lane import Lane
    from agentci.steps.results import StepRecord


class RunListener(Protocol):
    """An observer. Its methods must return quickly and not raise."""

    def step_started(self, lane: Lane, kind: str) -> None:
        """Tell that a step starts."""

    def step_finished(self, record: StepRecord) -> None:
        """Tell that a step ended, and how."""

    def activity(self, lane: Lane, text: str) -> None:
        """Tell what a step is doing."""


class SilentListener:
    """Nobody watches."""

    def step_started(self, lane: Lane, kind: str) -> None:
        """Do nothing."""

    def step_finished(self, record: StepRecord) -> None:
        """Do nothing."""

    def activity(self, lane: Lane, text: str) -> None:
        """Do nothing."""
