"""Which addresses speak a dialect of ours, as data, so that a foreign recording gets the same key.

The key of a model call is the digest of the dialect, the path below the provider's base URL, and
the body (see `record.keys`). Layers above own the dialects; a test keeps this table equal to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.wire import WireRequest
from agentci.record.keys import canonical_request


@dataclass(frozen=True, slots=True)
class DialectRow:
    """One kind of address."""

    dialect: str
    """Name and version, as in a key."""
    path: re.Pattern[str]
    """Finds the end of the path of a URL."""
    wire: str
    """The path in the key; `{model}` stands for what the pattern has found."""
    requires: str
    """A field of the body, without which it is something else."""
    base: str
    """What stands between host and path at the provider itself."""


DIALECT_ROWS: Final = (
    DialectRow(
        "openai-chat/1", re.compile(r"/chat/completions$"), "/chat/completions", "messages", "/v1"
    ),
    DialectRow("openai-responses/1", re.compile(r"/responses$"), "/responses", "input", "/v1"),
    DialectRow(
        "anthropic-messages/1", re.compile(r"/v1/messages$"), "/v1/messages", "messages", ""
    ),
    DialectRow(
        "gemini/1",
        re.compile(
            r"/v1(?:beta)?/models/(?P<model>[^/:]+-latest):(?P<call>\w*[gG]enerateContent)$"
        ),
        "/v1beta/models/{model}:{call}",
        "contents",
        "",
    ),
    DialectRow(
        "gemini/1",
        re.compile(r"/v1(?:beta)?/models/(?P<model>[^/:]+):(?P<call>\w*[gG]enerateContent)$"),
        "/v1/models/{model}:{call}",
        "contents",
        "",
    ),
)


def model_request(method: str, url: str, body: JsonValue) -> JsonObject | None:
    """Return the canonical request that the gateway makes for this call; None for other traffic.

    Raises:
        ValueError: when `url` is no URL.
    """
    if method.upper() != "POST" or not isinstance(body, Mapping):
        return None
    parts = urlsplit(url)
    for row in DIALECT_ROWS:
        found = row.path.search(parts.path)
        if found is None or row.requires not in body:
            continue
        fields = {name: _spelled(value) for name, value in found.groupdict().items()}
        path = row.wire.format(**fields)
        if ("alt", "sse") in parse_qsl(parts.query):
            path += "?alt=sse"
        return canonical_request(row.dialect, WireRequest("POST", path, body))
    return None


def base_path(dialect: str) -> str:
    """Return what stands between host and path for a dialect; empty where that is not known."""
    return next((row.base for row in DIALECT_ROWS if row.dialect == dialect), "")


def _spelled(model: str) -> str:
    return quote(unquote(model), safe="/-._~@")
