"""Asks a sample of recorded requests again, live, and says how much the answers agree.

Changes no recording and keeps no answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

from agentci.app import wiring
from agentci.app.cassette import CassetteRequest, open_lanes
from agentci.app.definitions import checked_bundle
from agentci.app.project import open_project
from agentci.core.canonical import canonical_bytes
from agentci.core.errors import (
    BudgetExceeded,
    EnvironmentProblem,
    NothingMatched,
    ProviderError,
    UsageError,
)
from agentci.core.intervals import Share, wilson
from agentci.core.messages import Usage
from agentci.core.seed import derive_seed
from agentci.core.wire import WireRequest
from agentci.engine.concurrency import gather_ordered
from agentci.models.agreement import AGREEING, Agreement, compare
from agentci.models.calling import Calling
from agentci.models.dialect import BodyHeaders
from agentci.models.endpoints import Endpoint, resolve_endpoint
from agentci.models.pricing import cost_of
from agentci.models.recorded_usage import decoded, dialect_named
from agentci.models.registry import find_provider, provider_names
from agentci.models.spending import Spending, model_of
from agentci.spec.pipeline import ModelSpec, PriceSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentci.app.project import Project
    from agentci.core.effects import Http
    from agentci.core.json_types import JsonObject
    from agentci.core.lane import Lane
    from agentci.core.messages import ModelResponse
    from agentci.models.dialect import Dialect
    from agentci.models.registry import Provider
    from agentci.record.interaction import Interaction
    from agentci.spec.config import ProjectConfig

_AT_A_TIME: Final = 4
_REDACTED: Final = b"<redacted:"

Verdict: TypeAlias = Agreement | Literal["failed", "unasked"]
_NAMES: Final[tuple[Verdict, ...]] = (*AGREEING, "differs", "failed", "unasked")


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """How many recorded requests to ask again, and of which recordings."""

    start: Path
    count: int
    cassettes: tuple[str, ...] = ()
    """Folders below `cassettes/`, or pipelines; empty for all."""
    seed: int = 0
    """Chooses them."""
    max_cost: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A recorded answer of a model, and who gave it."""

    cassette: str
    lane: Lane
    interaction: Interaction
    answer: ModelResponse
    dialect: Dialect
    provider: Provider

    @property
    def name(self) -> str:
        """Tells it from all others."""
        address = self.interaction.address
        return f"{self.cassette} {self.lane} {address.key}#{address.occurrence}"


@dataclass(frozen=True, slots=True)
class Sample:
    """What is about to be asked."""

    request: SampleRequest
    calls: tuple[RecordedCall, ...]
    recorded: int
    """Calls that could have been chosen."""
    skipped: int
    """Those that could not be asked again: scripted, redacted, or not understood."""
    input_tokens: int
    """As recorded."""
    output_tokens: int
    cost: float
    unpriced: tuple[str, ...]
    currency: str
    prices: Mapping[str, PriceSpec] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SampledCall:
    """A request that was asked again."""

    cassette: str
    lane: Lane
    key: str
    occurrence: int
    model: str
    verdict: Verdict
    recorded: str
    """The recorded answer's text, where it differs."""
    live: str
    """The live answer's text, where it differs; of a failure, why."""


@dataclass(frozen=True, slots=True)
class SampleReport:
    """How much recorded and live answers agree."""

    asked: int
    counts: Mapping[str, int]
    """By verdict; `failed` got no live answer, `unasked` came after a cap: both in no share."""
    agreement: Share
    """Exact, same tool calls or same JSON."""
    exact: Share
    calls: tuple[SampledCall, ...]
    input_tokens: int
    output_tokens: int
    cost: float


def choose(request: SampleRequest) -> Sample:
    """Choose recorded calls by the seed. Asks nobody.

    Raises:
        NothingMatched: when there are no such recordings, or none that can be asked again.
    """
    project = open_project(request.start, wiring.files())
    found: list[RecordedCall] = []
    skipped = 0
    for cassette in request.cassettes or (None,):
        for opened in open_lanes(CassetteRequest(request.start, cassette)):
            for interaction in opened.interactions():
                call = _call(opened.cassette, opened.lane, interaction)
                if call is not None:
                    found.append(call)
                elif interaction.kind == "model":
                    skipped += 1
    if not found:
        raise NothingMatched(
            f"no recorded call of a model can be asked again; {skipped} are scripted or redacted",
            code="ACI-N314",
            hint="list recordings with `agentci cassette list`",
        )
    drawn = sorted(found, key=lambda call: derive_seed(request.seed, "sample-verify", call.name))
    names = {call.name for call in drawn[: request.count]}
    calls = tuple(call for call in found if call.name in names)
    prices = _prices(project)
    usage = sum((call.answer.usage for call in calls), Usage())
    costs = [cost_of(c.answer.usage, prices.get(model_of(c.interaction.request))) for c in calls]
    models = {model_of(call.interaction.request) for call in calls}
    return Sample(
        request=request,
        calls=calls,
        recorded=len(found),
        skipped=skipped,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost=sum(cost or 0.0 for cost in costs),
        unpriced=tuple(sorted(models - set(prices))),
        currency="/".join(sorted({price.currency for price in prices.values()})),
        prices=prices,
    )


def execute(sample: Sample) -> SampleReport:
    """Ask the chosen requests again and compare.

    Raises:
        EnvironmentProblem: when no endpoint is configured for one of them. Nobody is asked then.
        UsageError: when `max_cost` cannot be kept, because a model has no price.
    """
    if sample.request.max_cost is not None and sample.unpriced:
        shown = ", ".join(f"`{name}`" for name in sample.unpriced)
        raise UsageError(
            f"`--max-cost` cannot be kept: no price is declared for {shown}",
            code="ACI-U181",
            hint="declare `price` beside the model in the definition, or use `--max-tokens`",
        )
    project = open_project(sample.request.start, wiring.files())
    endpoints = [_endpoint(call.provider, project.config) for call in sample.calls]
    spending = Spending(
        sample.prices, max_cost=sample.request.max_cost, max_tokens=sample.request.max_tokens
    )
    calls = asyncio.run(_ask_all(sample.calls, endpoints, spending))
    verdicts = [call.verdict for call in calls]
    answered = len(verdicts) - verdicts.count("failed") - verdicts.count("unasked")
    return SampleReport(
        asked=len(calls) - verdicts.count("unasked"),
        counts={name: verdicts.count(name) for name in _NAMES},
        agreement=wilson(sum(verdict in AGREEING for verdict in verdicts), answered),
        exact=wilson(verdicts.count("exact"), answered),
        calls=calls,
        input_tokens=spending.usage.input_tokens,
        output_tokens=spending.usage.output_tokens,
        cost=spending.cost,
    )


async def _ask_all(
    calls: Sequence[RecordedCall], endpoints: Sequence[Endpoint], spending: Spending
) -> tuple[SampledCall, ...]:
    http = wiring.http()
    try:
        asked = [
            partial(_ask, call, endpoint, http, spending)
            for call, endpoint in zip(calls, endpoints, strict=True)
        ]
        return tuple(await gather_ordered(asked, limit=_AT_A_TIME))
    finally:
        await http.close()


async def _ask(
    call: RecordedCall, endpoint: Endpoint, http: Http, spending: Spending
) -> SampledCall:
    request = call.interaction.request
    body = cast("JsonObject", request["body"])
    headers = call.dialect.body_headers(body) if isinstance(call.dialect, BodyHeaders) else {}
    calling = Calling(
        http=http,
        clock=wiring.clock(),
        dialect=call.dialect,
        endpoint=endpoint,
        spec=ModelSpec(provider=call.provider.name, id=model_of(request)),
        on_retry=lambda _retry: None,
    )
    wire = WireRequest(str(request["method"]), str(request["path"]), body, headers=dict(headers))
    try:
        ticket = await spending.admit(request, call.lane)
    except BudgetExceeded as error:
        return _sampled(call, "unasked", live=error.message)
    usage: Usage | None = None
    try:
        timed = await calling.send(wire, address=call.interaction.address, seed=0)
        live = call.dialect.decode(timed.response)
        usage = live.usage
    except ProviderError as error:
        return _sampled(call, "failed", live=error.message)
    finally:
        await spending.settle(ticket, usage)
    verdict = compare(call.answer, live)
    return _sampled(call, verdict, live=live.message.text if verdict == "differs" else "")


def _sampled(call: RecordedCall, verdict: Verdict, *, live: str) -> SampledCall:
    address = call.interaction.address
    return SampledCall(
        cassette=call.cassette,
        lane=call.lane,
        key=address.key,
        occurrence=address.occurrence,
        model=model_of(call.interaction.request),
        verdict=verdict,
        recorded=call.answer.message.text if verdict == "differs" else "",
        live=live,
    )


def _call(cassette: str, lane: Lane, interaction: Interaction) -> RecordedCall | None:
    """Return a recording that can be asked again, or None."""
    request = interaction.request
    if interaction.kind != "model" or not isinstance(request.get("body"), Mapping):
        return None
    dialect = dialect_named(str(request.get("dialect", "")))
    answer = decoded(dialect, interaction.response) if dialect is not None else None
    if dialect is None or answer is None or _REDACTED in canonical_bytes(request):
        return None
    provider = _provider(str(interaction.provenance.get("provider", "")), dialect)
    if provider is None or provider.local:
        return None
    return RecordedCall(cassette, lane, interaction, answer, dialect, provider)


def _provider(name: str, dialect: Dialect) -> Provider | None:
    """Return who answered, or else the first provider that speaks the wire format."""
    from agentci.models.registry import load_dialect  # noqa: PLC0415 - beside its only use

    names = provider_names()
    if name in names:
        return find_provider(name)
    rows = (find_provider(each) for each in names)
    return next((row for row in rows if load_dialect(row.dialect).name == dialect.name), None)


def _endpoint(provider: Provider, config: ProjectConfig) -> Endpoint:
    found = resolve_endpoint(provider, config.endpoints.get(provider.name), wiring.env())
    if isinstance(found, Endpoint):
        return found
    raise EnvironmentProblem(
        f"the sample cannot be asked: {found.reason}", code="ACI-E186", hint=found.hint
    )


def _prices(project: Project) -> dict[str, PriceSpec]:
    prices: dict[str, PriceSpec] = {}
    for folder in project.pipeline_folders():
        bundle = checked_bundle(folder, project.files, root=project.root)
        for model in bundle.spec.models.values():
            if model.price is not None:
                prices.setdefault(model.id, model.price)
    return prices
