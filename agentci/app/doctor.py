"""Says what agentci finds on this machine, and what to do about what it does not find.

Values of environment variables are never shown, only names. Nothing is sent anywhere unless the
caller asks, and then only to endpoints that are configured.
"""

from __future__ import annotations

import asyncio
import platform
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import agentci
from agentci.app import wiring
from agentci.app.project import open_project
from agentci.core.effects import CommandRequest
from agentci.core.errors import AgentciError, StorageError
from agentci.core.wire import HttpRequest
from agentci.models.endpoints import Endpoint, resolve_endpoint
from agentci.models.registry import find_provider, provider_names

if TYPE_CHECKING:
    from agentci.core.effects import CommandResult
    from agentci.spec.config import ProjectConfig

Status: TypeAlias = Literal["ok", "info", "warning", "problem"]

_LIBRARIES: Final = (
    "diskcache",
    "docker",
    "httpx2",
    "jinja2",
    "jsonschema",
    "pydantic",
    "pyyaml",
    "rich",
    "typer",
)
_MERGE_GIT: Final = (2, 38)
"""The first git whose `merge-tree` writes trees."""
_REACH_TIMEOUT: Final = 10.0
_COMMAND_TIMEOUT: Final = 20.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about this machine."""

    section: str
    name: str
    status: Status
    """`problem`: runs fail; `warning`: some runs fail; `info`: nobody asked for it."""
    detail: str
    hint: str | None = None
    """What to do about it."""


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """Where to look, and whether configured endpoints may be called."""

    start: Path
    online: bool = False


@dataclass(frozen=True, slots=True)
class DoctorResult:
    """All findings, in a fixed order."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether a replay can work here."""
        return all(finding.status != "problem" for finding in self.findings)


def execute(request: DoctorRequest) -> DoctorResult:
    """Look at everything; a look that fails is a finding, not an error."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        lambda: _git(request.start),
        lambda: _project(request.start),
        _sandboxes,
        lambda: _endpoints(request),
    )
    return DoctorResult(tuple(finding for look in looks for finding in look()))


def _python() -> Iterator[Finding]:
    # Reading package metadata is slow, and nothing else of agentci needs it.
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    yield Finding("agentci", "agentci", "ok", agentci.__version__)
    yield Finding("agentci", "python", "ok", platform.python_version())
    for name in _LIBRARIES:
        try:
            yield Finding("agentci", name, "ok", version(name))
        except PackageNotFoundError:
            hint = "install `agentci-pipelines` again"
            yield Finding("agentci", name, "problem", "not installed", hint)


def _git(folder: Path) -> Iterator[Finding]:
    result = asyncio.run(_command(("git", "--version"), folder.resolve()))
    if result is None or result.exit_code != 0:
        yield Finding("tools", "git", "problem", "not found", "install git 2.38 or newer")
        return
    text = result.stdout.decode("utf-8", "replace").strip()
    found = re.search(r"(\d+)\.(\d+)", text)
    number = (int(found[1]), int(found[2])) if found else (0, 0)
    if number < _MERGE_GIT:
        detail = f"{text}: branches of `parallel` and `foreach` cannot be merged"
        yield Finding("tools", "git", "warning", detail, "install git 2.38 or newer")
    else:
        yield Finding("tools", "git", "ok", text.removeprefix("git version "))


async def _command(argv: tuple[str, ...], folder: Path) -> CommandResult | None:
    env = {"PATH": wiring.env().get("PATH") or "/usr/bin:/bin", "LC_ALL": "C"}
    request = CommandRequest(argv, folder, timeout=_COMMAND_TIMEOUT, env=env)
    sandbox = wiring.sandbox("process", {})
    try:
        return await sandbox.run(request)
    except AgentciError:
        return None
    finally:
        await sandbox.close()


def _project(start: Path) -> Iterator[Finding]:
    files = wiring.files()
    try:
        project = open_project(start, files)
    except AgentciError as error:
        yield Finding("project", "settings", "problem", error.message, error.hint)
        return
    count = len(project.pipeline_folders())
    detail = f"{project.root.as_posix()}, pipelines: {count}"
    hint = None if count else "`agentci init` writes a first one"
    yield Finding("project", "settings", "ok" if count else "info", detail, hint)
    probe = project.root / ".agentci" / "doctor.probe"
    try:
        files.write_atomic(probe, b"")
        files.remove(probe)
    except StorageError as error:
        hint = error.hint or f"make `{project.root.as_posix()}` writable"
        yield Finding("project", "write access", "warning", error.message, hint)
    else:
        yield Finding("project", "write access", "ok", "`.agentci/` can be written")


def _sandboxes() -> Iterator[Finding]:
    for name in ("docker", "bwrap", "process"):
        probe = wiring.probe_sandbox(name)
        if probe.available:
            yield Finding("sandboxes", name, "ok", probe.reason or "works")
        else:
            yield Finding("sandboxes", name, "warning", probe.reason, probe.hint)


def _endpoints(request: DoctorRequest) -> Iterator[Finding]:
    try:
        config = open_project(request.start, wiring.files()).config
    except AgentciError:
        return  # the settings are a finding already
    for name in provider_names():
        if not find_provider(name).local:
            yield _endpoint(name, config, online=request.online)


def _endpoint(name: str, config: ProjectConfig, *, online: bool) -> Finding:
    provider = find_provider(name)
    settings = config.endpoints.get(name)
    env = wiring.env()
    try:
        endpoint = resolve_endpoint(provider, settings, env)
    except AgentciError as error:
        return Finding("endpoints", name, "problem", error.message, error.hint)
    if not isinstance(endpoint, Endpoint):
        status: Status = "info" if settings is None else "warning"
        return Finding("endpoints", name, status, endpoint.reason, endpoint.hint)
    given = settings is not None or bool(provider.base_url_env and env.get(provider.base_url_env))
    if not provider.key_required and not given:
        detail = f"default address {endpoint.origin}, not configured"
        hint = f"set `{provider.base_url_env}` to use it"
        return Finding("endpoints", name, "info", detail, hint)
    key = f"key from `{endpoint.key_env}`" if endpoint.key else "no key"
    detail = f"{endpoint.origin}, {key}"
    return asyncio.run(_reach(name, endpoint, detail)) if online else _configured(name, detail)


def _configured(name: str, detail: str) -> Finding:
    return Finding("endpoints", name, "ok", f"{detail}, not called (`--online` does)")


async def _reach(name: str, endpoint: Endpoint, detail: str) -> Finding:
    """Ask for the base URL itself, without the key: any answer means that someone is there."""
    http = wiring.http()
    request = HttpRequest("GET", endpoint.base_url, {}, b"", _REACH_TIMEOUT)
    try:
        response = await http.send(request)
    except AgentciError as error:
        hint = error.hint or "look at the address, and at the network"
        return Finding("endpoints", name, "warning", f"{detail}: {error.message}", hint)
    finally:
        await http.close()
    return Finding("endpoints", name, "ok", f"{detail}, answers with status {response.status}")
