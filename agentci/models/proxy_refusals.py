"""What the proxy says when there is no answer, in the shape of the provider's own errors.

Clients show the message of such an error and, with status 400, do not ask again.
"""

from __future__ import annotations

import json
from typing import Final

from agentci.core.json_types import JsonObject
from agentci.core.wire import WireResponse

REFUSED: Final = 400
"""The only status after which all known clients give up at once."""
NO_ANSWER: Final = 502
NOT_FOUND: Final = 404

_GOOGLE_STATUS: Final = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND"}


def refusal(provider: str, status: int, message: str) -> WireResponse:
    """Return an error answer as a client of `provider` understands it."""
    headers = {"content-type": "application/json"}
    if status == REFUSED:
        headers["x-should-retry"] = "false"
    body = json.dumps(_body(provider, status, message), ensure_ascii=False).encode()
    return WireResponse(status, headers, (body,))


def _body(provider: str, status: int, message: str) -> JsonObject:
    kind = "invalid_request_error" if status < 500 else "api_error"
    if provider == "anthropic":
        return {"type": "error", "error": {"type": kind, "message": message}}
    if provider == "gemini":
        name = _GOOGLE_STATUS.get(status, "UNAVAILABLE")
        return {"error": {"code": status, "message": message, "status": name}}
    return {"error": {"message": message, "type": kind, "param": None, "code": "agentci"}}
