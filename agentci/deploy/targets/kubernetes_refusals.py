"""What a cluster cannot do of what a spec asks, and what the target has to be told for the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from agentci.deploy.artifact import Deployment
from agentci.deploy.findings import Finding
from agentci.deploy.targets.kubernetes_names import (
    TARGET,
    canary_replicas,
    is_task,
    options_of,
)
from agentci.deploy.targets.kubernetes_network import host_ports
from agentci.deploy.targets.kubernetes_pod import variables
from agentci.deploy.targets.kubernetes_storage import in_cluster, is_shared
from agentci.spec.deploy import DeploySpec, HostsEgress, ServiceSpec
from agentci.spec.suggestion import did_you_mean
from agentci.spec.yaml_document import PathParts

_HERE: Final = ("targets", TARGET)
_GCP_SECRET: Final = re.compile(r"projects/[^/]+/secrets/[^/]+/versions/[^/]+")
_CONFIG_LIMIT: Final = 1_000_000
"""Bytes; the server refuses a ConfigMap of more than 1 MiB, names included."""
_HTTP_PORTS: Final = frozenset({80, 443})


def refused(deployment: Deployment) -> Iterator[Finding]:
    """Yield everything that stands between the spec and its manifests."""
    spec = deployment.spec
    yield from _unknown_names(spec)
    yield from _secrets(spec)
    yield from _elsewhere(spec)
    yield from _rollout(spec)
    yield from _release(spec)
    yield from _autoscale(spec)
    yield from _volumes(spec)
    for name, service in spec.services.items():
        here: PathParts = ("services", name)
        yield from _egress(spec, name, here=here)
        yield from _published(spec, name, here=here)
        yield from _built(spec, name, here=here)
        yield from _limits(spec, name, here=here)
        for needed, state in service.depends_on.items():
            if state == "completed":
                message = f"a cluster does not wait until `{needed}` has ended"
                hint = "deploy it before, in a spec of its own"
                yield Finding("ACI-U663", (*here, "depends_on", needed), message, hint)


def _unknown_names(spec: DeploySpec) -> Iterator[Finding]:
    options = options_of(spec)
    services: tuple[tuple[PathParts, Iterable[str]], ...] = (
        (("images",), options.images),
        (("identities",), options.identities),
        (("autoscale",), options.autoscale),
        (("open_egress",), options.open_egress),
        (("ingress", "hosts"), options.ingress.hosts if options.ingress is not None else ()),
        (("release", "previous"), options.release.previous),
    )
    for path, names in services:
        yield from _unknown((*_HERE, *path), names, known=spec.services, what="service")
    yield from _unknown((*_HERE, "secrets"), options.secrets, known=spec.secrets, what="secret")


def _unknown(
    path: PathParts, names: Iterable[str], *, known: Iterable[str], what: str
) -> Iterator[Finding]:
    there = tuple(known)
    for name in names:
        if name not in there:
            hint = did_you_mean(name, there) or f"name one of `{what}s`"
            yield Finding("ACI-U668", (*path, name), f"there is no {what} `{name}`", hint)


def _secrets(spec: DeploySpec) -> Iterator[Finding]:
    for name, source in spec.secrets.items():
        path = ("secrets", name, "from")
        if in_cluster(spec, name) is None and source.from_ in {"env", "file"}:
            message = f"a cluster knows no secrets from `{source.from_}`"
            hint = f"add `{name}: SECRET/KEY` to `targets.{TARGET}.secrets`, or use `k8s`"
            yield Finding("ACI-U667", path, message, hint)
        elif source.from_ == "k8s" and not _is_key(in_cluster(spec, name) or ""):
            message = "a secret of a cluster is named by `secret/key`"
            yield Finding("ACI-U667", ("secrets", name, "ref"), message, "write `ref: SECRET/KEY`")
        elif (
            in_cluster(spec, name) is None
            and source.from_ == "gcp-sm"
            and not _GCP_SECRET.fullmatch(source.ref)
        ):
            message = "the driver for secrets takes the whole name"
            hint = "write `projects/PROJECT/secrets/NAME/versions/VERSION`"
            yield Finding("ACI-U667", ("secrets", name, "ref"), message, hint)


def _is_key(text: str) -> bool:
    return re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9._-]+", text) is not None


def _elsewhere(spec: DeploySpec) -> Iterator[Finding]:
    if spec.workflow is not None:
        message = "a cluster runs no workflow"
        yield Finding("ACI-U663", ("workflow",), message, "leave the target out, or the workflow")
    if spec.models:
        hint = "make it a service with `serves: {kind: model}`"
        yield Finding("ACI-U663", ("models",), "a cluster runs no models by itself", hint)


def _rollout(spec: DeploySpec) -> Iterator[Finding]:
    for index, sign in enumerate(spec.rollout.rollback_on):
        if sign != "unhealthy":
            message = f"a cluster does not see `{sign}`; it knows health alone"
            yield Finding("ACI-U662", ("rollout", "rollback_on", index), message, "remove it")
    if spec.rollout.strategy == "rolling":
        return
    for name, service in spec.services.items():
        if service.volumes and not is_task(service):
            message = "two versions at a time would write to one volume"
            path = ("services", name, "volumes")
            yield Finding("ACI-U662", path, message, "use `rolling`")


def _release(spec: DeploySpec) -> Iterator[Finding]:
    release = options_of(spec).release
    here = (*_HERE, "release")
    strategy = spec.rollout.strategy
    for field in ("color", "serving"):
        if field in release.model_fields_set and strategy != "blue_green":
            message = f"`{field}` goes with `strategy: blue_green`"
            yield Finding("ACI-U662", (*here, field), message, "remove it")
    if release.serving == "previous" and not release.previous:
        message = "there is no `previous` that could get requests"
        yield Finding("ACI-U662", (*here, "serving"), message, "add `previous`")
    for name in release.previous:
        service = spec.services.get(name)
        path = (*here, "previous", name)
        if strategy == "rolling":
            message = "`previous` goes with `blue_green` and `canary`"
            yield Finding("ACI-U662", path, message, "remove it")
        elif service is not None and is_task(service):
            message = "a service that runs to its end has one version at a time"
            yield Finding("ACI-U662", path, message, "remove it")
        elif service is not None and strategy == "canary":
            yield from _share(spec, service, path)


def _share(spec: DeploySpec, service: ServiceSpec, path: PathParts) -> Iterator[Finding]:
    percent = spec.rollout.percent or 0
    first = canary_replicas(service.replicas, percent)
    if first in {0, service.replicas}:
        message = f"{percent} percent of {service.replicas} replicas are {first} replicas"
        hint = "use more `replicas`, or another `rollout.percent`"
        yield Finding("ACI-U662", path, message, hint)


def _autoscale(spec: DeploySpec) -> Iterator[Finding]:
    for name, scale in options_of(spec).autoscale.items():
        service = spec.services.get(name)
        if service is None:
            continue
        path = (*_HERE, "autoscale", name)
        if is_task(service):
            message = "a service that runs to its end is not scaled"
            yield Finding("ACI-U669", path, message, "remove it")
        elif not 1 <= service.replicas < scale.max:
            message = f"it goes from {service.replicas} `replicas` to {scale.max}"
            yield Finding("ACI-U669", (*path, "max"), message, "begin with 1, and end above")
        elif spec.rollout.strategy == "canary":
            message = "shares of a canary are counted in replicas, which this would change"
            yield Finding("ACI-U669", path, message, "use `rolling` or `blue_green`")


def _volumes(spec: DeploySpec) -> Iterator[Finding]:
    for name in spec.volumes:
        if is_shared(spec, name) and options_of(spec).storage_class is None:
            message = "several pods share it, which the default storage of clusters rarely can"
            hint = f"name a class with ReadWriteMany in `targets.{TARGET}.storage_class`"
            yield Finding("ACI-U666", ("volumes", name), message, hint)


def _egress(spec: DeploySpec, name: str, *, here: PathParts) -> Iterator[Finding]:
    egress = spec.services[name].egress
    options = options_of(spec)
    opened = name in options.open_egress
    path = (*here, "egress")
    if not isinstance(egress, HostsEgress):
        if opened:
            message = "it loosens nothing: the service names no hosts"
            yield Finding("ACI-U664", (*_HERE, "open_egress", name), message, "remove it")
        return
    if max(host_ports(egress)) > 65_535:
        yield Finding("ACI-U664", path, "a port is at most 65535", "correct it")
    if options.egress_gateway is not None and opened:
        message = "it loosens nothing: there is an `egress_gateway`"
        yield Finding("ACI-U664", (*_HERE, "open_egress", name), message, "remove it")
    if options.egress_gateway is None and not opened:
        message = "a NetworkPolicy cannot hold a service to some hosts"
        hint = (
            f"name an `egress_gateway` in `targets.{TARGET}`, or say in `open_egress.{name}` "
            "why it may reach every public address"
        )
        yield Finding("ACI-U664", path, message, hint)


def _published(spec: DeploySpec, name: str, *, here: PathParts) -> Iterator[Finding]:
    service = spec.services[name]
    options = options_of(spec)
    hosts = options.ingress.hosts if options.ingress is not None else {}
    published = [index for index, port in enumerate(service.ports) if port.publish == "lb"]
    if name in hosts and not published:
        message = "it publishes no port with `publish: lb`"
        yield Finding("ACI-U665", (*_HERE, "ingress", "hosts", name), message, "remove it")
    if published and name not in hosts:
        hint = f"add its host name to `targets.{TARGET}.ingress.hosts`"
        message = "an Ingress needs a host name"
        yield Finding("ACI-U665", (*here, "ports", published[0]), message, hint)
    if published and is_task(service):
        message = "a service that runs to its end gets no requests"
        yield Finding("ACI-U665", (*here, "ports", published[0]), message, "use `publish: none`")
    for index in published[1:]:
        message = "one host name leads to one port"
        yield Finding("ACI-U665", (*here, "ports", index), message, "publish one port of it")
    for index in published:
        host = service.ports[index].host
        if host is not None and host not in _HTTP_PORTS:
            message = "an Ingress listens on 80 and 443 alone"
            yield Finding("ACI-U665", (*here, "ports", index, "host"), message, "remove it")


def _built(spec: DeploySpec, name: str, *, here: PathParts) -> Iterator[Finding]:
    options = options_of(spec)
    is_built = spec.services[name].build is not None
    if is_built and options.registry is None:
        hint = f"name it in `targets.{TARGET}.registry`"
        message = "a cluster pulls images from a registry"
        yield Finding("ACI-U666", (*here, "build"), message, hint)
    if name in options.images and not is_built:
        message = "it is not built here; its digest belongs to its `image`"
        yield Finding("ACI-U666", (*_HERE, "images", name), message, "remove it")


def _limits(spec: DeploySpec, name: str, *, here: PathParts) -> Iterator[Finding]:
    service = spec.services[name]
    what = {each.what for each in service.loosen}
    for index, each in enumerate(service.loosen):
        if each.capability in {"SYS_ADMIN", "ALL"} and "privilege_gain" not in what:
            message = f"the server refuses `{each.capability}` without `privilege_gain`"
            yield Finding("ACI-U669", (*here, "loosen", index), message, "drop the capability")
    size = sum(len(f"{key}{value}".encode()) for key, value in variables(spec, name).items())
    if size > _CONFIG_LIMIT:
        message = f"{size:,} bytes of variables are more than a ConfigMap holds"
        yield Finding("ACI-U669", (*here, "env"), message, "put them into a file of the image")
