"""GitHub's workflow commands, as lines for standard output, with their escapes.

Knows the syntax alone. It loads nothing, because errors of every command are told this way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["error", "warning", "notice"]


def workflow_command(level: Level, text: str, *, properties: Mapping[str, object]) -> str:
    """Return an annotation: `::error file=a.py,line=3::text`, and a line feed.

    Properties that are None are left out. The escapes are those of GitHub's own toolkit: percent
    signs and line ends in the text, colons and commas as well in properties.
    """
    given = ",".join(
        f"{key}={_property(str(value))}" for key, value in properties.items() if value is not None
    )
    return f"::{level}{f' {given}' if given else ''}::{_data(text)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
