"""A body as a reader wants to see it, and back to the same bytes.

JSON stands as JSON with a note on how it was spaced, other text as text, anything else in base64.
A body that would not come back byte by byte from its readable form is kept in the next plainer one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import FormatError
from agentci.core.json_types import JsonObject, JsonValue

BODY: Final = "body"
TEXT: Final = "text"
BASE64: Final = "base64"
LAYOUT: Final = "layout"

_DEEPEST = 60  # levels; what nests deeper is no answer that anybody reads
_SPACE = " \t\r\n"


def store_content(data: bytes) -> JsonObject:
    """Return `data` as one of the fields `body` (with `layout`), `text` or `base64`."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return {BASE64: base64.b64encode(data).decode("ascii")}
    core = text.strip(_SPACE)
    if core[:1] in {"{", "["}:
        value = parse_json(core)
        if value is not None:
            layout = _layout(value, text, core)
            if layout is not None:
                return {BODY: value, **({LAYOUT: layout} if layout else {})}
    return {TEXT: text}


def load_content(stored: JsonObject) -> bytes:
    """Return the bytes that `store_content` was given.

    Raises:
        FormatError: when `stored` has none of its fields.
    """
    if BODY in stored:
        layout = stored.get(LAYOUT)
        return _dump(stored[BODY], layout if isinstance(layout, Mapping) else {}).encode("utf-8")
    text, binary = stored.get(TEXT), stored.get(BASE64)
    if isinstance(text, str):
        return text.encode("utf-8")
    if isinstance(binary, str):
        try:
            return base64.b64decode(binary, validate=True)
        except ValueError as error:
            raise damaged(str(error)) from error
    raise damaged("it has no body")


def parse_json(text: str) -> JsonValue:
    """Return the JSON object or list in `text`, or None where a recording cannot carry it."""
    try:
        value: JsonValue = json.loads(text)
        if not isinstance(value, Mapping | list) or nests_deeper(value, _DEEPEST):
            return None
        canonical_bytes(value)  # refuses NaN and halves of characters
    except (ValueError, RecursionError):
        return None
    return value


def parse_json_body(data: bytes) -> JsonValue:
    """Return the JSON object or list that `data` is, or None where it is none of ours."""
    try:
        return parse_json(data.decode("utf-8").strip(_SPACE))
    except UnicodeDecodeError:
        return None


def nests_deeper(value: object, levels: int) -> bool:
    """Say whether lists and mappings stand more than `levels` deep in `value`."""
    level: list[Any] = [value]
    for _ in range(levels):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def damaged(reason: str) -> FormatError:
    """Return the error for a stored body that cannot be read."""
    return FormatError(
        f"a recorded answer cannot be read: {reason}",
        code="ACI-F170",
        hint="restore the cassette from version control, or record it again",
    )


def _layout(value: JsonValue, text: str, core: str) -> JsonObject | None:
    """Return how `value` is written in `text`: empty for the usual form, None for no known one."""
    start = text.index(core)
    frame: dict[str, JsonValue] = {}
    if start:
        frame["before"] = text[:start]
    if start + len(core) < len(text):
        frame["after"] = text[start + len(core) :]
    if core.isascii() and "\\u" in core:
        frame["ascii"] = True
    styles: Sequence[dict[str, JsonValue]] = ({}, {"compact": True})
    if "\n" in core:
        second = core.split("\n", 2)[1]
        indent = len(second) - len(second.lstrip(" "))
        styles = ({"indent": indent},)
    for style in styles:
        layout = {**style, **frame}
        if _dump(value, layout) == text:
            return layout
    return None


def _dump(value: JsonValue, layout: JsonObject) -> str:
    indent = layout.get("indent")
    core = json.dumps(
        value,
        ensure_ascii=bool(layout.get("ascii")),
        indent=indent if isinstance(indent, int) else None,
        separators=(",", ":") if layout.get("compact") else None,
    )
    return f"{layout.get('before', '')}{core}{layout.get('after', '')}"
