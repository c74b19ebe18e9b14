"""The one way to a model: replay what is recorded, or call the endpoint and record the answer.

A call is encoded, keyed and given its address before anything is awaited, so that which of several
equal calls gets which answer depends on the order in which they were made and never on the order
in which answers come. Nothing here knows a wire format, a socket or a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import CassetteMiss, Location, SafetyRefusal, UsageError
from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.core.messages import ModelRequest, ModelResponse, Usage
from agentci.core.wire import WireRequest, WireResponse
from agentci.models.pricing import cost_of
from agentci.models.registry import Provider, find_provider, load_dialect
from agentci.models.stored_response import load_response, store_response
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import canonical_request, interaction_key
from agentci.record.provenance import provenance
from agentci.record.session import Mode, RecordingSession

if TYPE_CHECKING:
    from agentci.core.effects import Clock, Env, Http
    from agentci.models.calling import Retry, TimedResponse
    from agentci.models.dialect import Dialect
    from agentci.models.endpoints import Endpoint, EndpointSettings, NotConfigured
    from agentci.models.spending import SpendingPort
    from agentci.spec.pipeline import ModelSpec
    from agentci.spec.script import Script

_SHORTEST_KEY = 12

Source: TypeAlias = Literal["replayed", "recorded", "live"]


@dataclass(frozen=True, slots=True)
class SeedNote:
    """What became of a call's seed."""

    value: int | None
    """The derived seed, or None where none was derived."""
    sent: bool
    reason: str
    """Why it was not sent; empty where it was."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer and where it came from."""

    response: ModelResponse
    source: Source
    cost: float | None
    """In the currency of the model's price; None without a price."""
    seed: SeedNote
    address: Address
    seconds: float | None = None
    """How long an answer that was just given took; None for one from a recording or a script."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Event: a call has its answer."""

    lane: Lane
    source: Source
    model: str
    usage: Usage


GatewayEvent: TypeAlias = "Retry | Answered"
"""What happened, for progress displays. No digest covers events."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call with its address."""

    spec: ModelSpec
    provider: Provider
    dialect: Dialect
    request: ModelRequest
    wire: WireRequest
    canonical: JsonObject
    address: Address
    seed: SeedNote


def _ignore(event: GatewayEvent) -> None:
    del event


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Gateway:
    """Calls models for a run. Safe for any number of concurrent calls in one event loop."""

    session: RecordingSession
    http: Http
    clock: Clock
    env: Env
    endpoints: Mapping[str, EndpointSettings] = field(default_factory=dict)
    """By provider name, from the project's config."""
    scripts: Mapping[str, Script] = field(default_factory=dict)
    """By the path in the model's definition."""
    on_event: Callable[[GatewayEvent], None] = _ignore
    spending: SpendingPort | None = None
    """Lets calls of endpoints through; None for all of them."""

    async def complete(self, spec: ModelSpec, request: ModelRequest, *, lane: Lane) -> Answer:
        """Return the answer to `request`, with the model, parameters and streaming of `spec`.

        Raises:
            CassetteMiss: when there is no recording and none can be made.
            ProviderError: when the endpoint gives no answer, after all tries. Not recorded.
            UsageError: when the definition or configuration cannot work.
        """
        call = self._issue(spec, request, lane)  # reserves; nothing is awaited before it
        if self.session.mode is not Mode.LIVE:
            recorded = self.session.lookup(call.address)
            if recorded is not None:
                return self._answer(call, recorded.response, "replayed")
            if not self.session.can_record:
                raise self._miss(call)
        if call.provider.local:
            return self._keep(call, self._scripted(call), f"script `{spec.script}`")
        # a replay loads nothing of this
        from agentci.models.endpoints import NotConfigured, resolve_endpoint  # noqa: PLC0415

        endpoint = resolve_endpoint(call.provider, self.endpoints.get(call.provider.name), self.env)
        if isinstance(endpoint, NotConfigured):
            raise self._not_configured(call, endpoint)
        timed = await self._paid(call, endpoint)
        if self.session.mode is not Mode.LIVE:
            _refuse_key(call, timed.response, endpoint)
        return self._keep(call, timed.response, endpoint.origin, seconds=timed.seconds)

    def _issue(self, spec: ModelSpec, request: ModelRequest, lane: Lane) -> _Call:
        provider = find_provider(spec.provider)
        dialect = load_dialect(provider.dialect)
        seed = _seed_note(spec, request, dialect)
        request = replace(
            request,
            model=spec.id,
            parameters={**spec.parameters, **request.parameters},
            stream=spec.stream,
            seed=request.seed if seed.sent else None,
        )
        wire = dialect.encode(request, self.session.blobs.get)
        canonical = self.session.as_recorded(
            canonical_request(f"{dialect.name}/{dialect.version}", wire), lane
        )
        address = self.session.reserve(lane, interaction_key(canonical))
        return _Call(spec, provider, dialect, request, wire, canonical, address, seed)

    def _answer(
        self, call: _Call, stored: JsonObject, source: Source, *, seconds: float | None = None
    ) -> Answer:
        response = call.dialect.decode(load_response(stored))
        cost = cost_of(response.usage, call.spec.price)
        self.on_event(Answered(call.address.lane, source, response.model, response.usage))
        return Answer(response, source, cost, call.seed, call.address, seconds)

    def _keep(
        self, call: _Call, response: WireResponse, origin: str, *, seconds: float | None = None
    ) -> Answer:
        """Record an answer, unless this is a live run, and decode it from what is stored."""
        stored = store_response(response)
        if self.session.mode is Mode.LIVE:
            return self._answer(call, stored, "live", seconds=seconds)
        kept = self.session.append(
            Interaction(
                address=call.address,
                kind="model",
                request=call.canonical,
                response=stored,
                notes=_notes(call.seed),
                provenance=provenance(
                    {"provider": call.provider.name, "from": origin},
                    now=self.clock.now(),
                    seconds=seconds,
                ),
            )
        )
        return self._answer(call, kept.response, "recorded", seconds=seconds)

    async def _paid(self, call: _Call, endpoint: Endpoint) -> TimedResponse:
        """Call the endpoint, where what was spent so far allows it."""
        if self.spending is None:
            return await self._call(call, endpoint)
        ticket = await self.spending.admit(call.canonical, call.address.lane)
        usage: Usage | None = None
        try:
            timed = await self._call(call, endpoint)
            usage = call.dialect.decode(timed.response).usage
        finally:
            await self.spending.settle(ticket, usage)
        return timed

    async def _call(self, call: _Call, endpoint: Endpoint) -> TimedResponse:
        from agentci.models.calling import Calling  # noqa: PLC0415 - not for a replay

        calling = Calling(
            http=self.http,
            clock=self.clock,
            dialect=call.dialect,
            endpoint=endpoint,
            spec=call.spec,
            on_retry=self.on_event,
        )
        return await calling.send(call.wire, address=call.address, seed=call.seed.value or 0)

    def _scripted(self, call: _Call) -> WireResponse:
        path = call.spec.script
        script = self.scripts.get(path) if path is not None else None
        if script is None:
            raise UsageError(
                f"the model `{call.spec.id}` of the provider `scripted` has no script"
                if path is None
                else f"the script `{path}` was not read",
                code="ACI-U135",
                hint="give the model a `script:` with the file of its replies",
            )
        from agentci.models.providers.scripted import response_json  # noqa: PLC0415 - not for a
        from agentci.models.scripted import reply  # noqa: PLC0415 - replay

        answer = response_json(reply(script, call.request, call.address.lane))
        return WireResponse(200, {"content-type": "application/json"}, (canonical_bytes(answer),))

    def _miss(self, call: _Call) -> CassetteMiss:
        return self.session.miss(call.address, call.canonical, "model")

    def _not_configured(self, call: _Call, why: NotConfigured) -> Exception:
        if self.session.mode is Mode.LIVE:
            return UsageError(why.reason, code="ACI-U136", hint=why.hint)
        miss = self._miss(call)
        return miss.restated(
            f"{miss.message}\nit cannot be recorded now: {why.reason}",
            hint=f"to record it, {why.hint}; {miss.hint}" if miss.hint else why.hint,
        )


def _refuse_key(call: _Call, response: WireResponse, endpoint: Endpoint) -> None:
    """Keep the very key of a call out of its recording, whatever shape it has.

    Short values are placeholders such as `ollama`, and words that may well stand in a text.
    """
    key = endpoint.key or ""
    if len(key) < _SHORTEST_KEY:
        return
    if key.encode() in response.body or key.encode() in canonical_bytes(call.canonical):
        raise SafetyRefusal(
            f"the key in `{endpoint.key_env}` stands in the text of a call, so the call is not "
            "recorded",
            code="ACI-P150",
            hint="find out how the key came into a prompt, a tool's output or an answer, and "
            "replace it with a new one",
            location=Location(lane=call.address.lane),
        )


def _seed_note(spec: ModelSpec, request: ModelRequest, dialect: Dialect) -> SeedNote:
    if request.seed is None:
        return SeedNote(None, sent=False, reason="no seed was derived for this call")
    if not spec.seed:
        return SeedNote(request.seed, sent=False, reason="`seed: false` in the definition")
    if not dialect.seed_support:
        reason = f"the wire format `{dialect.name}` has no seed"
        return SeedNote(request.seed, sent=False, reason=reason)
    return SeedNote(request.seed, sent=True, reason="")


def _notes(seed: SeedNote) -> JsonObject:
    if seed.value is None:
        return {}
    note: dict[str, Any] = {"value": seed.value, "sent": seed.sent}
    return {"seed": note if seed.sent else {**note, "reason": seed.reason}}
