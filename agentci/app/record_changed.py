"""Records again what changed, and only that: judged offline first, with what it may cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.cassette_status import StatusRequest, judge
from agentci.app.execution import carry_out
from agentci.app.project import open_project
from agentci.app.run_report import save_report
from agentci.app.run_request import request_json
from agentci.core.errors import UsageError
from agentci.core.messages import Usage
from agentci.models.pricing import cost_of
from agentci.models.recorded_usage import recorded_answer
from agentci.models.registry import find_provider
from agentci.models.spending import Spending, model_of
from agentci.record.folder import CassetteFolder
from agentci.record.object_store import ObjectStore
from agentci.record.session import Mode

if TYPE_CHECKING:
    from agentci.app.cassette_status import Judged, LaneStatus
    from agentci.app.run_request import RunReport
    from agentci.core.lane import Lane
    from agentci.engine.listener import RunListener
    from agentci.plan.bundle import Bundle
    from agentci.record.interaction import Interaction
    from agentci.spec.pipeline import PriceSpec

_ASKED_AGAIN: Final = frozenset({"stale", "new", "unreached"})


@dataclass(frozen=True, slots=True)
class ChangedRequest:
    """What to record again, and for how much."""

    start: Path
    pipelines: tuple[str, ...] = ()
    """Names or folders; empty for all."""
    settings: Mapping[str, str] = field(default_factory=dict)
    max_cost: float | None = None
    """In the currency of the prices in the definitions."""
    max_tokens: int | None = None
    note: str = ""
    redact: bool = False
    """Whether secrets are replaced in new recordings; else a recording with one is refused."""


@dataclass(frozen=True, slots=True)
class LaneEstimate:
    """What a lane may take, going by what its answers took when they were recorded."""

    pipeline: str
    lane: Lane
    state: str
    reason: str
    known: bool
    """Whether there is a recording to go by."""
    calls: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    """None where a model has no price."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Several lanes together."""

    lanes: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost: float
    """Of the models that have a price."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What recording again may take."""

    lanes: tuple[LaneEstimate, ...]
    stale: Totals
    """Lanes that surely ask again; those without any recording count as nothing."""
    unreached: Totals
    """Lanes behind them, which ask again if they get something else to work on."""
    unpriced: tuple[str, ...]
    """Models of these lanes that have no price in the definition."""
    currency: str
    """Empty where no price is declared; several are joined by a slash."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be done."""

    request: ChangedRequest
    todo: tuple[Judged, ...]
    """Pipelines that are not fresh."""
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class ChangedReport:
    """What was done."""

    runs: tuple[RunReport, ...]
    calls: int
    input_tokens: int
    output_tokens: int
    cost: float
    unpriced: tuple[str, ...]


def find_changes(request: ChangedRequest) -> Changes:
    """Judge the recordings and estimate what bringing them up to date takes. Asks nobody.

    Raises:
        NothingMatched: when there is no such pipeline.
        SpecError: when a definition is wrong.
        UsageError: when `max_cost` cannot be kept, because a model has no price.
    """
    project = open_project(request.start, wiring.files())
    judged = judge(StatusRequest(request.start, request.pipelines, request.settings), project)
    todo = tuple(each for each in judged if not each.status.fresh)
    if request.max_cost is not None:
        _check_prices(todo)
    return Changes(request, todo, _estimate(todo))


def execute(changes: Changes, listener: RunListener) -> ChangedReport:
    """Record what changed, pipeline by pipeline.

    Raises:
        BudgetExceeded: before a call that might pass a cap. What was recorded before is kept.
        AgentciError: what ended a run.
    """
    request = changes.request
    prices: dict[str, PriceSpec] = {}
    for each in changes.todo:
        prices.update(prices_of(each.replay.undertaking.bundle))
    spending = Spending(prices, max_cost=request.max_cost, max_tokens=request.max_tokens)
    runs: list[RunReport] = []
    for each in changes.todo:
        before = each.replay.undertaking
        undertaking = replace(
            before,
            request=replace(
                before.request,
                mode="record",
                use_cache=True,
                note=request.note,
                redact=request.redact,
            ),
            mode=Mode.RECORD,
            listener=listener,
            spending=spending,
        )
        undertaking.folder.write("request", request_json(undertaking.request))
        spending.begin()
        report = carry_out(undertaking)
        save_report(undertaking.folder, report)
        runs.append(report)
    return ChangedReport(
        runs=tuple(runs),
        calls=spending.usage.calls,
        input_tokens=spending.usage.input_tokens,
        output_tokens=spending.usage.output_tokens,
        cost=spending.cost,
        unpriced=tuple(sorted(spending.unpriced)),
    )


def _estimate(todo: tuple[Judged, ...]) -> Estimate:
    lanes: list[LaneEstimate] = []
    unpriced: set[str] = set()
    currencies: set[str] = set()
    for each in todo:
        prices = prices_of(each.replay.undertaking.bundle)
        currencies.update(price.currency for price in prices.values())
        for lane in each.status.lanes:
            if lane.state in _ASKED_AGAIN:
                calls = tuple(_asked_again(each, lane))
                unpriced.update(model_of(call.request) for call in calls)
                lanes.append(_lane_estimate(each, lane, calls, prices))
        unpriced -= set(prices)
    return Estimate(
        lanes=tuple(lanes),
        stale=_totals(each for each in lanes if each.state != "unreached"),
        unreached=_totals(each for each in lanes if each.state == "unreached"),
        unpriced=tuple(sorted(unpriced)),
        currency="/".join(sorted(currencies)),
    )


def _asked_again(judged: Judged, lane: LaneStatus) -> Iterator[Interaction]:
    """Yield the recorded model calls that the replay did not come to."""
    undertaking = judged.replay.undertaking
    files = wiring.files()
    folder = CassetteFolder(
        files, undertaking.cassettes, ObjectStore(files, undertaking.cassettes, in_memory=True)
    )
    cassette = folder.load(lane.lane)
    for address in judged.replay.unplayed:
        if address.lane == lane.lane:
            interaction = cassette.get((address.key, address.occurrence))
            if interaction is not None and interaction.kind == "model":
                yield interaction


def _lane_estimate(
    judged: Judged,
    lane: LaneStatus,
    calls: tuple[Interaction, ...],
    prices: Mapping[str, PriceSpec],
) -> LaneEstimate:
    total = Usage()
    cost: float | None = 0.0
    for call in calls:
        answer = recorded_answer(call)
        usage = answer.usage if answer is not None else Usage()
        amount = cost_of(usage, prices.get(model_of(call.request)))
        cost = None if cost is None or amount is None else cost + amount
        total += usage
    return LaneEstimate(
        pipeline=judged.status.pipeline,
        lane=lane.lane,
        state=lane.state,
        reason=lane.reason,
        known=bool(calls),
        calls=len(calls),
        input_tokens=total.input_tokens,
        output_tokens=total.output_tokens,
        cost=cost if calls else None,
    )


def _totals(lanes: Iterable[LaneEstimate]) -> Totals:
    found = tuple(lanes)
    return Totals(
        lanes=len(found),
        calls=sum(each.calls for each in found),
        input_tokens=sum(each.input_tokens for each in found),
        output_tokens=sum(each.output_tokens for each in found),
        cost=sum(each.cost or 0.0 for each in found),
    )


def prices_of(bundle: Bundle) -> dict[str, PriceSpec]:
    """Return the prices of a definition and its sub-pipelines, by model id."""
    found = {m.id: m.price for m in bundle.spec.models.values() if m.price is not None}
    for child in bundle.children.values():
        found = {**prices_of(child), **found}
    return found


def _check_prices(todo: tuple[Judged, ...]) -> None:
    for each in todo:
        missing = sorted(models_without_price(each.replay.undertaking.bundle))
        if missing:
            shown = ", ".join(f"`{name}`" for name in missing)
            raise UsageError(
                f"`--max-cost` cannot be kept: no price is declared for {shown}",
                code="ACI-U181",
                hint="declare `price` beside the model in the definition, or use `--max-tokens`",
            )


def models_without_price(bundle: Bundle) -> Iterator[str]:
    """Yield the models of a definition, and of those inside it, whose calls have no known cost."""
    for model in bundle.spec.models.values():
        if model.price is None and not find_provider(model.provider).local:
            yield model.id
    for child in bundle.children.values():
        yield from models_without_price(child)
