"""Which format a file is in, by its name and its beginning."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

Format: TypeAlias = Literal["promptfoo", "inspect", "pydantic-evals"]

_ZIP: Final = b"PK"
_LOG: Final = re.compile(rb'"eval"\s*:\s*\{')
_CASES: Final = re.compile(rb'^(?:cases\s*:|\s*"cases"\s*:)', re.MULTILINE)
_CONFIG: Final = re.compile(
    rb'^(?:(?:prompts|providers|targets|tests|scenarios)\s*:|\s*[{,]?\s*"(?:prompts|providers|tests)"\s*:)',
    re.MULTILINE,
)
_DEFINITIONS: Final = (".yaml", ".yml", ".json")
_LOOKED_AT: Final = 1_000_000


def format_of(name: str, data: bytes) -> Format | None:
    """Return the format of a file, or None where it is none of them."""
    start = data[:_LOOKED_AT]
    lower = name.lower()
    if lower.endswith(".eval") or start.startswith(_ZIP):
        return "inspect"
    if lower.endswith(".json") and _LOG.search(start) and b'"status"' in start:
        return "inspect"
    if not lower.endswith(_DEFINITIONS):
        return None
    if _CONFIG.search(start):
        return "promptfoo"
    return "pydantic-evals" if _CASES.search(start) else None
