"""The target `kubernetes`: one object in a file, a folder for each service, and a kustomization."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from agentci.core.json_types import JsonObject, JsonValue
from agentci.deploy.artifact import Artifact, Deployment
from agentci.deploy.ci_job import ci_job
from agentci.deploy.findings import Finding
from agentci.deploy.images import image_files
from agentci.deploy.targets import kubernetes_network, kubernetes_storage, kubernetes_workload
from agentci.deploy.targets.kubernetes_examine import examine_kubernetes
from agentci.deploy.targets.kubernetes_names import (
    TARGET,
    is_task,
    metadata,
    namespace_of,
    options_of,
    ports_of,
    tracks_of,
)
from agentci.deploy.targets.kubernetes_objects import KUSTOMIZATION, manifest_files
from agentci.deploy.targets.kubernetes_pod import config_map, security_level, variables
from agentci.deploy.targets.kubernetes_refusals import refused
from agentci.deploy.targets.protocol import Examined, Target
from agentci.deploy.writers.yaml import yaml_text

_RUNNER: Final[JsonValue] = "ubuntu-24.04"


class KubernetesManifests:
    """Writes hardened manifests."""

    __slots__ = ()

    @property
    def version(self) -> int:
        """Of the templates."""
        return 1

    def check(self, deployment: Deployment) -> tuple[Finding, ...]:
        """Return what a cluster cannot do, and what is missing in `targets.kubernetes`."""
        return tuple(refused(deployment))

    def render(self, deployment: Deployment) -> tuple[Artifact, ...]:
        """Return the manifests, the kustomization, Dockerfiles, and the CI job."""
        notice = deployment.notice()
        objects = dict(manifests(deployment))
        files = [Artifact(path, yaml_text(each, notice=notice)) for path, each in objects.items()]
        index: JsonObject = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": list(objects),
        }
        return (
            *files,
            Artifact(KUSTOMIZATION, yaml_text(index, notice=notice)),
            *image_files(deployment),
            ci_job(deployment, TARGET, runner=_RUNNER, extra="[deploy]"),
        )

    def examine(self, deployment: Deployment, files: Mapping[str, bytes]) -> tuple[Examined, ...]:
        """Hold the manifests against our schema, each other, and the rules."""
        return examine_kubernetes(deployment, manifest_files(files))


KUBERNETES: Final[Target] = KubernetesManifests()


def manifests(deployment: Deployment) -> Iterator[tuple[str, JsonObject]]:
    """Yield the path of each manifest, and the object in it; in the order of the kustomization."""
    spec = deployment.spec
    yield "namespace.yaml", _namespace(deployment)
    yield "default-deny.yaml", kubernetes_network.default_deny(deployment)
    for claim, name in zip(kubernetes_storage.claims(deployment), spec.volumes, strict=True):
        yield f"volumes/{name}.yaml", claim
    for name in spec.services:
        for path, each in _of_service(deployment, name):
            yield f"services/{name}/{path}.yaml", each


def _namespace(deployment: Deployment) -> JsonObject:
    spec = deployment.spec
    level = security_level(spec)
    found = metadata(deployment, namespace_of(spec), namespaced=False)
    labels = found["labels"]
    assert isinstance(labels, Mapping)
    version = f"v{options_of(spec).version}"
    modes: dict[str, str] = {}
    for mode, held in {"enforce": level, "audit": "restricted", "warn": "restricted"}.items():
        modes[f"pod-security.kubernetes.io/{mode}"] = held
        modes[f"pod-security.kubernetes.io/{mode}-version"] = version
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {**found, "labels": {**labels, **modes}},
    }


def _of_service(deployment: Deployment, name: str) -> Iterator[tuple[str, JsonObject]]:
    spec = deployment.spec
    service = spec.services[name]
    workload = kubernetes_workload
    yield "serviceaccount", workload.service_account(deployment, name)
    if variables(spec, name):
        yield "configmap", config_map(deployment, name)
    for each in kubernetes_storage.provider_classes(deployment, name):
        kind = each["spec"]
        assert isinstance(kind, Mapping)
        yield f"secrets-{kind['provider']}", each
    yield "networkpolicy", kubernetes_network.service_policy(deployment, name)
    if is_task(service):
        yield ("job" if service.schedule is None else "cronjob"), workload.task(deployment, name)
        return
    tracks = tracks_of(deployment, name)
    for track, each in zip(tracks, workload.deployments(deployment, name), strict=True):
        suffix = "" if track.label is None else f"-{track.label}"
        yield f"deployment{suffix}", each
        if track.replicas > 1:
            yield f"poddisruptionbudget{suffix}", workload.disruption_budget(deployment, track)
        if name in options_of(spec).autoscale:
            yield f"horizontalpodautoscaler{suffix}", workload.autoscaler(deployment, track)
    if ports_of(service):
        yield "service", workload.service_object(deployment, name)
    if any(port.publish == "lb" for port in service.ports):
        yield "ingress", workload.ingress(deployment, name)
