"""What a trial's model calls took: tokens, cost, seconds, from the answers as they are recorded.

Calls of agents are seen where they ask; those of a target's own program only in its recordings or,
live, where they are let through. What nobody recorded is left out and never taken for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from agentci.evals.results import JUDGE_METRICS
from agentci.models.pricing import cost_of
from agentci.models.recorded_usage import recorded_answer
from agentci.models.retries import is_success
from agentci.models.spending import model_of
from agentci.record.provenance import recorded_seconds

if TYPE_CHECKING:
    from agentci.core.effects import Clock
    from agentci.core.json_types import JsonObject
    from agentci.core.lane import Lane
    from agentci.core.messages import Usage
    from agentci.models.spending import SpendingPort, Ticket
    from agentci.record.interaction import Address, Interaction
    from agentci.record.session import RecordingSession
    from agentci.spec.pipeline import PriceSpec

_OF_JUDGES: Final = "judge_"


@dataclass(frozen=True, slots=True)
class MeasuredCall:
    """One model call; None stands for what is not known of it."""

    tokens: int | None
    cost: float | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class AgentCall:
    """A model call of an agent."""

    address: Address
    took: MeasuredCall
    """Its seconds are known where the answer was just given: a hit is never measured."""


def metrics_of(calls: Sequence[MeasuredCall]) -> dict[str, float]:
    """Return the metrics of a trial, by the names of `METRICS`; none where no model was asked.

    A metric that is not known of a single call is missing. Sums do not depend on the order.
    """
    if not calls:
        return {}
    found: dict[str, float] = {"steps": len(calls)}
    tokens = [each.tokens for each in calls if each.tokens is not None]
    if len(tokens) == len(calls):
        found["tokens"] = sum(tokens)
    for name in ("cost", "seconds"):
        known = [value for each in calls if (value := getattr(each, name)) is not None]
        if len(known) == len(calls):
            found["latency" if name == "seconds" else name] = math.fsum(known)
    return {name: found[name] for name in sorted(found)}


def recorded_metrics(
    agents: Sequence[AgentCall], session: RecordingSession, prices: Mapping[str, PriceSpec]
) -> dict[str, float]:
    """Return the metrics of a trial that is recorded: of its agents' calls and of all others.

    Seconds are always those of the recording, so that recording and replay say the same. `prices`
    are by model id, as the request of a program names it.
    """
    asked = {each.address for each in agents}
    calls = [replace(each.took, seconds=_seconds(session, each.address)) for each in agents]
    for address in session.played:
        if address not in asked:
            found = session.recording(address)
            if found is not None and found.kind == "model":
                calls.append(_measured(found, prices))
    return metrics_of(calls)


def live_metrics(agents: Sequence[AgentCall], let_through: LiveCalls) -> dict[str, float]:
    """Return the metrics of a trial that keeps nothing."""
    asked = {each.address.lane for each in agents}
    others = [call for lane, call in let_through.calls if lane not in asked]
    return metrics_of([*(each.took for each in agents), *others])


def judge_metrics(calls: Sequence[AgentCall]) -> dict[str, float]:
    """Return what the judges of a trial took, by the names of `JUDGE_METRICS`."""
    found = metrics_of([each.took for each in calls])
    named = {name: name.removeprefix(_OF_JUDGES) for name in JUDGE_METRICS}
    return {name: found[inner] for name, inner in named.items() if inner in found}


def _seconds(session: RecordingSession, address: Address) -> float | None:
    found = session.recording(address)
    return None if found is None else recorded_seconds(found.provenance)


def _measured(found: Interaction, prices: Mapping[str, PriceSpec]) -> MeasuredCall:
    seconds = recorded_seconds(found.provenance)
    status = found.response.get("status")
    if isinstance(status, int) and not is_success(status):
        return MeasuredCall(0, 0.0, seconds)  # refused, so that no token was used
    answer = recorded_answer(found)
    # a request has at least one token, so without any, nobody has counted
    usage = answer.usage if answer is not None and answer.usage.tokens else None
    return _of_usage(usage, prices.get(model_of(found.request)), seconds)


def _of_usage(usage: Usage | None, price: PriceSpec | None, seconds: float | None) -> MeasuredCall:
    if usage is None:
        return MeasuredCall(None, None, seconds)
    return MeasuredCall(usage.tokens, cost_of(usage, price), seconds)


@dataclass(slots=True)
class LiveCalls:
    """Implements `SpendingPort` for one trial: lets calls through as `inner` does, and counts them.

    A live program's answers are not recorded, so this is the only place that sees them.
    """

    inner: SpendingPort
    clock: Clock
    prices: Mapping[str, PriceSpec]
    calls: list[tuple[Lane, MeasuredCall]] = field(default_factory=list)
    """Those that were answered, with their lanes."""
    _under_way: dict[int, tuple[Lane, float]] = field(default_factory=dict)

    async def admit(self, request: JsonObject, lane: Lane) -> Ticket:
        """Let a call through; raises `BudgetExceeded` where it may not be made."""
        ticket = await self.inner.admit(request, lane)
        self._under_way[ticket.number] = (lane, self.clock.monotonic())
        return ticket

    async def settle(self, ticket: Ticket, usage: Usage | None) -> None:
        """Count what a call has used."""
        lane, since = self._under_way.pop(ticket.number)
        if usage is not None:
            seconds = self.clock.monotonic() - since
            known = usage if usage.tokens else None
            measured = _of_usage(known, self.prices.get(ticket.model), seconds)
            self.calls.append((lane, measured))
        await self.inner.settle(ticket, usage)
