"""A program's request as the interaction that it is: decoded, masked, keyed.

Model calls get the key that agentci's own gateway gives them, everything else the form `http`.
Nothing here sends or serves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agentci.core.canonical import canonical_bytes
from agentci.core.serving import ServedRequest
from agentci.core.wire import WireResponse
from agentci.models.proxy_address import ProxyAddress, symbolic_url, upstream_path
from agentci.models.registry import Provider
from agentci.record.http.encodings import decode_content
from agentci.record.read_call import Masking, ReadCall, Sent, read_call
from agentci.record.surroundings import Surroundings

AUTHENTICATION: Final = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
_NOT_FORWARDED: Final = frozenset(
    {
        "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_PASSING: Final = frozenset({401, 403, 407, 408, 409, 425, 429})
"""Answers about who asks or when, not about what is asked."""
_ENDS: Final[Mapping[str, tuple[bytes, ...]]] = {
    # some servers that are compatible end without a word, after the reason
    "openai-chat": (b"[DONE]", b'"finish_reason":"', b'"finish_reason": "'),
    "openai-responses": (b"response.completed", b"response.incomplete", b"response.failed"),
    "anthropic-messages": (b"message_stop",),
    "gemini": (b"finishReason", b"finish_reason", b"blockReason"),
}
"""What a whole stream has in it, by dialect."""


@dataclass(frozen=True, slots=True)
class ProxiedRequest:
    """A request of a program, ready to be looked up."""

    read: ReadCall
    path: str
    """Relative to the provider's base URL, query included."""
    headers: Mapping[str, str] = field(repr=False)
    """Those that go to the provider, authentication included."""


def read_request(
    request: ServedRequest,
    address: ProxyAddress,
    provider: Provider,
    *,
    around: Surroundings,
    rules: tuple[str, ...],
) -> ProxiedRequest:
    """Return what a request asks for.

    Raises:
        UndecodableError: when its body is not what its content encoding says.
        EnvironmentProblem: when the package for its content encoding is not installed.
    """
    path = upstream_path(provider, address.path)
    url = symbolic_url(provider, path, address.query)
    body = decode_content(request.body, request.headers.get("content-encoding", "")).data
    read = read_call(
        Sent(
            method=request.method,
            url=url,
            path=address.path,
            body=body,
            content_type=request.headers.get("content-type", ""),
            user_agent=request.headers.get("user-agent", ""),
        ),
        Masking(around, rules),
    )
    return ProxiedRequest(
        read=read,
        path=path + (f"?{address.query}" if address.query else ""),
        headers={n: v for n, v in request.headers.items() if n not in _NOT_FORWARDED},
    )


def is_worth_keeping(response: WireResponse, request: ProxiedRequest) -> bool:
    """Say whether an answer is recorded: it is final, and a stream of a known kind is whole."""
    status = response.status
    if status in _PASSING or not 200 <= status < 500:
        return False
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/event-stream" or status >= 300:
        return True
    ends = _ENDS.get(str(request.read.canonical.get("dialect")).partition("/")[0])
    if ends is None or request.read.kind != "model":
        return bool(response.body)
    body = response.body
    return any(end in body for end in ends)


def holds(request: ProxiedRequest, response: WireResponse, key: str) -> bool:
    """Say whether the text of a call has `key` in it."""
    found = key.encode()
    return found in response.body or found in canonical_bytes(request.read.canonical)
