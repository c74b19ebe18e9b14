"""Addresses of the proxy: which lane and provider a request is for, and what a program is told.

`/<token>/<lane>/<provider>/<path>`: the token keeps other programs of the machine out, the lane is
percent-encoded, the provider is a row of the registry. Knows no wire format.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from agentci.core.lane import Lane
from agentci.models.registry import Provider

STAND_IN_KEY: Final = "agentci-proxy"
"""What programs get as their key. The proxy puts the real one in its place."""

_VERSION: Final = "/v1"
_KEYS: Final = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY")
_KEY_FOR_GEMINI: Final = "GOOGLE_API_KEY"
_ON_THIS_MACHINE: Final = "127.0.0.1,localhost"


@dataclass(frozen=True, slots=True)
class ProxyAddress:
    """A request's target, taken apart."""

    token: str
    lane: Lane
    provider: str
    path: str
    """Below the provider, with a leading slash, without the query."""
    query: str


def parse_target(target: str) -> ProxyAddress | None:
    """Take apart the target of a request; None where it is not one of ours."""
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    pieces = parts.path.split("/", 4)
    if len(pieces) < 4 or pieces[0]:
        return None
    _, token, lane, provider, *rest = pieces
    return ProxyAddress(
        token, Lane(unquote(lane)), unquote(provider), "/" + "".join(rest), parts.query
    )


def lane_url(origin: str, token: str, lane: Lane) -> str:
    """Return the address of a lane; a provider's name comes behind it."""
    return f"{origin}/{token}/{quote(lane, safe='')}"


def client_environment(
    url: str, env: Callable[[str], str | None], *, stand_in: bool
) -> dict[str, str]:
    """Return the variables that point a program's clients to the lane at `url`.

    With `stand_in`, also keys that are none, so that clients start; else only where none is set.
    """
    changes = {
        "AGENTCI_PROXY_URL": url,
        "OPENAI_BASE_URL": f"{url}/openai{_VERSION}",
        "OPENAI_API_BASE": f"{url}/openai{_VERSION}",
        "ANTHROPIC_BASE_URL": f"{url}/anthropic",
        "GOOGLE_GEMINI_BASE_URL": f"{url}/gemini",
    }
    has_google = bool(env(_KEY_FOR_GEMINI)) and not stand_in
    for name in _KEYS:
        if stand_in or not (env(name) or (has_google and name == "GEMINI_API_KEY")):
            changes[name] = STAND_IN_KEY
    if stand_in and env(_KEY_FOR_GEMINI):
        changes[_KEY_FOR_GEMINI] = STAND_IN_KEY
    for name in ("NO_PROXY", "no_proxy"):
        given = env(name)
        changes[name] = f"{given},{_ON_THIS_MACHINE}" if given else _ON_THIS_MACHINE
    return changes


def upstream_path(provider: Provider, path: str) -> str:
    """Return the path relative to the provider's base URL, which may end in the version itself."""
    versioned = (provider.base_url or _VERSION).endswith(_VERSION)
    if versioned and (path == _VERSION or path.startswith(f"{_VERSION}/")):
        return path.removeprefix(_VERSION)
    return path


def symbolic_url(provider: Provider, path: str, query: str) -> str:
    """Return the address that a recording has: the provider's own, wherever calls really go."""
    base = provider.base_url or f"https://{provider.name}.invalid"
    return f"{base}{path}" + (f"?{query}" if query else "")
