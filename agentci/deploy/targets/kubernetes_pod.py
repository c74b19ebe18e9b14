"""The pods of a service, held to the Pod Security Standard `restricted` unless the spec loosens it.

Source of the profile: https://kubernetes.io/docs/concepts/security/pod-security-standards/.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from agentci.core.digest import digest_json, hex_of
from agentci.core.json_types import JsonObject, JsonValue
from agentci.deploy.artifact import Deployment
from agentci.deploy.checks import service_urls
from agentci.deploy.health import health_port
from agentci.deploy.targets.kubernetes_names import (
    is_task,
    metadata,
    namespace_of,
    options_of,
    port_name,
    ports_of,
    selector_of,
)
from agentci.deploy.targets.kubernetes_storage import mounts, pod_volumes
from agentci.spec.deploy import DeploySpec, HealthSpec, HostsEgress, ServiceSpec, mebibytes

BASELINE_CAPABILITIES: Final = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
        "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip
RESTRICTED_CAPABILITIES: Final = frozenset({"NET_BIND_SERVICE"})


def security_level(spec: DeploySpec) -> Literal["restricted", "baseline", "privileged"]:
    """Return the strictest Pod Security Standard that all services hold."""
    loosened = [each for service in spec.services.values() for each in service.loosen]
    added = {each.capability for each in loosened if each.capability is not None}
    if added - BASELINE_CAPABILITIES:
        return "privileged"
    if added - RESTRICTED_CAPABILITIES:
        return "baseline"
    what = {each.what for each in loosened}
    return "baseline" if what & {"root_user", "privilege_gain"} else "restricted"


def pod_template(
    deployment: Deployment, name: str, *, image: str, track: str | None = None
) -> JsonObject:
    """Return the template of a service's pods."""
    spec = deployment.spec
    service = spec.services[name]
    pod: dict[str, JsonValue] = {
        "serviceAccountName": name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
    }
    if is_task(service):
        pod["restartPolicy"] = "OnFailure" if service.restart == "on-failure" else "Never"
    pod["securityContext"] = _pod_security(service)
    if service.replicas > 1 and not is_task(service):
        pod["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector_of(spec, name, track)},
            }
        ]
    pod["containers"] = [_container(deployment, name, image)]
    volumes = pod_volumes(deployment, name)
    if volumes:
        pod["volumes"] = list(volumes)
    return {"metadata": {"labels": selector_of(spec, name, track)}, "spec": pod}


def _ids(service: ServiceSpec) -> Sequence[int]:
    return [int(part) for part in service.user.split(":")]


def _pod_security(service: ServiceSpec) -> JsonObject:
    user, group = _ids(service)
    return {
        "runAsNonRoot": user != 0,
        "runAsUser": user,
        "runAsGroup": group,
        "fsGroup": group,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _container(deployment: Deployment, name: str, image: str) -> JsonObject:
    service = deployment.spec.services[name]
    amount = {
        "cpu": f"{round(service.resources.cpu * 1000)}m",
        "memory": f"{mebibytes(service.resources.memory)}Mi",
    }
    found: dict[str, JsonValue] = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
    }
    if service.command is not None:
        found["args"] = [without_expansion(each) for each in service.command]
    if ports_of(service):
        found["ports"] = [
            {"name": port_name(port), "containerPort": port, "protocol": "TCP"}
            for port in ports_of(service)
        ]
    if variables(deployment.spec, name):
        found["envFrom"] = [{"configMapRef": {"name": config_name(deployment.spec, name)}}]
    found["resources"] = {"requests": amount, "limits": amount}
    if service.health is not None:
        found |= _probes(service, service.health)
    found["securityContext"] = _container_security(service)
    where = mounts(deployment.spec, service)
    if where:
        found["volumeMounts"] = list(where)
    return found


def _container_security(service: ServiceSpec) -> JsonObject:
    loosened = {each.what for each in service.loosen}
    added = [each.capability for each in service.loosen if each.capability is not None]
    return {
        "allowPrivilegeEscalation": "privilege_gain" in loosened,
        "readOnlyRootFilesystem": "writable_root" not in loosened,
        "capabilities": {"drop": ["ALL"], **({"add": added} if added else {})},
    }


def _probes(service: ServiceSpec, health: HealthSpec) -> JsonObject:
    """Return the probes: one that waits for the start, and then those for requests and restarts.

    A service that runs to its end gets no requests, so nothing has to be ready.
    """
    how: JsonObject
    if health.cmd is not None:
        how = {"exec": {"command": [without_expansion(each) for each in health.cmd]}}
    else:
        port = port_name(health_port(service, health))
        how = {"httpGet": {"path": health.http, "port": port, "scheme": "HTTP"}}
    probe: JsonObject = {
        **how,
        "periodSeconds": health.interval,
        "timeoutSeconds": health.timeout,
        "failureThreshold": health.retries,
    }
    tries = math.ceil(health.start_period / health.interval) + health.retries
    return {
        "startupProbe": {**probe, "failureThreshold": tries},
        **({} if is_task(service) else {"readinessProbe": probe}),
        "livenessProbe": probe,
    }


def without_expansion(text: str) -> str:
    """Return `text` as an argument in which the kubelet replaces nothing: `$` becomes `$$`.

    Source: https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/.
    Values of a ConfigMap are taken as they are.
    """
    return text.replace("$", "$$")


def variables(spec: DeploySpec, name: str) -> Mapping[str, str]:
    """Return the plain variables of a service, with addresses, and the proxy where it has one."""
    service = spec.services[name]
    gateway = options_of(spec).egress_gateway
    proxy: dict[str, str] = {}
    if gateway is not None and isinstance(service.egress, HostsEgress):
        url = f"http://{gateway.service}.{gateway.namespace}.svc:{gateway.port}"
        inside = ",".join(["localhost", "127.0.0.1", *spec.services])
        proxy = {"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": inside}
    return {**proxy, **service.env, **service_urls(spec, service)}


def config_name(spec: DeploySpec, name: str) -> str:
    """Return the name of a service's ConfigMap. It ends in a digest of what is in there.

    So what changes is a new object: pods are replaced, and old pods keep what they started with.
    """
    digest = digest_json({"namespace": namespace_of(spec), "data": dict(variables(spec, name))})
    return f"{name}-env-{hex_of(digest)[:10]}"


def config_map(deployment: Deployment, name: str) -> JsonObject:
    """Return the ConfigMap with a service's plain variables."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(deployment, config_name(deployment.spec, name), service=name),
        "immutable": True,
        "data": variables(deployment.spec, name),
    }
