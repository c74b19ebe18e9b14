"""Options that are the same on every command that has them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from agentci.core.errors import UsageError

RedactOption: TypeAlias = Annotated[
    bool,
    typer.Option("--redact", help="Replace secrets in new recordings; else they end it."),
]


def parse_settings(texts: list[str]) -> dict[str, str]:
    """Return `name=value` texts as a mapping. Raises `UsageError` for anything else."""
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            message = f"`--set {text}` names no value"
            raise UsageError(message, code="ACI-U312", hint="write `--set name=value`")
        if name in settings:
            message = f"`{name}` is set twice"
            raise UsageError(message, code="ACI-U313", hint="give each input once")
        settings[name] = value
    return settings
