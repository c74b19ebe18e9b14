"""Where a provider's calls go, and with which key: from the environment and the project's config.

A key is read from the environment when a call is about to leave, stands in one value whose `repr`
hides it, and goes into one header. It is in no error, event or recording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

from agentci.core.effects import Env
from agentci.core.errors import UsageError
from agentci.models.registry import Provider


class EndpointSettings(Protocol):
    """What the project's config says about one provider."""

    @property
    def base_url(self) -> str | None:
        """Base URL instead of the provider's own."""

    @property
    def api_key_env(self) -> str | None:
        """Environment variable with the key, instead of the provider's usual ones."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers to add to each call."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place to send calls to."""

    base_url: str
    """Without a trailing slash."""
    key: str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    key_env: str
    """Where the key was, or would have been, for messages."""

    @property
    def origin(self) -> str:
        """Scheme, host and port, for messages and provenance."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    def scrub(self, text: str) -> str:
        """Return `text` without the key, should a provider have echoed it."""
        return text.replace(self.key, "<key>") if self.key else text


@dataclass(frozen=True, slots=True)
class NotConfigured:
    """Why no call can be made."""

    reason: str
    hint: str


EndpointLookup: TypeAlias = Endpoint | NotConfigured


def resolve_endpoint(
    provider: Provider, settings: EndpointSettings | None, env: Env
) -> EndpointLookup:
    """Find the endpoint of `provider`. The environment wins over the config, as everywhere.

    A provider's default address needs a key. An address that the user gave may do without one,
    since gateways and local servers often do.

    Raises:
        UsageError: when the base URL or the key cannot be used as it is.
    """
    given = (env.get(provider.base_url_env) if provider.base_url_env else None) or (
        settings.base_url if settings is not None else None
    )
    base_url = given or provider.base_url
    if not base_url:
        return NotConfigured(
            f"no base URL is configured for the provider `{provider.name}`",
            f"set `{provider.base_url_env}`, or `endpoints.{provider.name}.base_url` in "
            "`agentci.yaml`",
        )
    named = settings.api_key_env if settings is not None else None
    names = (named,) if named else provider.key_env
    variable = next((name for name in names if (env.get(name) or "").strip()), None)
    if variable is None and (named or (provider.key_required and not given)):
        wanted = " or ".join(f"`{name}`" for name in names)
        return NotConfigured(f"no key for the provider `{provider.name}` is set", f"set {wanted}")
    return Endpoint(
        base_url=_checked_url(base_url, provider),
        key=_read_key(variable, env) if variable else None,
        headers=dict(settings.headers) if settings is not None else {},
        key_env=variable or (names[0] if names else ""),
    )


def _read_key(variable: str, env: Env) -> str:
    key = (env.get(variable) or "").strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError(
            f"the value of `{variable}` cannot be a key: it has spaces, line breaks or letters "
            "that no HTTP header carries",
            code="ACI-U133",
            hint=f"set `{variable}` to the key alone",
        )
    return key


def _checked_url(base_url: str, provider: Provider) -> str:
    trimmed = base_url.strip().rstrip("/")
    problem = _url_problem(trimmed)
    if problem is not None:
        # The value is not shown: an address that is wrong may well have a key in it.
        raise UsageError(
            f"the base URL of the provider `{provider.name}` {problem}",
            code="ACI-U134",
            hint="use an address such as `http://localhost:8000/v1`, and an environment variable "
            "for the key",
        )
    return trimmed


def _url_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if parts.scheme not in {"http", "https"} or not host:
        return "does not start with `http://` or `https://` and a host"
    if parts.username is not None or parts.password is not None:
        return "has a user name or password in it"
    if parts.query or parts.fragment:
        return "has a query or a fragment in it"
    return None
