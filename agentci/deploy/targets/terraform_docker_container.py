"""Containers, hardened as far as the provider can: it has no limit for the number of processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agentci.core.digest import hex_of
from agentci.deploy.artifact import Deployment
from agentci.deploy.checks import service_urls
from agentci.deploy.health import health_command
from agentci.deploy.targets.compose_networks import networks_of
from agentci.deploy.targets.terraform_docker_names import (
    DEPLOYMENT_LABEL,
    SPEC_LABEL,
    TARGET,
    address_of,
    label,
)
from agentci.deploy.writers.hcl import Attribute, Block, Call, HclValue, Reference, Template
from agentci.spec.deploy import HealthSpec, PortSpec, ServiceSpec, mebibytes

_RESTART: Final = {"always": "unless-stopped", "on-failure": "on-failure", "never": "no"}
_SLACK: Final = 60
"""Seconds on top of those in which a health check may fail."""


def container(deployment: Deployment, name: str) -> Block:
    """Return the container of a service; what protects it is always written out."""
    spec = deployment.spec
    service = spec.services[name]
    body: tuple[Attribute | Block, ...] = (
        *_identity(deployment, name),
        *_hardening(service),
        *_limits(service),
        *_life(service),
        *_surroundings(deployment, service),
        *_blocks(deployment, name),
        *_order(service),
    )
    return Block("resource", ("docker_container", label(name)), body)


def _identity(deployment: Deployment, name: str) -> Iterator[Attribute]:
    service = deployment.spec.services[name]
    own: HclValue = f"{deployment.spec.name}-{name}"
    if service.replicas != 1:
        yield Attribute("count", service.replicas)
        own = Template((f"{own}-", Reference("count.index")))
    yield Attribute("name", own)
    yield Attribute("image", Reference(f"docker_image.{label(name)}.image_id"))
    if service.command is not None:
        yield Attribute("command", service.command)


def _hardening(service: ServiceSpec) -> tuple[Attribute, ...]:
    loosened = {each.what for each in service.loosen}
    gain = "true" if "privilege_gain" not in loosened else "false"
    return (
        Attribute("user", service.user),
        Attribute("read_only", "writable_root" not in loosened),
        Attribute("privileged", value=False),
        Attribute("security_opts", (f"no-new-privileges:{gain}",)),
    )


def _limits(service: ServiceSpec) -> Iterator[Attribute]:
    memory = mebibytes(service.resources.memory)
    yield Attribute("memory", memory)
    yield Attribute("memory_swap", memory)
    yield Attribute("cpus", f"{service.resources.cpu:g}")
    user, _, group = service.user.partition(":")
    if service.writable_paths:
        options = f"mode=0700,uid={user},gid={group},noexec,nosuid,nodev"
        folders = {
            path: f"size={mebibytes(size)}m,{options}"
            for path, size in sorted(service.writable_paths.items())
        }
        yield Attribute("tmpfs", folders)


def _life(service: ServiceSpec) -> Iterator[Attribute]:
    yield Attribute("restart", _RESTART[service.restart])
    yield Attribute("must_run", service.restart != "never")
    yield Attribute("stop_timeout", service.stop_grace)
    yield Attribute("destroy_grace_seconds", service.stop_grace)
    if service.health is not None:
        yield Attribute("wait", value=True)
        yield Attribute("wait_timeout", _patience(service.health))
    yield Attribute("log_driver", "json-file")
    limits = {"max-file": str(service.logs.max_files), "max-size": service.logs.max_size}
    yield Attribute("log_opts", limits)


def _patience(health: HealthSpec) -> int:
    """Return the seconds after which a service that is not healthy never will be."""
    return health.start_period + health.retries * (health.interval + health.timeout) + _SLACK


def _surroundings(deployment: Deployment, service: ServiceSpec) -> Iterator[Attribute]:
    variables = {**service.env, **service_urls(deployment.spec, service)}
    if variables:
        yield Attribute("env", [f"{name}={variables[name]}" for name in sorted(variables)])


def _blocks(deployment: Deployment, name: str) -> Iterator[Block]:
    spec = deployment.spec
    service = spec.services[name]
    added = [each.capability for each in service.loosen if each.capability is not None]
    kept = (Attribute("add", added), Attribute("drop", ("ALL",)))
    yield Block("capabilities", (), kept)
    argv = health_command(service)
    if service.health is not None and argv is not None:
        yield _healthcheck(service.health, argv)
    for network in networks_of(spec)[name]:
        reference = Reference(f"docker_network.{label(network)}.name")
        body = (Attribute("name", reference), Attribute("aliases", (name,)))
        yield Block("networks_advanced", (), body)
    for port in service.ports:
        if port.publish != "none":
            yield _port(port, address_of(spec, port))
    yield from _mounts(deployment, service)
    labels = {
        DEPLOYMENT_LABEL: spec.name,
        "agentci.service": name,
        SPEC_LABEL: hex_of(deployment.digest),
    }
    for key, value in labels.items():
        yield Block("labels", (), (Attribute("label", key), Attribute("value", value)))


def _port(port: PortSpec, address: str) -> Block:
    body = (
        Attribute("internal", port.container),
        Attribute("external", port.host or port.container),
        Attribute("ip", address),
        Attribute("protocol", "tcp"),
    )
    return Block("ports", (), body)


def _healthcheck(health: HealthSpec, argv: tuple[str, ...]) -> Block:
    body = (
        Attribute("test", ("CMD", *argv)),
        Attribute("interval", f"{health.interval}s"),
        Attribute("timeout", f"{health.timeout}s"),
        Attribute("retries", health.retries),
        Attribute("start_period", f"{health.start_period}s"),
    )
    return Block("healthcheck", (), body)


def _mounts(deployment: Deployment, service: ServiceSpec) -> Iterator[Block]:
    for mount in service.volumes:
        volume = Reference(f"docker_volume.{label(mount.volume)}.name")
        yield _mount("volume", volume, mount.path, read_only=mount.read_only)
    for secret in service.secrets:
        source = _secret_file(deployment, deployment.spec.secrets[secret].ref)
        yield _mount("bind", source, f"/run/secrets/{secret}", read_only=True)


def _mount(kind: str, source: HclValue, target: str, *, read_only: bool) -> Block:
    body = (
        Attribute("type", kind),
        Attribute("source", source),
        Attribute("target", target),
        Attribute("read_only", read_only),
    )
    return Block("mounts", (), body)


def _secret_file(deployment: Deployment, path: str) -> HclValue:
    """Return where a secret's file is: the Engine wants absolute paths."""
    found = deployment.from_target(TARGET, path)
    return Call("abspath", (Template((Reference("path.module"), f"/{found}")),))


def _order(service: ServiceSpec) -> Iterator[Attribute]:
    if service.depends_on:
        needed = [Reference(f"docker_container.{label(each)}") for each in service.depends_on]
        yield Attribute("depends_on", needed)
