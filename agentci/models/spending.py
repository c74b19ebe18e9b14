"""A cap on what live calls of one command may cost together, kept before it is passed.

Each call is let through only when what was spent, what calls under way may still cost, and what
this one may cost stay below the cap together. Knows requests on the wire, nothing of recordings.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import BudgetExceeded, Location
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.core.messages import Usage
from agentci.models.pricing import cost_of
from agentci.spec.pipeline import PriceSpec

_BYTES_PER_TOKEN: Final = 3
"""English and JSON have about four, so this is rather too many tokens than too few."""
_DEFAULT_OUTPUT: Final = 4096
_OUTPUT_LIMITS: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_IN_PATH: Final = re.compile(r"/models/([^/:?]+)")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A live call that was let through."""

    number: int
    model: str


class SpendingPort(Protocol):
    """Lets live calls through, or not."""

    async def admit(self, request: JsonObject, lane: Lane) -> Ticket:
        """Wait until a call may be made; raises `BudgetExceeded` where it may not."""

    async def settle(self, ticket: Ticket, usage: Usage | None) -> None:
        """Say what a call that was let through has used; None where it got no answer."""


@dataclass(frozen=True, slots=True)
class _Amount:
    tokens: int
    cost: float | None


@dataclass(slots=True)
class Spending:
    """`SpendingPort` for one command; without caps it only counts."""

    prices: Mapping[str, PriceSpec] = field(default_factory=dict)
    """By model id."""
    max_cost: float | None = None
    max_tokens: int | None = None
    usage: Usage = field(default_factory=Usage)
    """Of the calls that were answered so far."""
    cost: float = 0.0
    """Of those whose model has a price."""
    unpriced: set[str] = field(default_factory=set)
    """Models that were called and have none."""
    _under_way: dict[int, _Amount] = field(default_factory=dict)
    _count: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def begin(self) -> None:
        """Go on in another event loop, with what was spent so far."""
        self._under_way.clear()
        self._changed = asyncio.Condition()

    async def admit(self, request: JsonObject, lane: Lane) -> Ticket:
        """Let a call through; one that may pass a cap waits for those under way first.

        Raises:
            BudgetExceeded: when it still may when none is under way. It is not sent.
        """
        model = model_of(request)
        forecast = usage_forecast(request)
        amount = _Amount(forecast.tokens, cost_of(forecast, self.prices.get(model)))
        if amount.cost is None and self.max_cost is not None:
            raise BudgetExceeded(
                f"the model `{model}` has no price, so `--max-cost` cannot be kept",
                code="ACI-B112",
                hint="declare its `price` in the definition, or use `--max-tokens`",
                location=Location(lane=lane),
            )
        async with self._changed:
            while (reason := self._refusal(amount)) is not None:
                if not self._under_way:
                    raise BudgetExceeded(
                        f"{reason}; it was not sent",
                        code="ACI-B111",
                        hint="raise the limit and record again; what is recorded is kept, and not "
                        "paid twice",
                        location=Location(lane=lane),
                    )
                await self._changed.wait()
            self._count += 1
            self._under_way[self._count] = amount
            return Ticket(self._count, model)

    async def settle(self, ticket: Ticket, usage: Usage | None) -> None:
        """Count what a call has used."""
        async with self._changed:
            self._under_way.pop(ticket.number, None)
            if usage is not None:
                self.usage += usage
                cost = cost_of(usage, self.prices.get(ticket.model))
                if cost is None:
                    self.unpriced.add(ticket.model)
                else:
                    self.cost += cost
            self._changed.notify_all()

    def _refusal(self, amount: _Amount) -> str | None:
        tokens = self.usage.tokens + sum(each.tokens for each in self._under_way.values())
        if self.max_tokens is not None and tokens + amount.tokens > self.max_tokens:
            return (
                f"{tokens} tokens are used and the next call may take {amount.tokens}; "
                f"`--max-tokens` allows {self.max_tokens}"
            )
        cost = self.cost + sum(each.cost or 0.0 for each in self._under_way.values())
        if self.max_cost is not None and cost + (amount.cost or 0.0) > self.max_cost:
            return (
                f"{cost:.4f} is spent and the next call may cost {amount.cost:.4f}; "
                f"`--max-cost` allows {self.max_cost:g}"
            )
        return None


def model_of(request: JsonObject) -> str:
    """Return the model id that a canonical request asks for, or empty."""
    body = request.get("body")
    model = body.get("model") if isinstance(body, Mapping) else None
    if isinstance(model, str):
        return model
    found = _IN_PATH.search(str(request.get("path", "")))
    return found[1] if found is not None else ""


def usage_forecast(request: JsonObject) -> Usage:
    """Return about the most tokens that a request may take: its text, and its output limit."""
    body = request.get("body")
    size = len(canonical_bytes(body))
    limits = _numbers(body) if isinstance(body, Mapping) else []
    return Usage(-(-size // _BYTES_PER_TOKEN), max(limits, default=_DEFAULT_OUTPUT), calls=1)


def _numbers(body: Mapping[str, JsonValue]) -> list[int]:
    inner = body.get("generationConfig")
    nested = inner.get("maxOutputTokens") if isinstance(inner, Mapping) else None
    found = [*(body.get(name) for name in _OUTPUT_LIMITS), nested]
    return [each for each in found if isinstance(each, int) and not isinstance(each, bool)]
