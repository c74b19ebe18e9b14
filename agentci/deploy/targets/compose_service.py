"""One service of a compose file, in the forms that Compose 1.29 and 2 read alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agentci.core.digest import hex_of
from agentci.core.json_types import JsonObject, JsonValue
from agentci.deploy.artifact import Deployment
from agentci.deploy.checks import service_urls
from agentci.deploy.health import health_command
from agentci.deploy.images import dockerfile_name, image_reference
from agentci.deploy.targets.compose_networks import networks_of
from agentci.spec.deploy import PortSpec, ServiceSpec, mebibytes

TARGET: Final = "compose"
SPEC_LABEL: Final = "agentci.spec-sha256"
SERVICE_LABEL: Final = "agentci.service"
DEPLOYMENT_LABEL: Final = "agentci.deployment"
_CONDITIONS: Final = {
    "started": "service_started",
    "healthy": "service_healthy",
    "completed": "service_completed_successfully",
}
_RESTART: Final = {"always": "unless-stopped", "on-failure": "on-failure", "never": "no"}


def service_definition(deployment: Deployment, name: str) -> JsonObject:
    """Return a service; what it does not need is left out, what protects it never is."""
    service = deployment.spec.services[name]
    loosened = {each.what for each in service.loosen}
    added = [each.capability for each in service.loosen if each.capability is not None]
    found: dict[str, JsonValue] = {**_image(deployment, name)}
    if service.command is not None:
        found["command"] = list(service.command)
    found |= {
        "user": service.user,
        "read_only": "writable_root" not in loosened,
        "cap_drop": ["ALL"],
        **({"cap_add": added} if added else {}),
        "security_opt": [f"no-new-privileges:{'privilege_gain' not in loosened}".lower()],
        **_storage(service),
        "mem_limit": f"{mebibytes(service.resources.memory)}m",
        "memswap_limit": f"{mebibytes(service.resources.memory)}m",
        "cpus": service.resources.cpu,
        "pids_limit": service.resources.pids,
        **_surroundings(deployment, service),
        **_connections(deployment, name),
        **_life(service),
        "labels": {
            DEPLOYMENT_LABEL: deployment.spec.name,
            SERVICE_LABEL: name,
            SPEC_LABEL: hex_of(deployment.digest),
        },
    }
    return found


def _image(deployment: Deployment, name: str) -> JsonObject:
    service = deployment.spec.services[name]
    if service.image is not None:
        return {"image": image_reference(service.image)}
    if name in deployment.images:
        return {"image": deployment.images[name]}
    context = service.build.context if service.build is not None else "."
    dockerfile = deployment.to_target(TARGET, dockerfile_name(name), context=context)
    return {
        "image": f"{deployment.spec.name}-{name}:agentci",
        "build": {"context": deployment.from_target(TARGET, context), "dockerfile": dockerfile},
    }


def _storage(service: ServiceSpec) -> JsonObject:
    found: dict[str, JsonValue] = {}
    user, _, group = service.user.partition(":")
    if service.writable_paths:
        options = f"mode=0700,uid={user},gid={group},noexec,nosuid,nodev"
        found["tmpfs"] = [
            f"{path}:size={mebibytes(size)}m,{options}"
            for path, size in service.writable_paths.items()
        ]
    if service.volumes:
        found["volumes"] = [
            {
                "type": "volume",
                "source": mount.volume,
                "target": mount.path,
                "read_only": mount.read_only,
            }
            for mount in service.volumes
        ]
    return found


def _surroundings(deployment: Deployment, service: ServiceSpec) -> JsonObject:
    found: dict[str, JsonValue] = {}
    variables = {**service.env, **service_urls(deployment.spec, service)}
    if variables:
        found["environment"] = variables
    if service.secrets:
        found["secrets"] = list(service.secrets)
    if service.models:
        found["models"] = list(service.models)
    return found


def _connections(deployment: Deployment, name: str) -> JsonObject:
    service = deployment.spec.services[name]
    target = deployment.spec.targets.compose
    lb_address = target.lb_address if target is not None else "127.0.0.1"
    published = [port for port in service.ports if port.publish != "none"]
    found: dict[str, JsonValue] = {}
    if published:
        found["ports"] = [_port(port, lb_address) for port in published]
    found["networks"] = list(networks_of(deployment.spec)[name])
    if service.depends_on:
        found["depends_on"] = {
            needed: {"condition": _CONDITIONS[state]}
            for needed, state in service.depends_on.items()
        }
    return found


def _port(port: PortSpec, lb_address: str) -> str:
    address = "127.0.0.1" if port.publish == "loopback" else lb_address
    shown = f"[{address}]" if ":" in address else address
    return f"{shown}:{port.host or port.container}:{port.container}"


def _life(service: ServiceSpec) -> JsonObject:
    found: dict[str, JsonValue] = {}
    argv = health_command(service)
    health = service.health
    if health is not None and argv is not None:
        found["healthcheck"] = {
            "test": ["CMD", *argv],
            "interval": f"{health.interval}s",
            "timeout": f"{health.timeout}s",
            "retries": health.retries,
            "start_period": f"{health.start_period}s",
        }
    found["restart"] = _RESTART["never" if service.schedule is not None else service.restart]
    found["stop_grace_period"] = f"{service.stop_grace}s"
    if service.schedule is not None:
        found["profiles"] = ["scheduled"]
    if service.replicas != 1:
        found["scale"] = service.replicas
    found["logging"] = _logging(service)
    return found


def _logging(service: ServiceSpec) -> JsonObject:
    options: Mapping[str, JsonValue] = {
        "max-size": service.logs.max_size,
        "max-file": str(service.logs.max_files),
    }
    return {"driver": "json-file", "options": options}
