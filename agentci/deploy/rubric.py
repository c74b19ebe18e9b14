"""The rubric for compose services: fourteen points that a careful engineer would look for.

Judges what a compose file says, whoever wrote it. Knows no spec.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from agentci.record.secrets.scan import spot

_DIGEST: Final = re.compile(r"(?:[^@\s]+@)?sha256:[0-9a-f]{64}")
_NUMERIC_USER: Final = re.compile(r"[0-9]+(?::[0-9]+)?")
_LOOPBACK: Final = re.compile(r"(?:127\.|\[::1\])")

Service: TypeAlias = Mapping[str, Any]
Dockerfiles: TypeAlias = Mapping[str, str]
"""Texts of Dockerfiles by file name."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point."""

    id: str
    title: str
    holds: Callable[[Service, Dockerfiles], bool]


@dataclass(frozen=True, slots=True)
class RubricResult:
    """What a project gets."""

    missing: Mapping[str, tuple[Point, ...]]
    """By service: the points that it does not get."""

    @property
    def total(self) -> int:
        """Points that there are: fourteen for each service."""
        return len(POINTS) * len(self.missing)

    @property
    def reached(self) -> int:
        """Points that the project gets."""
        return self.total - sum(len(points) for points in self.missing.values())


def judge_services(services: Mapping[str, Service], dockerfiles: Dockerfiles) -> RubricResult:
    """Return the result for the `services` of a compose file."""
    return RubricResult(
        {
            name: tuple(point for point in POINTS if not point.holds(service, dockerfiles))
            for name, service in services.items()
        }
    )


def _pinned(service: Service, dockerfiles: Dockerfiles) -> bool:
    build = service.get("build")
    if build is None:
        return _DIGEST.fullmatch(str(service.get("image", ""))) is not None
    file = str(build.get("dockerfile", "Dockerfile")) if isinstance(build, Mapping) else ""
    text = dockerfiles.get(file.rpartition("/")[2])
    if text is None:
        return False
    bases = re.findall(r"^FROM\s+(\S+)", text, re.MULTILINE | re.IGNORECASE)
    return bool(bases) and all(
        base == "scratch" or _DIGEST.fullmatch(base) is not None for base in bases
    )


def _not_root(service: Service, _files: Dockerfiles) -> bool:
    user = str(service.get("user", ""))
    parts = user.split(":")
    return _NUMERIC_USER.fullmatch(user) is not None and all(int(part) for part in parts)


def _no_new_privileges(service: Service, _files: Dockerfiles) -> bool:
    options = service.get("security_opt")
    return isinstance(options, Sequence) and "no-new-privileges:true" in options


def _has_health(service: Service, _files: Dockerfiles) -> bool:
    health = service.get("healthcheck")
    return isinstance(health, Mapping) and bool(health.get("test")) and not health.get("disable")


def _rotates(service: Service, _files: Dockerfiles) -> bool:
    logging = service.get("logging")
    options = logging.get("options") if isinstance(logging, Mapping) else None
    return isinstance(options, Mapping) and {"max-size", "max-file"} <= set(options)


def _no_secrets(service: Service, _files: Dockerfiles) -> bool:
    looked_at = {key: service[key] for key in _WITH_TEXT if key in service}
    return "env_file" not in service and next(spot(looked_at), None) is None


def _bound(service: Service, _files: Dockerfiles) -> bool:
    ports = service.get("ports", ())
    return isinstance(ports, Sequence) and all(_is_bound(port) for port in ports)


def _is_bound(port: object) -> bool:
    if isinstance(port, Mapping):
        return str(port.get("host_ip", "")) not in {"", *_EVERYWHERE}
    address = str(port).rpartition(":")[0].rpartition(":")[0]
    return bool(address) and (bool(_LOOPBACK.match(address)) or address not in _EVERYWHERE)


_WITH_TEXT: Final = ("command", "entrypoint", "environment", "healthcheck", "labels")
_EVERYWHERE: Final = frozenset({"0.0.0.0", "[::]", "::"})  # noqa: S104 - what is looked for


def _set(key: str) -> Callable[[Service, Dockerfiles], bool]:
    return lambda service, _files: bool(service.get(key))


POINTS: Final[tuple[Point, ...]] = (
    Point("image", "image by digest, or built on one", _pinned),
    Point("user", "a user that is not root", _not_root),
    Point("read-only", "read-only root file system", lambda s, _f: s.get("read_only") is True),
    Point("capabilities", "no capabilities", lambda s, _f: "ALL" in (s.get("cap_drop") or ())),
    Point("privileges", "no new privileges", _no_new_privileges),
    Point("memory", "a limit on memory", _set("mem_limit")),
    Point("cpu", "a limit on processors", _set("cpus")),
    Point("pids", "a limit on processes", _set("pids_limit")),
    Point("health", "a health check", _has_health),
    Point("restart", "a restart policy", _set("restart")),
    Point("logs", "rotated logs", _rotates),
    Point("secrets", "no secret in the file", _no_secrets),
    Point("ports", "ports bound to one address", _bound),
    Point("network", "networks of its own", _set("networks")),
)
