"""Terminal looks: colour only where a person reads, and never in data."""

from __future__ import annotations

from typing import Final, Literal, TextIO, TypeAlias

from agentci.app import wiring

Style: TypeAlias = Literal["bold", "dim", "red", "green", "yellow", "cyan"]

_CODES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def color_wanted(stream: TextIO) -> bool:
    """Say whether `stream` is a terminal of a person who did not ask for plain text."""
    env = wiring.env()
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR"):
        return True
    return stream.isatty() and env.get("TERM") != "dumb"


def paint(text: str, style: Style, *, color: bool) -> str:
    """Return `text` in `style`, or as it is where there is no colour."""
    return f"\033[{_CODES[style]}m{text}\033[0m" if color and text else text
