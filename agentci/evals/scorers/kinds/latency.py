"""The scorer `latency`: the seconds that the target's recorded calls took, up to a maximum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.limits import LimitOptions, score_of_metric
from agentci.evals.scorers.protocol import ScorerServices


class LatencyOptions(LimitOptions):
    """Seconds that the recorded calls took."""


class Latency:
    """Holds what was recorded against a maximum."""

    kind: ClassVar[str] = "latency"
    version: ClassVar[int] = 1
    options: ClassVar[type[LatencyOptions]] = LatencyOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: LatencyOptions, services: ScorerServices
    ) -> Score:
        """Compare."""
        del services
        return score_of_metric(self.kind, subject, options.max)
