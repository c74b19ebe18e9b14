"""The scorer `cost`: the cost of the target's model calls, up to a maximum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.limits import LimitOptions, score_of_metric
from agentci.evals.scorers.protocol import ScorerServices


class CostOptions(LimitOptions):
    """What the model calls cost, in the currency of the models' prices."""


class Cost:
    """Holds what was recorded against a maximum."""

    kind: ClassVar[str] = "cost"
    version: ClassVar[int] = 1
    options: ClassVar[type[CostOptions]] = CostOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: CostOptions, services: ScorerServices
    ) -> Score:
        """Compare."""
        del services
        return score_of_metric(self.kind, subject, options.max)
