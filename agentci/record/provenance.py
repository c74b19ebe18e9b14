"""When an answer was recorded and how long it took: what stands beside it that no digest covers.

Gateway, proxy and the tapes of Python programs write it alike. Knows no clock: callers bring times.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from agentci.core.json_types import JsonObject, JsonValue

SECONDS: Final = "seconds"
"""Field with the time from sending a request until the end of its answer, to the millisecond.

Where a call was sent again, it is the time of the try that was answered: neither failed tries nor
the waiting between them are in it. Missing in recordings of older releases, in imported ones, for
replies of scripts, and for answers that a program did not read to their end.
"""
_DIGITS: Final = 3


def provenance(
    source: Mapping[str, JsonValue], *, now: float, seconds: float | None = None
) -> JsonObject:
    """Return what is noted beside an answer from `source`; `now` in seconds since 1970."""
    at = datetime.fromtimestamp(int(now), UTC).isoformat()
    noted: JsonObject = {**source, "at": at}
    return noted if seconds is None else {**noted, SECONDS: round(max(0.0, seconds), _DIGITS)}


def recorded_seconds(noted: Mapping[str, JsonValue]) -> float | None:
    """Return how long an answer took, or None where that was not noted."""
    value = noted.get(SECONDS)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < float("inf") else None
