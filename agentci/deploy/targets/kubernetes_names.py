"""Names and labels of a deployment's objects in a cluster, and what its target is told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from agentci.core.digest import hex_of
from agentci.core.json_types import JsonObject, JsonValue
from agentci.deploy.artifact import Deployment
from agentci.deploy.images import image_reference
from agentci.spec.deploy import DeploySpec, ServiceSpec
from agentci.spec.deploy_kubernetes import KubernetesTarget

TARGET: Final = "kubernetes"
NAME: Final = "app.kubernetes.io/name"
INSTANCE: Final = "app.kubernetes.io/instance"
MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "agentci"
TRACK: Final = "agentci.track"
"""Which of two versions that run side by side."""
SPEC_LABEL: Final = "agentci.spec"
"""The first digits: a label's value has at most 63 characters."""
SPEC_ANNOTATION: Final = "agentci.spec-sha256"
_LABEL_DIGITS: Final = 40


def options_of(spec: DeploySpec) -> KubernetesTarget:
    """Return what the target is told; the defaults where the spec does not name it."""
    return spec.targets.kubernetes or KubernetesTarget.model_validate({})


def namespace_of(spec: DeploySpec) -> str:
    """Return the namespace of all objects."""
    return options_of(spec).namespace or spec.name


def selector_of(spec: DeploySpec, service: str, track: str | None = None) -> Mapping[str, str]:
    """Return the labels that tell the pods of a service, or of one of its versions."""
    labels = {NAME: service, INSTANCE: spec.name}
    return labels if track is None else {**labels, TRACK: track}


def spec_label(deployment: Deployment) -> str:
    """Return as much of the spec's digest as a label holds."""
    return hex_of(deployment.digest)[:_LABEL_DIGITS]


def metadata(
    deployment: Deployment, name: str, *, service: str | None = None, namespaced: bool = True,
    annotations: Mapping[str, str] | None = None,
) -> JsonObject:  # fmt: skip
    """Return the metadata of an object, with the spec's digest."""
    spec = deployment.spec
    own: dict[str, JsonValue] = {"name": name}
    if namespaced:
        own["namespace"] = namespace_of(spec)
    labels: dict[str, str] = {} if service is None else {NAME: service}
    labels |= {
        INSTANCE: spec.name,
        MANAGED_BY: MANAGER,
        SPEC_LABEL: spec_label(deployment),
    }
    own["labels"] = labels
    own["annotations"] = {SPEC_ANNOTATION: hex_of(deployment.digest), **(annotations or {})}
    return own


def port_name(number: int) -> str:
    """Return the name of a port, by which services, probes and the Ingress refer to it."""
    return f"tcp-{number}"


def ports_of(service: ServiceSpec) -> tuple[int, ...]:
    """Return all ports that a service is asked on, each once."""
    found = [port.container for port in service.ports]
    if service.serves is not None and service.serves.port is not None:
        found.append(service.serves.port)
    if service.health is not None and service.health.http is not None and service.health.port:
        found.append(service.health.port)
    return tuple(dict.fromkeys(found))


def is_task(service: ServiceSpec) -> bool:
    """Say whether it runs to its end, in place of running on."""
    return service.schedule is not None or service.restart != "always"


@dataclass(frozen=True, slots=True)
class Track:
    """One version of a service that runs."""

    service: str
    name: str
    """Of its Deployment."""
    label: str | None
    image: str
    replicas: int
    is_new: bool


def tracks_of(deployment: Deployment, name: str) -> tuple[Track, ...]:
    """Return the versions of a service that run: one, or the new and the previous one."""
    spec = deployment.spec
    service = spec.services[name]
    release = options_of(spec).release
    image = image_of(deployment, name)
    previous = release.previous.get(name)
    count = service.replicas
    match spec.rollout.strategy:
        case "rolling":
            return (Track(name, name, None, image, count, is_new=True),)
        case "blue_green":
            other = "green" if release.color == "blue" else "blue"
            new = Track(name, f"{name}-{release.color}", release.color, image, count, is_new=True)
            if previous is None:
                return (new,)
            return (new, Track(name, f"{name}-{other}", other, previous, count, is_new=False))
        case "canary":
            stable = f"{name}-stable"
            if previous is None:
                return (Track(name, stable, "stable", image, count, is_new=True),)
            first = canary_replicas(count, spec.rollout.percent or 0)
            return (
                Track(name, f"{name}-canary", "canary", image, first, is_new=True),
                Track(name, stable, "stable", previous, count - first, is_new=False),
            )


def canary_replicas(replicas: int, percent: int) -> int:
    """Return how many replicas come nearest to a share; half a replica is rounded up."""
    return math.floor(replicas * percent / 100 + 0.5)


def serving_selector(deployment: Deployment, name: str) -> Mapping[str, str]:
    """Return the labels of the pods that get a service's requests."""
    spec = deployment.spec
    if spec.rollout.strategy != "blue_green":
        return selector_of(spec, name)
    wanted = options_of(spec).release.serving == "new"
    tracks = tracks_of(deployment, name)
    chosen = next((each for each in tracks if each.is_new == wanted), tracks[0])
    return selector_of(spec, name, chosen.label)


def image_of(deployment: Deployment, name: str) -> str:
    """Return the image of a service; one that is built here is named as it was pushed.

    Its digest is that of `targets.kubernetes.images`, or else what `deploy render --image` was
    given. Before it is known there is a tag alone, which a rule finds.
    """
    service = deployment.spec.services[name]
    if service.image is not None:
        return image_reference(service.image)
    options = options_of(deployment.spec)
    repository = f"{options.registry}/{deployment.spec.name}-{name}"
    digest = options.images.get(name) or deployment.images.get(name)
    return f"{repository}:unpinned" if digest is None else f"{repository}@{digest}"


def long_running(spec: DeploySpec) -> Iterator[str]:
    """Yield the services that run on."""
    yield from (name for name, service in spec.services.items() if not is_task(service))
