"""The sandboxes by name, and whether each works on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agentci.adapters.sandbox_settings import DEFAULT_IMAGE, read_settings
from agentci.core.effects import Sandbox
from agentci.core.errors import AgentciError, UsageError

NAMES = ("docker", "bwrap", "process")


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether a sandbox can be used here."""

    available: bool
    reason: str = ""
    """What was found; why not, where it is not available."""
    hint: str | None = None
    """What to do about it."""


def open_sandbox(name: str, settings: Mapping[str, str] | None = None) -> Sandbox:
    """Return the sandbox `name`; nothing is started before its first command.

    `settings`: see `sandbox_settings`.

    Raises:
        UsageError: for an unknown name or setting.
    """
    chosen = read_settings(settings or {})
    if name == "process":
        from agentci.adapters.sandbox_process import ProcessSandbox  # noqa: PLC0415 - each when used

        return ProcessSandbox()
    if name == "bwrap":
        from agentci.adapters.sandbox_bwrap import BwrapSandbox  # noqa: PLC0415 - each when used

        return BwrapSandbox(chosen.limits, readable=chosen.readable)
    if name == "docker":
        from agentci.adapters.sandbox_docker import DockerSandbox  # noqa: PLC0415 - each when used

        return DockerSandbox(chosen.image, chosen.limits)
    raise UsageError(
        f"there is no sandbox `{name}`",
        code="ACI-U232",
        hint="choose `docker`, `bwrap` or `process`",
    )


def probe(name: str, *, image: str = DEFAULT_IMAGE) -> Probe:
    """Try the sandbox `name`, for `docker` with `image`. Never raises for one that does not work.

    Raises:
        UsageError: for an unknown name.
    """
    if name == "process":
        return Probe(True, "available; it limits time and output, and does not isolate")
    if name == "bwrap":
        from agentci.adapters.sandbox_bwrap import unavailable  # noqa: PLC0415 - each when used

        reason = unavailable()
        if reason is None:
            return Probe(True, "bubblewrap works")
        return Probe(False, reason.message, reason.hint)
    if name == "docker":
        from agentci.adapters.docker_engine import DockerEngine  # noqa: PLC0415 - each when used

        try:
            with DockerEngine.connect() as engine:
                engine.require_image(image)
                return Probe(True, f"Docker Engine {engine.version}, image `{image}`")
        except AgentciError as error:
            return Probe(False, error.message, error.hint)
    raise UsageError(f"there is no sandbox `{name}`", code="ACI-U232")
