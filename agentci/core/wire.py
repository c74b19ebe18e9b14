"""HTTP requests and responses as values: what a dialect encodes to and decodes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from agentci.core.json_types import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request of a model dialect. Its canonical JSON body is both sent and hashed."""

    method: str
    path: str
    """Relative to the provider's base URL, with a leading slash, query included."""
    body: JsonObject
    headers: Mapping[str, str] = field(default_factory=dict)
    """Fixed headers of the dialect, without authentication. Not part of the key."""


@dataclass(frozen=True, slots=True)
class WireResponse:
    """A response with the boundaries of its chunks, as they arrived."""

    status: int
    headers: Mapping[str, str]
    """Lower-case names; only those that a recording may keep."""
    chunks: tuple[bytes, ...]
    """Empty where there is a `value`."""
    value: JsonValue = None
    """The body where it is at hand as JSON, from a recording; it is not parsed a second time."""

    @property
    def body(self) -> bytes:
        """All chunks joined, or the value written as JSON."""
        if self.value is not None:
            return json.dumps(self.value, ensure_ascii=False).encode("utf-8")
        return b"".join(self.chunks)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as the transport sends it."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    """With the key in them, so they are never shown."""
    content: bytes
    timeout: float
    """Seconds without progress (connect, or between two chunks) after which it is given up."""
