"""Which characters may stand in a report: what would steer a reader's program becomes visible."""

from __future__ import annotations

import re
from typing import Final

_STEERING: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks that turn the direction of text around
    "\u2028\u2029"  # separators that some programs take for line ends
    "\ud800-\udfff\ufffe\uffff]"  # no characters, which neither UTF-8 nor XML can carry
)


def legible(text: str) -> str:
    r"""Return `text` with what steers a reader's program as escapes, such as `\x1b`.

    Line feeds and tabs stay, and a carriage return before a line feed is left out. The result can
    be written as UTF-8 and stand in XML 1.0 and HTML once their own marks are escaped.
    """
    return _STEERING.sub(_escape, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int = 200) -> str:
    """Return `text` legible, on one line and with at most `limit` characters."""
    line = " ".join(legible(text).split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
