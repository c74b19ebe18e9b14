"""The record/replay proxy: any program on this machine gets its answers from the cassettes.

A program is attached to a lane and told an address below which everything belongs to that lane.
Each request is keyed and given its address before anything is awaited; a recording is served with
the boundaries of its chunks; anything else goes upstream, where that is allowed, and comes back
chunk by chunk while it is recorded. Failures are remembered, because many a client hides them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from agentci.core.effects import Clock, Env, Relay
from agentci.core.errors import (
    AgentciError,
    CassetteMiss,
    Location,
    ProviderError,
    SafetyRefusal,
    missed,
)
from agentci.core.lane import Lane
from agentci.core.messages import Usage
from agentci.core.serving import ServedReply, ServedRequest
from agentci.core.wire import HttpRequest, WireResponse
from agentci.models.endpoints import Endpoint, EndpointSettings, NotConfigured, resolve_endpoint
from agentci.models.proxy_address import (
    STAND_IN_KEY,
    ProxyAddress,
    client_environment,
    lane_url,
    parse_target,
)
from agentci.models.proxy_refusals import NO_ANSWER, NOT_FOUND, REFUSED, refusal
from agentci.models.proxy_requests import (
    AUTHENTICATION,
    ProxiedRequest,
    holds,
    is_worth_keeping,
    read_request,
)
from agentci.models.registry import Provider, find_provider, load_dialect
from agentci.models.spending import SpendingPort, Ticket
from agentci.record.http.encodings import UndecodableError
from agentci.record.http.form import HttpAnswer
from agentci.record.session import Mode, RecordingSession, is_below
from agentci.record.surroundings import Surroundings
from agentci.record.whole_call import Keeping, PlacedCall, keep, miss, place, play

_TIMEOUT: Final = 600.0
"""Seconds without progress after which an upstream is given up."""
_PATIENCE: Final = 120.0
"""Seconds for answers that are still coming when their program has ended."""
_SHORTEST_KEY: Final = 12
_AT_ONCE: Final = 64 * 1024
"""Bytes of a call up to which recording it takes less than handing it to a thread and back. Beyond,
other programs' answers must not wait for it."""


@dataclass(slots=True)
class Attachment:
    """A program that may use the proxy."""

    lane: Lane
    around: Surroundings
    rules: tuple[str, ...]
    """Patterns that a pipeline's step declares as volatile."""
    failures: list[Exception] = field(default_factory=list)
    """What went wrong, whatever the program made of it. A bug of ours is among it as it is."""
    pending: set[asyncio.Task[None]] = field(default_factory=set)
    served: int = 0
    """Requests that got an answer, replayed or new."""


@dataclass(frozen=True, slots=True)
class _Call:
    attachment: Attachment
    provider: Provider
    request: ProxiedRequest
    http: ServedRequest
    placed: PlacedCall


@dataclass(frozen=True, slots=True)
class _Head:
    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _End:
    """The answer is over; with an `error`, it is not whole."""

    error: ProviderError | None = None


_Event: TypeAlias = _Head | bytes | _End


@dataclass(slots=True, kw_only=True)
class Proxy:
    """Answers the requests of attached programs. Belongs to one event loop."""

    session: RecordingSession
    upstream: Relay
    clock: Clock
    env: Env
    token: str
    endpoints: Mapping[str, EndpointSettings] = field(default_factory=dict)
    spending: SpendingPort | None = None
    """Lets calls of an upstream through; None for all of them."""
    origin: str = ""
    """Where the server listens; set once it does."""
    _attached: dict[Lane, Attachment] = field(default_factory=dict)

    def attach(
        self, lane: Lane, around: Surroundings, *, rules: tuple[str, ...] = ()
    ) -> Attachment:
        """Let a program use `lane` and what is below it, until `detach`."""
        attachment = self._attached[lane] = Attachment(lane, around, rules)
        return attachment

    def environment(self, lane: Lane, *, stand_in: bool) -> dict[str, str]:
        """Return the variables that point a program to `lane`, see `client_environment`."""
        url = lane_url(self.origin, self.token, lane)
        return client_environment(url, self.env.get, stand_in=stand_in)

    def drop(self, attachment: Attachment) -> None:
        """Answer a program no more that was stopped; answers under way are not waited for."""
        for task in attachment.pending:
            task.cancel()
        self._attached.pop(attachment.lane, None)

    async def detach(self, attachment: Attachment) -> None:
        """Wait for answers that are still being recorded, and answer the program no more.

        Raises:
            AgentciError: the first failure of the program's requests.
        """
        if attachment.pending:
            _, late = await asyncio.wait(set(attachment.pending), timeout=_PATIENCE)
            for task in late:
                task.cancel()
        self._attached.pop(attachment.lane, None)
        if attachment.failures:
            raise _first_of(attachment.failures)

    async def handle(self, request: ServedRequest, reply: ServedReply) -> None:
        """Answer one request; the handler for an `HttpServer`."""
        address = parse_target(request.target)
        attachment = self._attachment(address)
        if address is None or attachment is None:
            await _send(refusal("", NOT_FOUND, "agentci: no program has this address"), reply)
            return
        if request.method == "HEAD":  # a probe: is anybody there?
            await reply.start(200, {}, length=0)
            await reply.finish()
            return
        try:
            call = self._issue(request, address, attachment)
            await self._answer(call, reply)
        except UndecodableError as error:
            problem = CassetteMiss(f"the body of a request cannot be read: {error}")
            await self._fail(attachment, address.provider, problem, reply)
        except Exception as error:  # noqa: BLE001 - raised again when the program has ended
            await self._fail(attachment, address.provider, error, reply)

    def _attachment(self, address: ProxyAddress | None) -> Attachment | None:
        if address is None or address.token != self.token:
            return None
        found = [each for lane, each in self._attached.items() if is_below(address.lane, lane)]
        return max(found, key=lambda each: len(each.lane), default=None)

    def _issue(self, http: ServedRequest, address: ProxyAddress, to: Attachment) -> _Call:
        provider = find_provider(address.provider)
        request = read_request(http, address, provider, around=to.around, rules=to.rules)
        placed = place(self.session, request.read, address.lane, around=to.around, ordered=False)
        return _Call(to, provider, request, http, placed)

    async def _answer(self, call: _Call, reply: ServedReply) -> None:
        if self.session.mode is not Mode.LIVE:
            recorded = self.session.lookup(call.placed.address)
            if recorded is not None:
                response = play(recorded, call.placed.around)
                call.attachment.served += 1
                await _send(response, reply)
                return
            if not self.session.can_record:
                raise miss(self.session, call.placed)
        endpoint = self._endpoint(call)
        events: asyncio.Queue[_Event] = asyncio.Queue()
        ticket = None
        read = call.request.read
        if self.spending is not None and read.kind == "model":
            ticket = await self.spending.admit(read.canonical, call.placed.address.lane)
        task = asyncio.create_task(self._fetch(call, endpoint, events, ticket))
        call.attachment.pending.add(task)
        task.add_done_callback(call.attachment.pending.discard)
        await _pass_on(events, reply, call.provider.name)

    def _endpoint(self, call: _Call) -> Endpoint:
        provider = call.provider
        if _own_key(call.http):
            provider = replace(provider, key_required=False)
        settings = self.endpoints.get(provider.name)
        endpoint = resolve_endpoint(provider, settings, self.env)
        if isinstance(endpoint, NotConfigured):
            problem = miss(self.session, call.placed)
            hint = f"to record it, {endpoint.hint}; {problem.hint}" if problem.hint else None
            raise problem.restated(
                f"{problem.message}\nit cannot be recorded now: {endpoint.reason}",
                hint=hint or endpoint.hint,
            )
        return endpoint

    async def _fetch(
        self,
        call: _Call,
        endpoint: Endpoint,
        events: asyncio.Queue[_Event],
        ticket: Ticket | None,
    ) -> None:
        """Get an answer to its end, whether or not the client is still there, and record it."""
        kept = False
        response: WireResponse | None = None
        error: ProviderError | None = None
        since = self.clock.monotonic()
        try:
            response = await self.upstream.relay(
                _outbound(call, endpoint),
                on_start=lambda status, headers: events.put_nowait(_Head(status, headers)),
                on_chunk=events.put_nowait,
            )
            seconds = self.clock.monotonic() - since
            if self.session.mode is not Mode.LIVE and is_worth_keeping(response, call.request):
                if len(call.http.body) + sum(map(len, response.chunks)) <= _AT_ONCE:
                    self._record(call, endpoint, response, seconds)
                else:
                    await asyncio.to_thread(self._record, call, endpoint, response, seconds)
                kept = True
            call.attachment.served += 1
        except ProviderError as problem:
            error = problem
        except Exception as problem:  # noqa: BLE001 - raised again when the program has ended
            call.attachment.failures.append(problem)
        finally:
            if not kept:
                self.session.release(call.placed.address)
            if ticket is not None and self.spending is not None:
                await self.spending.settle(ticket, _usage(call, response))
            events.put_nowait(_End(error))

    def _record(
        self, call: _Call, endpoint: Endpoint, response: WireResponse, seconds: float
    ) -> None:
        for key in (endpoint.key, _own_key(call.http)):
            if key and len(key) >= _SHORTEST_KEY and holds(call.request, response, key):
                raise _has_key(call, endpoint)
        keep(
            self.session,
            call.placed,
            HttpAnswer(response.status, response.headers, response.chunks),
            how=Keeping(
                now=self.clock.now(),
                client=call.http.headers.get("user-agent", ""),
                source={"provider": call.provider.name, "from": endpoint.origin},
                seconds=seconds,
            ),
        )

    async def _fail(
        self, attachment: Attachment, provider: str, error: Exception, reply: ServedReply
    ) -> None:
        attachment.failures.append(error)
        code = f"{error.code}: " if isinstance(error, AgentciError) else ""
        text = f"agentci: {code}{error}"
        await _send(refusal(provider, REFUSED, text), reply)


def _usage(call: _Call, response: WireResponse | None) -> Usage | None:
    dialect = load_dialect(call.provider.dialect)
    try:
        return None if response is None else dialect.decode(response).usage
    except AgentciError:
        return None


async def _send(response: WireResponse, reply: ServedReply) -> None:
    chunks = response.chunks
    length = sum(map(len, chunks)) if len(chunks) <= 1 else None
    await reply.start(response.status, response.headers, length=length)
    for chunk in chunks:
        await reply.send(chunk)
    await reply.finish()


async def _pass_on(events: asyncio.Queue[_Event], reply: ServedReply, provider: str) -> None:
    """Hand an answer on while it comes; its end comes once it is recorded."""
    started = False
    while True:
        event = await events.get()
        if isinstance(event, _Head):
            started = True
            await reply.start(event.status, event.headers)
        elif isinstance(event, bytes):
            await reply.send(event)
        else:
            break
    if event.error is None and started:
        await reply.finish()
    elif started:
        reply.abort()
    else:
        reason = event.error.message if event.error is not None else "there is no answer"
        await _send(refusal(provider, NO_ANSWER, f"agentci: {reason}"), reply)


def _own_key(http: ServedRequest) -> str | None:
    """Return the key that a program has of its own, or None where it has the stand-in."""
    for name in AUTHENTICATION:
        value = http.headers.get(name, "").removeprefix("Bearer ").strip()
        if value and value != STAND_IN_KEY:
            return value
    return None


def _outbound(call: _Call, endpoint: Endpoint) -> HttpRequest:
    headers = dict(call.request.headers)
    path = call.request.path
    if _own_key(call.http) is None:
        headers = {n: v for n, v in headers.items() if n not in AUTHENTICATION}
        if endpoint.key:
            dialect = load_dialect(call.provider.dialect)
            headers |= {n.lower(): v for n, v in dialect.auth_headers(endpoint.key).items()}
            path = path.replace(f"key={STAND_IN_KEY}", f"key={endpoint.key}")
    headers |= {name.lower(): value for name, value in endpoint.headers.items()}
    http = call.http
    return HttpRequest(http.method, endpoint.base_url + path, headers, http.body, timeout=_TIMEOUT)


def _has_key(call: _Call, endpoint: Endpoint) -> SafetyRefusal:
    return SafetyRefusal(
        f"the key of a call (`{endpoint.key_env}`) stands in its text, so it is not recorded",
        code="ACI-P151",
        hint="find out how the key came into a prompt, a tool's output or an answer, and "
        "replace it with a new one",
        location=Location(lane=call.placed.address.lane),
    )


def _first_of(failures: list[Exception]) -> Exception:
    """Return what a run fails with: a bug of ours, else the first failure, else all misses."""
    bug = next((each for each in failures if not isinstance(each, AgentciError)), None)
    misses = [each for each in failures if isinstance(each, CassetteMiss)]
    if len(misses) == len(failures):  # in an order that does not depend on who was faster
        return missed(tuple(sorted(misses, key=lambda miss: (miss.lane, miss.message))))
    return bug or next(each for each in failures if not isinstance(each, CassetteMiss))
