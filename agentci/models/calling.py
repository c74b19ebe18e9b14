"""One call of an endpoint: headers, tries, waiting in between, and what to say when it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agentci import __version__
from agentci.core.canonical import canonical_bytes
from agentci.core.effects import Clock, Http
from agentci.core.errors import Location, ProviderError
from agentci.core.lane import Lane
from agentci.core.seed import derive_seed
from agentci.core.wire import HttpRequest, WireRequest, WireResponse
from agentci.models.dialect import Dialect
from agentci.models.endpoints import Endpoint
from agentci.models.retries import delay_before, is_success, may_pass, worth_another_try
from agentci.record.interaction import Address
from agentci.spec.pipeline import ModelSpec


@dataclass(frozen=True, slots=True)
class Retry:
    """Event: a call failed and will be sent again."""

    lane: Lane
    attempt: int
    """The attempt to come, 2 or more."""
    delay: float
    """Seconds until then."""
    reason: str


@dataclass(frozen=True, slots=True)
class TimedResponse:
    """A whole answer, and how long it took."""

    response: WireResponse
    seconds: float
    """Of the try that was answered, without failed ones and the waiting in between."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """An attempt without an answer."""

    error: ProviderError
    again: bool
    response: WireResponse | None


@dataclass(frozen=True, slots=True)
class Calling:
    """How calls reach one endpoint."""

    http: Http
    clock: Clock
    dialect: Dialect
    endpoint: Endpoint
    spec: ModelSpec
    """Gives the provider's name, the number of tries and the timeout."""
    on_retry: Callable[[Retry], None]

    async def send(self, wire: WireRequest, *, address: Address, seed: int) -> TimedResponse:
        """Return the first whole answer; `seed` gives the jitter between tries.

        Raises:
            ProviderError: the last failure.
        """
        request = self._http_request(wire)
        attempt = 1
        while True:
            outcome = await self._try(request)
            if isinstance(outcome, TimedResponse):
                return outcome
            if not outcome.again or attempt >= self.spec.attempts:
                raise self._final(outcome.error, attempt, address)
            attempt += 1
            delay = delay_before(
                attempt,
                seed=derive_seed(seed, address.lane, address.key, f"retry {attempt}"),
                response=outcome.response,
                now=self.clock.now(),
            )
            self.on_retry(Retry(address.lane, attempt, delay, outcome.error.message))
            await self.clock.sleep(delay)

    async def _try(self, request: HttpRequest) -> TimedResponse | _Failure:
        response = None
        since = self.clock.monotonic()
        try:
            response = await self.http.send(request)
            seconds = self.clock.monotonic() - since
            if not is_success(response.status):
                return _Failure(self._refused(response), worth_another_try(response), response)
            self.dialect.decode(response)  # an answer that is cut short is not an answer
        except ProviderError as error:
            return _Failure(error, may_pass(error), response)
        return TimedResponse(response, seconds)

    def _http_request(self, wire: WireRequest) -> HttpRequest:
        endpoint = self.endpoint
        headers = {
            "user-agent": f"agentci/{__version__}",
            "accept": "text/event-stream, application/json",
            "content-type": "application/json",
            **wire.headers,
            **(self.dialect.auth_headers(endpoint.key) if endpoint.key else {}),
            **{name.lower(): value for name, value in endpoint.headers.items()},
        }
        content = canonical_bytes(wire.body)
        return HttpRequest(
            wire.method, endpoint.base_url + wire.path, headers, content, timeout=self.spec.timeout
        )

    def _refused(self, response: WireResponse) -> ProviderError:
        said = self.endpoint.scrub(self.dialect.error_text(response))
        status = response.status
        message = f"the provider `{self.spec.provider}` answered with status {status}: {said}"
        if 300 <= status < 400:
            hint = "redirects are not followed; set the base URL to where it leads"
            return ProviderError(message, code="ACI-E135", hint=hint)
        if status in {401, 403}:
            variable = self.endpoint.key_env
            held = f"check the key in `{variable}`" if self.endpoint.key else f"set `{variable}`"
            return ProviderError(message, code="ACI-E136", hint=held)
        if status == 429:
            hint = "wait, ask for a higher limit, or run with a smaller `--jobs`"
            return ProviderError(message, code="ACI-E137", hint=hint)
        hint = "check the model's `id` and `parameters`" if status < 500 else "try again later"
        return ProviderError(message, code="ACI-E134", hint=hint)

    def _final(self, error: ProviderError, attempts: int, address: Address) -> ProviderError:
        tries = f" ({attempts} tries)" if attempts > 1 else ""
        return ProviderError(
            f"{self.endpoint.scrub(error.message)}{tries}",
            code=error.code,
            hint=error.hint,
            location=Location(lane=address.lane),
        )
