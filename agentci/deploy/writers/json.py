"""JSON of artifacts: indented by two, keys in the order in which they are given, one line feed."""

from __future__ import annotations

import json

from agentci.core.json_types import JsonValue


def json_text(value: JsonValue) -> bytes:
    """Return `value` as ASCII, so that no reader's encoding matters.

    Raises:
        ValueError: for NaN and infinities, which JSON does not have.
    """
    return (json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n").encode()
