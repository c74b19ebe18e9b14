"""Who reaches whom in a compose project: networks from `depends_on`, `egress` and `ports`.

A service that others depend on has a network with them, which leads nowhere else. A published port
needs a network with a way in; it gets one that does not translate addresses on the way out, so
that connections from inside find no way back. Only `hosts` opens one that leads outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agentci.core.json_types import JsonObject
from agentci.spec.deploy import DeploySpec, HostsEgress

ALL: Final = "all"
_INTERNAL: Final[JsonObject] = {"driver": "bridge", "internal": True}
_NO_WAY_OUT: Final[JsonObject] = {
    "driver": "bridge",
    "driver_opts": {"com.docker.network.bridge.enable_ip_masquerade": "false"},
}
_OPEN: Final[JsonObject] = {"driver": "bridge"}


def networks_of(spec: DeploySpec) -> Mapping[str, tuple[str, ...]]:
    """Return the names of each service's networks, at least one."""
    found: dict[str, list[str]] = {name: [] for name in spec.services}
    needed = {each for service in spec.services.values() for each in service.depends_on}
    has_all = any(service.egress != "none" for service in spec.services.values())
    for name, service in spec.services.items():
        own = found[name]
        if name in needed:
            own.append(f"to-{name}")
        own += [f"to-{each}" for each in service.depends_on]
        if has_all:
            own.append(ALL)
        if any(port.publish != "none" for port in service.ports):
            own.append(f"in-{name}")
        if isinstance(service.egress, HostsEgress):
            own.append(f"out-{name}")
        if not own:
            own.append(f"to-{name}")
    return {name: tuple(networks) for name, networks in found.items()}


def network_definitions(spec: DeploySpec) -> Mapping[str, JsonObject]:
    """Return the definition of every network, sorted by name."""
    names = sorted({name for networks in networks_of(spec).values() for name in networks})
    return {name: _definition(name) for name in names}


def _definition(name: str) -> JsonObject:
    if name.startswith("in-"):
        return _NO_WAY_OUT
    return _OPEN if name.startswith("out-") else _INTERNAL
