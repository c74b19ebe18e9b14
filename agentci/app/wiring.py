"""The composition root: builds the adapters behind the ports, each when it is first asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

PYTHON_LANES = "agentci.adapters.proxied_lanes"
"""Module that the child process of a `python` step with a proxy imports."""

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Any

    from agentci.adapters.http import HttpTransport
    from agentci.adapters.network_block import NetworkBlock
    from agentci.adapters.sandboxes import Probe
    from agentci.core.effects import (
        ByteStore,
        Clock,
        Effects,
        Env,
        Files,
        Foreground,
        Http,
        Random,
        Repository,
        Sandbox,
    )
    from agentci.core.history import History
    from agentci.core.origin import Origin
    from agentci.core.programs import Programs
    from agentci.core.serving import HttpServer
    from agentci.core.staging import Staging
    from agentci.core.terraform import Terraform
    from agentci.record.tape import Tape


@cache
def files() -> Files:
    """Return the file system."""
    from agentci.adapters.files import LocalFiles

    return LocalFiles()


@cache
def clock() -> Clock:
    """Return the machine's clock."""
    from agentci.adapters.system import SystemClock

    return SystemClock()


@cache
def random() -> Random:
    """Return the machine's random source."""
    from agentci.adapters.system import SystemRandom

    return SystemRandom()


@cache
def env() -> Env:
    """Return this process's environment."""
    from agentci.adapters.system import SystemEnv

    return SystemEnv()


def http() -> Http:
    """Return a transport; it opens no connection before the first request."""
    from agentci.adapters.http import HttpTransport

    return HttpTransport()


def relay() -> HttpTransport:
    """Return a transport that hands answers on while they arrive; who asks for it closes it."""
    from agentci.adapters.http import HttpTransport

    return HttpTransport()


def http_server() -> HttpServer:
    """Return a server for programs on this machine; it listens once it is started."""
    from agentci.adapters.http_server import LoopbackServer

    return LoopbackServer()


def foreground() -> Foreground:
    """Return the way to run programs for the user."""
    from agentci.adapters.foreground import ForegroundPrograms

    return ForegroundPrograms()


def programs() -> Programs:
    """Return the way to run deploy tools with the user's environment."""
    from agentci.adapters.programs import UserPrograms

    return UserPrograms()


def terraform() -> Terraform:
    """Return the Terraform of this machine.

    Raises:
        EnvironmentProblem: when there is none that does.
    """
    from agentci.adapters.terraform_runner import open_terraform

    return open_terraform(env())


def kubernetes_schemas(version: str) -> Callable[[Mapping[str, Any], str], str | None]:
    """Return what holds an object against the schemas of a version, and says what is wrong.

    Raises:
        EnvironmentProblem: when the package with the schemas is missing, or lacks that version.
    """
    from agentci.core.errors import EnvironmentProblem

    hint = "`pip install 'agentci-pipelines[deploy]'` installs it"
    try:
        from agentci.adapters import kubernetes_schemas as implementation
    except ModuleNotFoundError as error:
        if error.name != "kubernetes_validate":
            raise
        message = "the package `kubernetes-validate` is not installed"
        raise EnvironmentProblem(message, code="ACI-E664", hint=hint) from None
    if version not in implementation.known_versions():
        message = f"the installed `kubernetes-validate` has no schemas of Kubernetes {version}"
        raise EnvironmentProblem(message, code="ACI-E665", hint=hint)
    return implementation.check_object


def service_shapes() -> Callable[[str], Mapping[str, Any]]:
    """Return what gives the shapes of an AWS service; the package is imported with the first."""
    from agentci.adapters.botocore_models import service_shapes as implementation

    return implementation


def effects() -> Effects:
    """Return the bundle of ports that a run needs."""
    from agentci.core.effects import Effects

    return Effects(clock=clock(), random=random(), env=env(), files=files(), http=http())


def byte_store(folder: Path) -> ByteStore:
    """Open the persistent map in `folder`."""
    from agentci.adapters.byte_store import DiskByteStore

    return DiskByteStore(folder)


def open_repository(target: Path, store: Path, *, revision: str = "HEAD") -> Repository:
    """Open a real git repository at `revision` for a run whose objects go to `store`."""
    from agentci.adapters.git_repository import open_repository as implementation

    return implementation(target, store, revision=revision)


def open_folder(folder: Path, store: Path) -> Repository:
    """Open a plain folder of files as a repository with one fixed commit."""
    from agentci.adapters.git_repository import open_folder as implementation

    return implementation(folder, store)


def history(start: Path) -> History:
    """Open the git repository around `start` for looking into its past."""
    from agentci.adapters.git_history import GitHistory

    return GitHistory(start)


def origin(start: Path) -> Origin:
    """Open the remote of the git repository around `start`, for fetching what the clone lacks."""
    from agentci.adapters.git_origin import GitOrigin

    return GitOrigin(start)


def staging(start: Path) -> Staging:
    """Open the checkout around `start` for looking at what its next commit changes."""
    from agentci.adapters.git_staging import GitStaging

    return GitStaging(start)


def ending_interrupts() -> AbstractContextManager[None]:
    """Treat requests to end this process like Ctrl-C."""
    from agentci.adapters.signals import ending_interrupts as implementation

    return implementation()


def scratch() -> AbstractContextManager[Path]:
    """Give a folder for work that leaves nothing behind."""
    from agentci.adapters.scratch import scratch_folder as implementation

    return implementation()


def sandbox(name: str, settings: Mapping[str, str]) -> Sandbox:
    """Open the sandbox `name`."""
    from agentci.adapters.sandboxes import open_sandbox

    return open_sandbox(name, settings)


def probe_sandbox(name: str) -> Probe:
    """Say whether the sandbox `name` works on this machine."""
    from agentci.adapters.sandboxes import probe

    return probe(name)


def interception() -> Callable[[Tape, Mapping[str, Any]], AbstractContextManager[None]]:
    """Return what answers this process's HTTP calls from a tape.

    Raises:
        EnvironmentProblem: when vcrpy is not installed, or not one that does.
    """
    from agentci.core.errors import EnvironmentProblem

    hint = "`pip install 'agentci-pipelines[vcr]'` installs it"
    try:
        from agentci.adapters import vcr_patching
    except ModuleNotFoundError as error:
        if error.name != "vcr":
            raise
        message = "the package `vcrpy` is not installed, which intercepts the calls of Python code"
        raise EnvironmentProblem(message, code="ACI-E170", hint=hint) from None
    except ImportError as error:
        message = f"the installed `vcrpy` does not do: {error}"
        raise EnvironmentProblem(message, code="ACI-E171", hint=hint) from None
    reason = vcr_patching.check_version()
    if reason is not None:
        raise EnvironmentProblem(reason, code="ACI-E171", hint=hint)
    return vcr_patching.intercepted


@cache
def network_block() -> NetworkBlock:
    """Return what closes the network of this process."""
    from agentci.adapters.network_block import NetworkBlock

    return NetworkBlock()
