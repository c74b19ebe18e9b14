"""The contract of a dialect: a pure pair of encode and decode for one wire format.

A dialect knows a format, never a provider's address, a key's value, a clock or a socket. Paths are
relative to the base URL that the provider's own SDK uses, so that the same environment variables
work: `https://api.openai.com/v1`, `https://api.anthropic.com`,
`https://generativelanguage.googleapis.com`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias, runtime_checkable

from agentci.core.digest import Digest
from agentci.core.json_types import JsonObject
from agentci.core.messages import ModelRequest, ModelResponse
from agentci.core.wire import WireRequest, WireResponse

BlobReader: TypeAlias = Callable[[Digest], bytes]
"""Returns the bytes of a part that lives in the object store."""

UNPARSED_ARGUMENTS = "__unparsed__"
"""The one key of a tool call's arguments when the model's text was not a JSON object; its value is
that text. The agent loop answers such a call with an error instead of running the tool."""


class Dialect(Protocol):
    """One wire format. Implementations are stateless values, named by an import string."""

    @property
    def name(self) -> str:
        """Name of the format, part of every key: for example `openai-chat`."""

    @property
    def version(self) -> int:
        """Raised when the same neutral request gets another body; recordings then miss."""

    @property
    def seed_support(self) -> bool:
        """Whether the format has a field for a seed."""

    def encode(self, request: ModelRequest, blob: BlobReader) -> WireRequest:
        """Return the request on the wire. The same request gives the same body on any machine.

        Raises:
            UsageError: when the format cannot carry a part or a parameter of the request.
        """

    def decode(self, response: WireResponse) -> ModelResponse:
        """Return the answer in a response, whether it came as JSON or as a stream of events.

        Raises:
            ProviderError: when the response is an error, is cut short, or is malformed.
        """

    def auth_headers(self, key: str) -> Mapping[str, str]:
        """Return the headers that carry `key`; the only place where a key meets a request."""

    def error_text(self, response: WireResponse) -> str:
        """Return what the provider says went wrong, in one line, or the start of the body."""


@runtime_checkable
class BodyHeaders(Protocol):
    """A dialect whose requests need headers that can be told from the body alone."""

    def body_headers(self, body: JsonObject) -> Mapping[str, str]:
        """Return what `encode` puts beside `body`; a recorded request has no headers."""
