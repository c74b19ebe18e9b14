"""Settings of the sandboxes, from the texts of a configuration. Must not know of files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agentci.core.errors import UsageError

DEFAULT_IMAGE = "python:3.12-slim"
_NAMES = ("cpus", "image", "memory", "pids", "readable", "temporary")
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one command may use."""

    memory: int = 2 * 2**30
    """Bytes; of all its processes together in `docker`, of each one in `bwrap`."""
    pids: int = 256
    cpus: float = 2.0
    """Processors' worth of time; `docker` alone."""
    temporary: int = 512 * 2**20
    """Bytes in each of `/tmp` and the home folder; `docker` alone."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Settings of all sandboxes; each takes what it has a use for."""

    limits: Limits
    image: str = DEFAULT_IMAGE
    """Image for `docker`; it needs `/bin/sh`. Never pulled by agentci."""
    readable: tuple[Path, ...] = ()
    """More folders that commands in `bwrap` may read."""


def read_settings(settings: Mapping[str, str]) -> SandboxSettings:
    """Return the settings that stand as texts in `settings`.

    Raises:
        UsageError: for an unknown name or a value that is none.
    """
    for name in settings:
        if name not in _NAMES:
            known = ", ".join(f"`{known}`" for known in _NAMES)
            raise UsageError(
                f"`{name}` is not a setting of a sandbox", code="ACI-U230", hint=f"one of {known}"
            )
    plain = Limits()
    limits = Limits(
        memory=_bytes(settings, "memory", plain.memory),
        pids=int(_number(settings, "pids", plain.pids)),
        cpus=_number(settings, "cpus", plain.cpus),
        temporary=_bytes(settings, "temporary", plain.temporary),
    )
    readable = tuple(Path(entry) for entry in settings.get("readable", "").split(":") if entry)
    return SandboxSettings(limits, settings.get("image", DEFAULT_IMAGE), readable)


def _number(settings: Mapping[str, str], name: str, default: float) -> float:
    text = settings.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,9}(\.\d{1,3})?", text) or float(text) <= 0:
        raise UsageError(f"`{name}: {text}` is not a positive number", code="ACI-U231")
    return float(text)


def _bytes(settings: Mapping[str, str], name: str, default: int) -> int:
    text = settings.get(name)
    if text is None:
        return default
    match = re.fullmatch(r"(\d{1,12})([kmg]?)b?", text.lower())
    if match is None or not int(match[1]):
        raise UsageError(
            f"`{name}: {text}` is not a size", code="ACI-U231", hint="for example `512m` or `2g`"
        )
    return int(match[1]) * _UNITS[match[2]]
