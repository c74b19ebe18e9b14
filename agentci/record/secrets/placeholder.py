"""What stands in place of a secret: `<redacted:KIND:N>`, and how keys see it.

A placeholder is made of nothing that was secret: no digest, which a guess could be checked against.
The number only tells secrets of one recording apart, and a key does not depend on which number it
is, as it does not depend on the ids of tool calls. Knows no shapes of secrets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from agentci.core.json_types import JsonObject, JsonValue

PLACEHOLDER: Final = re.compile(r"<redacted:(?P<kind>[a-z0-9-]{1,40}):(?P<number>[1-9][0-9]{0,8})>")
MARK: Final = "<redacted:"


def placeholder(kind: str, number: int) -> str:
    """Return the text that stands for a secret."""
    return f"<redacted:{kind}:{number}>"


def renumbered(request: JsonObject) -> JsonObject:
    """Return `request` with its placeholders numbered by their appearance in canonical order."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        index = numbers.setdefault(match[0], len(numbers) + 1)
        return placeholder(match["kind"], index)

    def visit(value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return PLACEHOLDER.sub(number, value) if MARK in value else value
        if isinstance(value, Mapping):
            return {
                PLACEHOLDER.sub(number, name) if MARK in name else name: visit(value[name])
                for name in sorted(value)
            }
        if isinstance(value, Sequence):
            return [visit(item) for item in value]
        return value

    return {name: visit(request[name]) for name in sorted(request)}
