"""Who reaches whom in a cluster: nobody, but for what `depends_on`, `egress` and `ports` say.

Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/. A policy knows no
host names; services with `egress: {hosts: ...}` are held to a gateway, or loosened by the spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agentci.core.json_types import JsonObject, JsonValue
from agentci.deploy.artifact import Deployment
from agentci.deploy.targets.kubernetes_names import (
    INSTANCE,
    metadata,
    options_of,
    ports_of,
    selector_of,
)
from agentci.spec.deploy import DeploySpec, HostsEgress

DEFAULT_DENY: Final = "default-deny"
NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
_DNS: Final[JsonObject] = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}
NOT_PUBLIC: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
"""Addresses that are nobody's on the internet (RFC 6890), among them the clouds' metadata."""
NOT_PUBLIC_V6: Final = ("::/127", "64:ff9b::/96", "fc00::/7", "fe80::/10", "ff00::/8")
HTTPS: Final = 443


def default_deny(deployment: Deployment) -> JsonObject:
    """Return the policy that holds for all pods of the namespace: nothing in, nothing out."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(deployment, DEFAULT_DENY),
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }


def service_policy(deployment: Deployment, name: str) -> JsonObject:
    """Return what is let through for the pods of a service."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(deployment, name, service=name),
        "spec": {
            "podSelector": {"matchLabels": selector_of(deployment.spec, name)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": list(_ingress(deployment.spec, name)),
            "egress": list(_egress(deployment.spec, name)),
        },
    }


def _ports(numbers: Sequence[int]) -> list[JsonValue]:
    return [{"protocol": "TCP", "port": number} for number in numbers]


def _ingress(spec: DeploySpec, name: str) -> Iterator[JsonObject]:
    ports = ports_of(spec.services[name])
    if not ports:
        return
    callers: list[JsonValue] = [
        {"podSelector": {"matchLabels": selector_of(spec, caller)}}
        for caller, other in spec.services.items()
        if caller != name and (name in other.depends_on or other.egress != "none")
    ]
    if callers:
        yield {"from": callers, "ports": _ports(ports)}
    published = [each.container for each in spec.services[name].ports if each.publish == "lb"]
    options = options_of(spec).ingress
    if published and options is not None:
        controller = {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: options.namespace}}}
        yield {"from": [controller], "ports": _ports(published)}


def _egress(spec: DeploySpec, name: str) -> Iterator[JsonObject]:
    service = spec.services[name]
    reached = [each for each in service.depends_on if ports_of(spec.services[each])]
    if service.egress == "none" and not reached:
        return
    yield _DNS
    if service.egress == "none":
        for each in reached:
            to: list[JsonValue] = [{"podSelector": {"matchLabels": selector_of(spec, each)}}]
            yield {"to": to, "ports": _ports(ports_of(spec.services[each]))}
        return
    yield {"to": [{"podSelector": {"matchLabels": {INSTANCE: spec.name}}}]}
    if isinstance(service.egress, HostsEgress):
        yield _outside(spec, service.egress)


def _outside(spec: DeploySpec, egress: HostsEgress) -> JsonObject:
    gateway = options_of(spec).egress_gateway
    if gateway is not None:
        pods: JsonObject = {
            "namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: gateway.namespace}},
            "podSelector": {"matchLabels": gateway.labels},
        }
        return {"to": [pods], "ports": _ports([gateway.port])}
    return {
        "to": [
            {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(NOT_PUBLIC)}},
            {"ipBlock": {"cidr": "::/0", "except": list(NOT_PUBLIC_V6)}},
        ],
        "ports": _ports(host_ports(egress)),
    }


def host_ports(egress: HostsEgress) -> tuple[int, ...]:
    """Return the ports of the hosts, sorted, each once."""
    found = {int(port) if port else HTTPS for _, _, port in map(_parts, egress.hosts)}
    return tuple(sorted(found))


def _parts(host: str) -> tuple[str, str, str]:
    return host.partition(":")
