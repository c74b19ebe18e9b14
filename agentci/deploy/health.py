"""The program inside a container that says whether a service works, for targets that run one."""

from __future__ import annotations

from agentci.spec.deploy import HealthSpec, ServiceSpec


def health_port(service: ServiceSpec, health: HealthSpec) -> int:
    """Return the port that a health check by HTTP asks."""
    return health.port or service.ports[0].container


def health_command(service: ServiceSpec) -> tuple[str, ...] | None:
    """Return program and arguments, which do not go through a shell; None without `health`."""
    health = service.health
    if health is None or health.cmd is not None:
        return None if health is None else health.cmd
    url = f"http://127.0.0.1:{health_port(service, health)}{health.http}"
    seconds = str(health.timeout)
    match health.client:
        case "wget":
            return ("wget", "-q", "-O", "/dev/null", url)  # the platform has a timeout of its own
        case "curl":
            return ("curl", "-fsS", "-o", "/dev/null", "--max-time", seconds, url)
        case "python":
            code = f"import urllib.request as r; r.urlopen({url!r}, timeout={seconds})"
            return ("python", "-c", code)
