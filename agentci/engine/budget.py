"""The limits of a whole run on tokens, cost and time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from agentci.core.errors import BudgetExceeded
from agentci.core.messages import ModelRequest, Usage

if TYPE_CHECKING:
    from agentci.agents.protocol import AnswerPort, GatewayPort
    from agentci.core.lane import Lane
    from agentci.spec.pipeline import ModelSpec, PipelineLimits


OWN_LIMITS: Final = frozenset({"ACI-B101", "ACI-B102", "ACI-B103"})
"""Codes of limits that a pipeline sets itself: they end its run, and nothing around it."""


@dataclass(slots=True)
class RunBudget:
    """What a run has used, against what it may use. Recorded answers count like live ones."""

    limits: PipelineLimits
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0

    def charge(self, usage: Usage, cost: float) -> None:
        """Add one model call.

        Raises:
            BudgetExceeded: when a limit is passed. What was recorded is kept.
        """
        self.usage += usage
        self.cost += cost
        if self.limits.tokens is not None and self.usage.tokens > self.limits.tokens:
            raise BudgetExceeded(
                f"the run used {self.usage.tokens} tokens; `limits.tokens` allows "
                f"{self.limits.tokens}",
                code="ACI-B101",
                hint="raise `limits.tokens` and run again; what is recorded is not paid twice",
            )
        if self.limits.cost is not None and self.cost > self.limits.cost:
            raise BudgetExceeded(
                f"the run cost {self.cost:.4f}; `limits.cost` allows {self.limits.cost}",
                code="ACI-B102",
                hint="raise `limits.cost` and run again; what is recorded is not paid twice",
            )


@dataclass(frozen=True, slots=True)
class BudgetedGateway:
    """A gateway that charges every answer, after it was recorded, to the budget of the run."""

    gateway: GatewayPort
    budget: RunBudget

    async def complete(self, spec: ModelSpec, request: ModelRequest, *, lane: Lane) -> AnswerPort:
        """Return the answer to `request`.

        Raises:
            BudgetExceeded: when the run has used more than it may.
        """
        answer = await self.gateway.complete(spec, request, lane=lane)
        self.budget.charge(answer.response.usage, answer.cost or 0.0)
        return answer
