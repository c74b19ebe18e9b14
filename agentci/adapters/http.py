"""The only way out to a network: HTTP by httpx2, imported when the first request is sent.

Proxies, certificates and credentials of the environment are not looked at and redirects are not
followed, so that a request with a key in it goes to the address that was configured and nowhere
else. Error messages name scheme, host and port only.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from agentci import __version__
from agentci.core.errors import ProviderError
from agentci.core.wire import HttpRequest, WireResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import httpx2

LARGEST_BODY = 64_000_000
"""Bytes of an answer, beyond which an endpoint is taken to be broken."""

_MOST_URLS = 64
_DEFAULTS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": f"agentci/{__version__}"}
_KEPT_HEADERS = ("content-type", "retry-after", "retry-after-ms", "x-should-retry")

_CONNECTION_FAILED = "ACI-E130"
_CONNECTION_LOST = "ACI-E131"
_TIMED_OUT = "ACI-E132"
_CANNOT_TALK = "ACI-E133"


class HttpTransport:
    """`Http` over the network. Belongs to one event loop, with any number of calls at a time."""

    def __init__(self) -> None:
        self._transport: httpx2.AsyncHTTPTransport | None = None
        self._urls: dict[str, httpx2.URL] = {}
        """Taken apart already: a run asks a few addresses again and again."""

    async def send(
        self, request: HttpRequest, *, on_chunk: Callable[[bytes], None] | None = None
    ) -> WireResponse:
        """Send `request` and return the whole answer, see `Http.send`."""
        return await self._send(request, lambda _status, _headers: None, on_chunk, _KEPT_HEADERS)

    async def relay(
        self,
        request: HttpRequest,
        *,
        on_start: Callable[[int, Mapping[str, str]], None],
        on_chunk: Callable[[bytes], None],
    ) -> WireResponse:
        """Send `request` and hand the answer on while it arrives, see `Relay.relay`."""
        from agentci.record.http.form import KEPT_HEADERS  # noqa: PLC0415 - only the proxy relays

        return await self._send(request, on_start, on_chunk, KEPT_HEADERS)

    async def _send(
        self,
        request: HttpRequest,
        on_start: Callable[[int, Mapping[str, str]], None],
        on_chunk: Callable[[bytes], None] | None,
        keep: Sequence[str],
    ) -> WireResponse:
        import httpx2  # noqa: PLC0415  # a replay never gets here and does not pay for it

        transport = self._open()
        try:
            response = await transport.handle_async_request(
                httpx2.Request(
                    request.method,
                    self._url(request.url),
                    headers=_DEFAULTS | {n.lower(): text for n, text in request.headers.items()},
                    content=request.content,
                    extensions={"timeout": httpx2.Timeout(request.timeout, pool=None).as_dict()},
                )
            )
            try:
                headers = response.headers
                kept = {name: headers[name] for name in keep if name in headers}
                on_start(response.status_code, kept)
                chunks = await _read(response, on_chunk)
                return WireResponse(response.status_code, kept, chunks)
            finally:
                await response.aclose()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            problem = _provider_error(error, request)
        # Raised here, so that it does not carry the cause, which has the request with its headers.
        raise problem

    async def close(self) -> None:
        """Close all connections."""
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    def _open(self) -> httpx2.AsyncHTTPTransport:
        if self._transport is None:
            import httpx2  # noqa: PLC0415  # see `send`

            # A client around it would keep cookies, and take a third of a call's time.
            self._transport = httpx2.AsyncHTTPTransport(
                trust_env=False,
                limits=httpx2.Limits(max_connections=256, max_keepalive_connections=32),
            )
        return self._transport

    def _url(self, text: str) -> httpx2.URL:
        url = self._urls.get(text)
        if url is None:
            import httpx2  # noqa: PLC0415  # see `send`

            if len(self._urls) >= _MOST_URLS:
                self._urls.clear()
            url = self._urls[text] = httpx2.URL(text)
        return url


async def _read(
    response: httpx2.Response, on_chunk: Callable[[bytes], None] | None
) -> tuple[bytes, ...]:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > LARGEST_BODY:
            msg = f"the answer is larger than {LARGEST_BODY} bytes"
            raise ValueError(msg)
        chunks.append(chunk)
        if on_chunk is not None:
            on_chunk(chunk)
    return tuple(chunks)


def _provider_error(error: Exception, request: HttpRequest) -> ProviderError:
    import httpx2  # noqa: PLC0415  # see `HttpTransport.send`

    origin = _origin(request.url)
    if isinstance(error, httpx2.TimeoutException):
        return ProviderError(
            f"nothing came from `{origin}` for {request.timeout:g} s",
            code=_TIMED_OUT,
            hint="check the address, or give the model a longer `timeout`",
        )
    if _is_certificate_problem(error):
        return ProviderError(
            f"the certificate of `{origin}` is not trusted",
            code=_CANNOT_TALK,
            hint="check the base URL; certificates of the environment are not used",
        )
    if origin is None:
        return _cannot_be_made("the configured address", "it is not a URL")
    if isinstance(error, httpx2.ConnectError):
        return ProviderError(
            f"no connection to `{origin}`",
            code=_CONNECTION_FAILED,
            hint="check the base URL and the network, and that the server is running",
        )
    if isinstance(error, httpx2.NetworkError | httpx2.RemoteProtocolError):
        return ProviderError(
            f"the connection to `{origin}` was lost before the answer was complete",
            code=_CONNECTION_LOST,
            hint="try again; nothing of this answer was kept",
        )
    # The text of other errors may hold a header's value.
    return _cannot_be_made(
        origin, str(error) if type(error) is ValueError else type(error).__name__
    )


def _cannot_be_made(origin: str, reason: str) -> ProviderError:
    return ProviderError(
        f"the call of `{origin}` cannot be made: {reason}",
        code=_CANNOT_TALK,
        hint="check the base URL and the configured headers",
    )


def _is_certificate_problem(error: BaseException | None) -> bool:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, ssl.SSLError):
            return isinstance(error, ssl.SSLCertVerificationError)
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


def _origin(url: str) -> str | None:
    """Return scheme, host and port, or None where `url` is not one."""
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return None
    return f"{parts.scheme}://{host}"
