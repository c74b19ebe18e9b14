"""What agentci needs of a Docker Engine: hardened containers, and commands in them.

Through Docker's SDK; every failure comes out as one of agentci's errors. Must not know of
workspaces or of asyncio.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Mount, Ulimit
from docker.utils import socket as docker_socket
from requests.exceptions import RequestException

from agentci.adapters.sandbox_settings import Limits
from agentci.adapters.sandbox_view import HOME, HOST_NAME, USER, WORKSPACE
from agentci.adapters.system import SystemEnv
from agentci.core.errors import EnvironmentProblem, SafetyRefusal

_SECONDS = 60
_SOCKET = "unix:///var/run/docker.sock"
_STDERR = 2
_FRAMES: Any = docker_socket.frames_iter
"""The SDK gives no types for it."""

# Ends with its standard input, that is with agentci, even when that is killed. A line lets the
# shell collect processes that have ended, which it does whenever it starts a subshell.
_KEEPER = "while read -r _; do (:); done"


@dataclass(frozen=True, slots=True)
class Box:
    """A running container around one folder."""

    id: str
    keeper: Any
    """The socket that keeps it running."""
    user: str


@dataclass(frozen=True, slots=True)
class BoxCommand:
    """A command for a container."""

    argv: tuple[str, ...]
    folder: str
    env: Mapping[str, str]
    stdin: bytes


class BoxGone(Exception):
    """A container ended by itself, or somebody removed it, before a command could start."""


class DockerEngine:
    """A connection to the engine that `DOCKER_HOST` or the default socket leads to."""

    def __init__(self, client: docker.DockerClient, facts: Mapping[str, Any]) -> None:
        """Use `client`; `facts` is what the engine says of itself."""
        self._client = client
        self._api: Any = client.api
        self._security = tuple(facts.get("SecurityOptions") or ())
        self._processors = int(facts.get("NCPU") or 1)
        self.version = str(facts.get("ServerVersion", "?"))

    @classmethod
    def connect(cls) -> DockerEngine:
        """Return a connection that works.

        Raises:
            SafetyRefusal: when there is no engine, or it may not be used.
        """
        client = None
        try:
            _require_socket()
            client = docker.from_env(timeout=_SECONDS)
            return cls(client, client.info())
        except (DockerException, RequestException, OSError) as error:
            if client is not None:
                client.close()
            raise SafetyRefusal(
                f"the sandbox `docker` needs a running Docker Engine: {_reason(error)}",
                code="ACI-P232",
                hint="start it (`systemctl start docker`), or choose another with `--sandbox`",
            ) from error

    def __enter__(self) -> Self:
        """Return the connection itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def require_image(self, image: str) -> None:
        """Check that `image` is on this machine; it is never pulled.

        Raises:
            EnvironmentProblem: when it is not.
        """
        try:
            self._client.images.get(image)
        except ImageNotFound as error:
            raise EnvironmentProblem(
                f"the image `{image}` of the sandbox `docker` is not on this machine",
                code="ACI-E231",
                hint=f"run `docker pull {image}`, or name another image in the settings",
            ) from error
        except (DockerException, RequestException) as error:
            raise _failed("cannot look for an image", error) from error

    def open_box(self, root: Path, image: str, limits: Limits) -> Box:
        """Start a hardened container with `root` as its workspace.

        Raises:
            EnvironmentProblem: when the image is missing or the engine refuses.
        """
        self.require_image(image)
        user = self._user_for(root)
        try:
            options = {**_walls(limits, user=user), **self._resources(limits)}
            container = self._client.containers.create(
                image,
                mounts=[Mount(WORKSPACE, str(root), type="bind")],
                userns_mode="host" if self._has("name=userns") else None,
                **options,
            )
            identity = str(container.id)
            params = {"stdin": 1, "stream": 1}
            keeper = self._api.attach_socket(identity, params=params)
            container.start()
        except (DockerException, RequestException) as error:
            raise _failed("cannot start a container", error) from error
        return Box(identity, keeper, user)

    def run(
        self, box: Box, command: BoxCommand, *, on_output: Callable[[bool, bytes], None]
    ) -> int:
        """Run `command` to its end and return its exit code; 137 when the container was killed.

        `on_output` gets whether the bytes are from standard error, and the bytes.

        Raises:
            BoxGone: when the container does not run.
            EnvironmentProblem: when the engine fails.
        """
        created = self._create(box, command)
        try:
            stream = self._api.exec_start(created["Id"], socket=True)
            try:
                self._talk(stream, command.stdin, on_output)
            finally:
                _close(stream)
            code = self._api.exec_inspect(created["Id"])["ExitCode"]
            self._tidy(box)
        except NotFound:
            return 137
        except (DockerException, RequestException, OSError) as error:
            raise _failed("cannot run a command in its container", error) from error
        return 137 if code is None else int(code)

    def _create(self, box: Box, command: BoxCommand) -> Mapping[str, Any]:
        try:
            return self._api.exec_create(  # type: ignore[no-any-return]  # the SDK has no type for it
                box.id,
                list(command.argv),
                stdin=bool(command.stdin),
                user=box.user,
                environment=dict(command.env),
                workdir=command.folder,
            )
        except APIError as error:
            if error.status_code in {404, 409}:
                raise BoxGone from error
            raise _failed("cannot run a command in its container", error) from error
        except (DockerException, RequestException, OSError) as error:
            raise _failed("cannot run a command in its container", error) from error

    def remove(self, box: Box) -> None:
        """Kill the container and everything in it; gone already is fine."""
        with contextlib.suppress(DockerException, RequestException):
            self._api.remove_container(box.id, force=True, v=True)
        _close(box.keeper)

    def _talk(self, stream: Any, stdin: bytes, on_output: Callable[[bool, bytes], None]) -> None:
        raw = _raw(stream)
        raw.settimeout(None)
        writer = None
        if stdin:
            # in a thread of its own: the command may answer before it has read everything
            writer = threading.Thread(target=_feed, args=(raw, stdin), daemon=True)
            writer.start()
        for kind, data in _FRAMES(stream, tty=False):
            on_output(kind == _STDERR, data)
        if writer is not None:
            with contextlib.suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)
            writer.join()

    def _tidy(self, box: Box) -> None:
        with contextlib.suppress(OSError):
            _raw(box.keeper).sendall(b"\n")

    def _has(self, option: str) -> bool:
        return any(str(present).startswith(option) for present in self._security)

    def _user_for(self, root: Path) -> str:
        if self._has("name=rootless"):
            return "0:0"  # there the engine's own user, who is nobody in particular outside
        owner = root.stat()
        if owner.st_uid == 0:
            return f"{USER}:{USER}"
        return f"{owner.st_uid}:{owner.st_gid}"

    def _resources(self, limits: Limits) -> Mapping[str, Any]:
        return {
            "mem_limit": limits.memory,
            "memswap_limit": limits.memory,
            "nano_cpus": int(min(limits.cpus, self._processors) * 10**9),
            "pids_limit": limits.pids,
            "ulimits": [
                Ulimit(name="core", soft=0, hard=0),
                Ulimit(name="nofile", soft=4096, hard=4096),
            ],
        }


def _require_socket() -> None:
    """Look whether there is an engine, because the SDK leaks a socket where there is none."""
    path = (SystemEnv().get("DOCKER_HOST") or _SOCKET).removeprefix("unix://")
    if path.startswith("/"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(_SECONDS)
            probe.connect(path)


def _walls(limits: Limits, *, user: str) -> Mapping[str, Any]:
    temporary = f"rw,exec,nosuid,nodev,size={limits.temporary},mode=1777"
    return {
        "auto_remove": True,
        "cap_drop": ["ALL"],
        "entrypoint": ["/bin/sh", "-c", _KEEPER],
        "command": [],
        "environment": {"HOME": HOME},
        "healthcheck": {"test": ["NONE"]},
        "hostname": HOST_NAME,
        "ipc_mode": "private",
        "labels": {"agentci": "sandbox"},
        "log_config": LogConfig(type=LogConfig.types.NONE),
        "network_mode": "none",
        "read_only": True,
        "security_opt": ["no-new-privileges:true"],
        "stdin_open": True,
        "tmpfs": {"/tmp": temporary, HOME: temporary},  # noqa: S108 - the container's own
        "user": user,
        "working_dir": WORKSPACE,
    }


def _feed(raw: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the command closed its input; that is its right
        raw.sendall(data)
        raw.shutdown(socket.SHUT_WR)


def _raw(stream: Any) -> socket.socket:
    return stream._sock if hasattr(stream, "_sock") else stream  # type: ignore[no-any-return]  # noqa: SLF001 - the SDK gives no other way


def _close(stream: Any) -> None:
    raw = _raw(stream)
    with contextlib.suppress(OSError):
        raw.shutdown(socket.SHUT_RDWR)
    # the response first: it stands on the file that stands on the socket
    for part in (getattr(stream, "_response", None), stream, raw):
        if part is not None:
            with contextlib.suppress(OSError, ValueError):
                part.close()


def _failed(what: str, error: Exception) -> EnvironmentProblem:
    return EnvironmentProblem(f"the Docker Engine {what}: {_reason(error)}", code="ACI-E232")


def _reason(error: Exception) -> str:
    if isinstance(error, APIError):
        return str(error.explanation or error)
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
