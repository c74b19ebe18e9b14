"""What runs a service's pods, and what leads requests to them."""

from __future__ import annotations

from typing import Final

from agentci.core.digest import digest_json, hex_of
from agentci.core.json_types import JsonObject, JsonValue
from agentci.deploy.artifact import Deployment
from agentci.deploy.targets.kubernetes_names import (
    Track,
    image_of,
    metadata,
    options_of,
    port_name,
    ports_of,
    selector_of,
    serving_selector,
    tracks_of,
)
from agentci.deploy.targets.kubernetes_pod import pod_template
from agentci.deploy.targets.kubernetes_storage import is_shared
from agentci.spec.deploy import DeploySpec

_DEADLINE: Final = 600
"""Seconds in which a version has to come up, beside what it is watched for."""
_KEPT: Final = 3
_RETRIES: Final = 6


def deployments(deployment: Deployment, name: str) -> tuple[JsonObject, ...]:
    """Return a Deployment for each version of a service that runs."""
    return tuple(_deployment(deployment, track) for track in tracks_of(deployment, name))


def _deployment(deployment: Deployment, track: Track) -> JsonObject:
    spec = deployment.spec
    bake = (spec.rollout.bake or 0) if track.is_new else 0
    found: dict[str, JsonValue] = {}
    if track.service not in options_of(spec).autoscale:
        found["replicas"] = track.replicas
    if bake:
        found["minReadySeconds"] = bake
    found |= {
        "revisionHistoryLimit": _KEPT,
        "progressDeadlineSeconds": _DEADLINE + bake,
        "selector": {"matchLabels": selector_of(spec, track.service, track.label)},
        "strategy": _strategy(spec, track.service),
        "template": pod_template(deployment, track.service, image=track.image, track=track.label),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(deployment, track.name, service=track.service),
        "spec": found,
    }


def _strategy(spec: DeploySpec, name: str) -> JsonObject:
    """Return how pods are replaced. A volume for one node alone lets no second pod start."""
    mounted = spec.services[name].volumes
    if any(not is_shared(spec, mount.volume) for mount in mounted):
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}}


def task(deployment: Deployment, name: str) -> JsonObject:
    """Return the Job or CronJob of a service that runs to its end.

    A Job cannot be changed, so its name ends in a digest of what it runs.
    """
    service = deployment.spec.services[name]
    job: JsonObject = {
        "backoffLimit": _RETRIES if service.restart == "on-failure" else 0,
        "parallelism": service.replicas,
        "completions": service.replicas,
        "template": pod_template(deployment, name, image=image_of(deployment, name)),
    }
    if service.schedule is None:
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": metadata(
                deployment, f"{name}-{hex_of(digest_json(job))[:10]}", service=name
            ),
            "spec": job,
        }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata(deployment, name, service=name),
        "spec": {
            "schedule": service.schedule.cron,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 300,
            "successfulJobsHistoryLimit": _KEPT,
            "failedJobsHistoryLimit": _KEPT,
            "jobTemplate": {"spec": job},
        },
    }


def service_account(deployment: Deployment, name: str) -> JsonObject:
    """Return the account of a service, without a token for the cluster's API."""
    options = options_of(deployment.spec)
    annotations = options.identities.get(name)
    pull = options.pull_secret
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(deployment, name, service=name, annotations=annotations),
        "automountServiceAccountToken": False,
        **({"imagePullSecrets": [{"name": pull}]} if pull is not None else {}),
    }


def service_object(deployment: Deployment, name: str) -> JsonObject:
    """Return what others in the cluster find a service by; nobody outside does."""
    ports = ports_of(deployment.spec.services[name])
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(deployment, name, service=name),
        "spec": {
            "type": "ClusterIP",
            "selector": serving_selector(deployment, name),
            "ports": [
                {
                    "name": port_name(port),
                    "port": port,
                    "targetPort": port_name(port),
                    "protocol": "TCP",
                }
                for port in ports
            ],
        },
    }


def ingress(deployment: Deployment, name: str) -> JsonObject:
    """Return what leads requests from outside to a service, over TLS alone."""
    options = options_of(deployment.spec).ingress
    assert options is not None
    host = options.hosts[name]
    published = deployment.spec.services[name].ports
    port = next(each.container for each in published if each.publish == "lb")
    issued = {} if options.issuer is None else {"cert-manager.io/cluster-issuer": options.issuer}
    backend: JsonObject = {"service": {"name": name, "port": {"name": port_name(port)}}}
    paths: list[JsonValue] = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata(deployment, name, service=name, annotations=issued),
        "spec": {
            "ingressClassName": options.class_,
            "tls": [{"hosts": [host], "secretName": f"{name}-tls"}],
            "rules": [{"host": host, "http": {"paths": paths}}],
        },
    }


def disruption_budget(deployment: Deployment, track: Track) -> JsonObject:
    """Return what keeps all but one replica running while nodes are emptied."""
    selector = selector_of(deployment.spec, track.service, track.label)
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(deployment, track.name, service=track.service),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector}},
    }


def autoscaler(deployment: Deployment, track: Track) -> JsonObject:
    """Return what adds replicas under load."""
    options = options_of(deployment.spec).autoscale[track.service]
    target: JsonObject = {"type": "Utilization", "averageUtilization": options.cpu}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(deployment, track.name, service=track.service),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": track.name},
            "minReplicas": track.replicas,
            "maxReplicas": options.max,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }
