"""Volumes, folders in memory and secrets of a pod. Secrets are named; their values stand nowhere.

Secrets of the cluster come through a projected volume, those of a cloud through the Secrets Store
CSI driver (https://secrets-store-csi-driver.sigs.k8s.io). Where both are needed, each file is
mounted by itself, because two volumes cannot share one folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from agentci.core.json_types import JsonObject, JsonValue
from agentci.deploy.artifact import Deployment
from agentci.deploy.targets.kubernetes_names import metadata, options_of
from agentci.spec.deploy import DeploySpec, ServiceSpec, mebibytes

SECRETS_FOLDER: Final = "/run/secrets"
CSI_DRIVER: Final = "secrets-store.csi.k8s.io"
PROVIDER_API: Final = "secrets-store.csi.x-k8s.io/v1"
_PROVIDERS: Final[Mapping[str, str]] = {"aws-sm": "aws", "gcp-sm": "gcp"}
_READABLE_BY_GROUP: Final = 0o440


def in_cluster(spec: DeploySpec, secret: str) -> str | None:
    """Return `secret/key` of a secret that the cluster itself has."""
    source = spec.secrets[secret]
    return options_of(spec).secrets.get(secret) or (source.ref if source.from_ == "k8s" else None)


def _kind(spec: DeploySpec, secret: str) -> str:
    if in_cluster(spec, secret) is not None:
        return "cluster"
    return _PROVIDERS[spec.secrets[secret].from_]


def claims(deployment: Deployment) -> tuple[JsonObject, ...]:
    """Return a claim for each volume of the spec."""
    return tuple(_claim(deployment, name) for name in deployment.spec.volumes)


def is_shared(spec: DeploySpec, volume: str) -> bool:
    """Say whether several pods may have a volume at one time."""
    pods = sum(
        max(service.replicas, 1)
        for service in spec.services.values()
        if any(mount.volume == volume for mount in service.volumes)
    )
    return pods > 1


def _claim(deployment: Deployment, name: str) -> JsonObject:
    spec = deployment.spec
    storage_class = options_of(spec).storage_class
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata(deployment, name),
        "spec": {
            "accessModes": ["ReadWriteMany" if is_shared(spec, name) else "ReadWriteOnce"],
            **({"storageClassName": storage_class} if storage_class is not None else {}),
            "resources": {"requests": {"storage": f"{mebibytes(spec.volumes[name].size)}Mi"}},
        },
    }


def provider_classes(deployment: Deployment, service: str) -> tuple[JsonObject, ...]:
    """Return what tells the CSI driver which secrets of a cloud a service gets."""
    found: dict[str, list[JsonObject]] = {}
    for secret in deployment.spec.services[service].secrets:
        kind = _kind(deployment.spec, secret)
        if kind != "cluster":
            found.setdefault(kind, []).append(_object(deployment.spec, secret))
    return tuple(
        {
            "apiVersion": PROVIDER_API,
            "kind": "SecretProviderClass",
            "metadata": metadata(deployment, f"{service}-{kind}", service=service),
            "spec": {
                "provider": kind,
                "parameters": {"objects" if kind == "aws" else "secrets": json.dumps(objects)},
            },
        }
        for kind, objects in found.items()
    )


def _object(spec: DeploySpec, secret: str) -> JsonObject:
    ref = spec.secrets[secret].ref
    if _kind(spec, secret) == "aws":
        return {"objectName": ref, "objectType": "secretsmanager", "objectAlias": secret}
    return {"resourceName": ref, "path": secret}


def pod_volumes(deployment: Deployment, name: str) -> tuple[JsonObject, ...]:
    """Return the volumes of a service's pods."""
    spec = deployment.spec
    service = spec.services[name]
    found: list[JsonObject] = [
        {
            "name": f"memory-{index}",
            "emptyDir": {"medium": "Memory", "sizeLimit": f"{mebibytes(size)}Mi"},
        }
        for index, size in enumerate(service.writable_paths.values())
    ]
    volumes = dict.fromkeys(mount.volume for mount in service.volumes)
    found += [
        {"name": f"volume-{each}", "persistentVolumeClaim": {"claimName": each}} for each in volumes
    ]
    for kind, secrets in _by_kind(spec, service).items():
        found.append({"name": f"secrets-{kind}", **_secret_source(spec, name, kind, secrets)})
    return tuple(found)


def _by_kind(spec: DeploySpec, service: ServiceSpec) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for secret in service.secrets:
        found.setdefault(_kind(spec, secret), []).append(secret)
    return found


def _secret_source(spec: DeploySpec, service: str, kind: str, secrets: list[str]) -> JsonObject:
    if kind != "cluster":
        attributes = {"secretProviderClass": f"{service}-{kind}"}
        return {"csi": {"driver": CSI_DRIVER, "readOnly": True, "volumeAttributes": attributes}}
    sources: list[JsonValue] = []
    for secret in secrets:
        name, _, key = (in_cluster(spec, secret) or "").partition("/")
        sources.append({"secret": {"name": name, "items": [{"key": key, "path": secret}]}})
    return {"projected": {"defaultMode": _READABLE_BY_GROUP, "sources": sources}}


def mounts(spec: DeploySpec, service: ServiceSpec) -> tuple[JsonObject, ...]:
    """Return where a container has its volumes."""
    found: list[JsonObject] = [
        {"name": f"memory-{index}", "mountPath": path}
        for index, path in enumerate(service.writable_paths)
    ]
    found += [
        {
            "name": f"volume-{mount.volume}",
            "mountPath": mount.path,
            **({"readOnly": True} if mount.read_only else {}),
        }
        for mount in service.volumes
    ]
    kinds = _by_kind(spec, service)
    if len(kinds) == 1:
        name = f"secrets-{next(iter(kinds))}"
        found.append({"name": name, "mountPath": SECRETS_FOLDER, "readOnly": True})
        return tuple(found)
    found += [
        {
            "name": f"secrets-{kind}",
            "mountPath": f"{SECRETS_FOLDER}/{secret}",
            "subPath": secret,
            "readOnly": True,
        }
        for kind, secrets in kinds.items()
        for secret in secrets
    ]
    return tuple(found)
