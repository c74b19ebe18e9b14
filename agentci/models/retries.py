"""When a failed call is sent again, and after how long. Pure; the gateway does the waiting."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime

from agentci.core.errors import ProviderError
from agentci.core.seed import unit_interval
from agentci.core.wire import WireResponse
from agentci.models.reading import CUT_SHORT, FAILED

FIRST_DELAY = 0.5
"""Seconds before the second try, at most; it doubles from try to try."""
LONGEST_DELAY = 30.0
LONGEST_RETRY_AFTER = 120.0
"""Seconds that a provider may ask for; a longer wait is cut to this."""

CONNECTION_FAILED = "ACI-E130"
"""No connection was made."""
CONNECTION_LOST = "ACI-E131"
"""The connection ended before the answer did."""
TIMED_OUT = "ACI-E132"
"""Nothing arrived for longer than the model's `timeout`."""
CANNOT_TALK = "ACI-E133"
"""A certificate, address or answer that another try cannot mend."""

_PASSING = frozenset({CONNECTION_FAILED, CONNECTION_LOST, TIMED_OUT, FAILED, CUT_SHORT})
_TRANSIENT = frozenset({408, 409, 425, 429})
_HOPELESS = frozenset({501, 505})
_SPENT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})


def is_success(status: int) -> bool:
    """Say whether a status means that the body is an answer."""
    return 200 <= status < 300


def worth_another_try(response: WireResponse) -> bool:
    """Say whether the same request may get an answer later."""
    advice = response.headers.get("x-should-retry")
    if advice in {"true", "false"}:
        return advice == "true"
    status = response.status
    if status == 429:
        return not _quota_is_spent(response.body)
    return status in _TRANSIENT or (status >= 500 and status not in _HOPELESS)


def may_pass(error: ProviderError) -> bool:
    """Say whether a call that got no whole answer may get one on another try."""
    return error.code in _PASSING


def delay_before(attempt: int, *, seed: int, response: WireResponse | None, now: float) -> float:
    """Return the seconds to wait before `attempt`, which is 2 or more.

    What the provider asks for comes first. Otherwise the delay doubles, and `seed` takes up to
    half of it away, so that callers that failed together do not come back together.
    """
    asked = _retry_after(response, now) if response is not None else None
    if asked is not None:
        return min(asked, LONGEST_RETRY_AFTER)
    full = min(FIRST_DELAY * 2.0 ** min(attempt - 2, 16), LONGEST_DELAY)
    return full * (1 - unit_interval(seed) / 2)


def _retry_after(response: WireResponse, now: float) -> float | None:
    milliseconds = _seconds(response.headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = response.headers.get("retry-after")
    seconds = _seconds(text)
    return seconds if seconds is not None else _until(text, now)


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else -1.0
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _until(date: str | None, now: float) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - now) if date else None
    except (ValueError, OverflowError):
        return None


def _quota_is_spent(body: bytes) -> bool:
    """Recognise the 429 of OpenAI that means an empty account and not a busy server."""
    try:
        error = json.loads(body)["error"]
        return error.get("code") in _SPENT or error.get("type") in _SPENT
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
