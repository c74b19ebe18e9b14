"""Rules for pods: the Pod Security Standard `restricted`, and what else a careful engineer wants.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted. Host
namespaces, host paths, host ports, privileged containers and sysctls have no place in our schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from agentci.deploy.targets.kubernetes_objects import Cluster, Content, Manifest, containers
from agentci.deploy.targets.kubernetes_rule import ManifestRule, Violation, loosened

_BY_DIGEST: Final = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")


def _pods(cluster: Cluster) -> Iterator[tuple[Manifest, Content]]:
    for manifest in cluster.workloads:
        if manifest.template is not None:
            yield manifest, manifest.template["spec"]


def _containers(cluster: Cluster) -> Iterator[tuple[Manifest, Content]]:
    for manifest in cluster.workloads:
        for container in containers(manifest):
            yield manifest, container


def _root(cluster: Cluster) -> Iterator[Violation]:
    for manifest, pod in _pods(cluster):
        context = pod["securityContext"]
        held = context["runAsNonRoot"] and context["runAsUser"] and context["runAsGroup"]
        if not held and "root_user" not in loosened(cluster, manifest):
            yield Violation(manifest.path, "it may run as root", ("user",))


def _seccomp(cluster: Cluster) -> Iterator[Violation]:
    for manifest, pod in _pods(cluster):
        if pod["securityContext"].get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield Violation(manifest.path, "no `seccompProfile` of the type `RuntimeDefault`")


def _token(cluster: Cluster) -> Iterator[Violation]:
    message = "`automountServiceAccountToken` has to be `false`"
    for manifest, pod in _pods(cluster):
        if pod.get("automountServiceAccountToken") is not False:
            yield Violation(manifest.path, message)
    for manifest in cluster.of_kind("ServiceAccount"):
        if manifest.content["automountServiceAccountToken"] is not False:
            yield Violation(manifest.path, message)


def _memory_folders(cluster: Cluster) -> Iterator[Violation]:
    for manifest, pod in _pods(cluster):
        for volume in pod.get("volumes", ()):
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                message = f"the volume `{volume['name']}` has no `sizeLimit`"
                yield Violation(manifest.path, message, ("writable_paths",))


def _escalation(cluster: Cluster) -> Iterator[Violation]:
    for manifest, container in _containers(cluster):
        gains = container["securityContext"]["allowPrivilegeEscalation"]
        if gains and "privilege_gain" not in loosened(cluster, manifest):
            yield Violation(manifest.path, "`allowPrivilegeEscalation` has to be `false`")


def _read_only(cluster: Cluster) -> Iterator[Violation]:
    for manifest, container in _containers(cluster):
        held = container["securityContext"]["readOnlyRootFilesystem"]
        if not held and "writable_root" not in loosened(cluster, manifest):
            yield Violation(manifest.path, "`readOnlyRootFilesystem` has to be `true`")


def _capabilities(cluster: Cluster) -> Iterator[Violation]:
    for manifest, container in _containers(cluster):
        capabilities = container["securityContext"]["capabilities"]
        if capabilities["drop"] != ["ALL"]:
            yield Violation(manifest.path, "`capabilities.drop` has to be `[ALL]`")
        service = cluster.deployment.spec.services.get(manifest.service or "")
        allowed = {each.capability for each in service.loosen} if service is not None else set()
        for name in capabilities.get("add", ()):
            if name not in allowed:
                yield Violation(manifest.path, f"`{name}` is added", ("loosen",))


def _resources(cluster: Cluster) -> Iterator[Violation]:
    for manifest, container in _containers(cluster):
        if container["resources"]["requests"] != container["resources"]["limits"]:
            message = "`requests` and `limits` have to be the same"
            yield Violation(manifest.path, message, ("resources",))


def _probes(cluster: Cluster) -> Iterator[Violation]:
    for manifest, container in _containers(cluster):
        allowed = "no_health" in loosened(cluster, manifest)
        if manifest.kind != "Deployment" or allowed:
            continue
        missing = [each for each in ("readinessProbe", "livenessProbe") if each not in container]
        if missing:
            yield Violation(manifest.path, f"no `{missing[0]}`", ("health",))


def _digest(cluster: Cluster) -> Iterator[Violation]:
    for manifest, container in _containers(cluster):
        if _BY_DIGEST.fullmatch(container["image"]):
            continue
        service = cluster.deployment.spec.services.get(manifest.service or "")
        built = service is not None and service.build is not None
        hint = "add `digest` to the image"
        if built:
            hint = (
                f"push it, and put its digest into `targets.kubernetes.images.{manifest.service}`"
            )
        field = "build" if built else "image"
        yield Violation(manifest.path, f"`{container['image']}` has no digest", (field,), hint)


RULES: Final[tuple[ManifestRule, ...]] = (
    ManifestRule("kubernetes-root", "root in a container is root where it gets out", _root),
    ManifestRule("kubernetes-seccomp", "without it, every system call is open", _seccomp),
    ManifestRule("kubernetes-token", "it lets a program act on the cluster", _token),
    ManifestRule("kubernetes-size-limit", "one pod could take all of a node", _memory_folders),
    ManifestRule("kubernetes-escalation", "a program could become root", _escalation),
    ManifestRule("kubernetes-read-only", "what breaks in could change the program", _read_only),
    ManifestRule("kubernetes-capabilities", "each is a part of what root may do", _capabilities),
    ManifestRule(
        "kubernetes-resources", "what takes more than was kept for it is ended first", _resources
    ),
    ManifestRule("kubernetes-probes", "what is broken would go on getting requests", _probes),
    ManifestRule("kubernetes-image", "a tag can be moved to another image", _digest),
)
