"""Rules for manifests beside each other: names that lead somewhere, labels that agree, ways in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentci.core.digest import hex_of
from agentci.deploy.targets.kubernetes_names import SPEC_ANNOTATION, namespace_of, options_of
from agentci.deploy.targets.kubernetes_network import DEFAULT_DENY, NOT_PUBLIC, NOT_PUBLIC_V6
from agentci.deploy.targets.kubernetes_objects import Cluster, Manifest, containers
from agentci.deploy.targets.kubernetes_pod import security_level
from agentci.deploy.targets.kubernetes_rule import ManifestRule, Violation
from agentci.record.secrets.scan import spot

_ENFORCE: Final = "pod-security.kubernetes.io/enforce"


def _secrets(cluster: Cluster) -> Iterator[Violation]:
    for manifest in cluster.manifests:
        for each in spot(manifest.content):
            yield Violation(manifest.path, f"`{each.path}` holds a secret ({each.kind})", ("env",))


def _twice(cluster: Cluster) -> Iterator[Violation]:
    seen: dict[tuple[str, str], str] = {}
    for manifest in cluster.manifests:
        key = (manifest.kind, manifest.name)
        if key in seen:
            yield Violation(manifest.path, f"`{seen[key]}` holds a {key[0]} `{key[1]}` as well")
        seen[key] = manifest.path


def _namespace(cluster: Cluster) -> Iterator[Violation]:
    wanted = namespace_of(cluster.deployment.spec)
    for manifest in cluster.manifests:
        metadata = manifest.content["metadata"]
        found = manifest.name if manifest.kind == "Namespace" else metadata.get("namespace")
        if found != wanted:
            yield Violation(manifest.path, f"it is in the namespace `{found}`, not in `{wanted}`")
    if not cluster.of_kind("Namespace"):
        yield Violation("namespace.yaml", "the Namespace is missing")


def _pod_security(cluster: Cluster) -> Iterator[Violation]:
    wanted = security_level(cluster.deployment.spec)
    for manifest in cluster.of_kind("Namespace"):
        if manifest.content["metadata"]["labels"].get(_ENFORCE) != wanted:
            yield Violation(manifest.path, f"the label `{_ENFORCE}` has to be `{wanted}`")


def _spec_digest(cluster: Cluster) -> Iterator[Violation]:
    wanted = hex_of(cluster.deployment.digest)
    for manifest in cluster.manifests:
        if manifest.content["metadata"]["annotations"].get(SPEC_ANNOTATION) != wanted:
            message = f"`{SPEC_ANNOTATION}` is not the digest of the spec"
            yield Violation(manifest.path, message)


def _matches(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    return all(labels.get(key) == value for key, value in selector.items())


def _labels(workload: Manifest) -> Mapping[str, Any]:
    template = workload.template
    found: Mapping[str, Any] = template["metadata"]["labels"] if template is not None else {}
    return found


def _selectors(cluster: Cluster) -> Iterator[Violation]:
    for manifest in cluster.of_kind("Deployment"):
        selector = manifest.spec["selector"]["matchLabels"]
        if not _matches(selector, _labels(manifest)):
            yield Violation(manifest.path, "the selector is not that of its own pods")
        for other in cluster.workloads:
            if other is not manifest and _matches(selector, _labels(other)):
                yield Violation(
                    manifest.path, f"its selector takes the pods of `{other.name}`, too"
                )
    for manifest in cluster.manifests:
        wanted = _selector(manifest)
        if wanted and not any(_matches(wanted, _labels(each)) for each in cluster.workloads):
            yield Violation(manifest.path, "its selector finds no pods")


def _selector(manifest: Manifest) -> Mapping[str, Any] | None:
    match manifest.kind:
        case "Service":
            found: Mapping[str, Any] = manifest.spec["selector"]
        case "PodDisruptionBudget":
            found = manifest.spec["selector"]["matchLabels"]
        case "NetworkPolicy":
            found = manifest.spec["podSelector"].get("matchLabels", {})
        case _:
            return None
    return found


def _port_names(cluster: Cluster) -> Iterator[Violation]:
    for workload in cluster.workloads:
        for container in containers(workload):
            yield from _of_container(workload, container)
    for service in cluster.of_kind("Service"):
        selected = [
            each for each in cluster.workloads if _matches(service.spec["selector"], _labels(each))
        ]
        for port in service.spec["ports"]:
            for workload in selected:
                if port["targetPort"] not in _names_of_ports(workload):
                    message = f"`{workload.name}` has no port `{port['targetPort']}`"
                    yield Violation(service.path, message, ("ports",))
    for manifest in cluster.of_kind("Ingress"):
        yield from _backends(cluster, manifest)


def _of_container(workload: Manifest, container: Mapping[str, Any]) -> Iterator[Violation]:
    names = [port["name"] for port in container.get("ports", ())]
    numbers = [port["containerPort"] for port in container.get("ports", ())]
    if len(set(names)) < len(names) or len(set(numbers)) < len(numbers):
        yield Violation(workload.path, "two ports have one name or number", ("ports",))
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container.get(probe, {}).get("httpGet")
        if asked is not None and asked["port"] not in names:
            yield Violation(
                workload.path, f"`{probe}` asks the port `{asked['port']}`", ("health",)
            )


def _names_of_ports(workload: Manifest) -> set[str]:
    return {port["name"] for each in containers(workload) for port in each.get("ports", ())}


def _backends(cluster: Cluster, manifest: Manifest) -> Iterator[Violation]:
    ports = {
        each.name: {port["name"] for port in each.spec["ports"]}
        for each in cluster.of_kind("Service")
    }
    for rule in manifest.spec["rules"]:
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            if backend["port"]["name"] not in ports.get(backend["name"], ()):
                shown = f"{backend['name']}:{backend['port']['name']}"
                yield Violation(manifest.path, f"there is no service `{shown}`", ("ports",))


def _references(cluster: Cluster) -> Iterator[Violation]:
    for workload in cluster.workloads:
        assert workload.template is not None
        pod = workload.template["spec"]
        named = [("ServiceAccount", pod["serviceAccountName"])]
        for container in containers(workload):
            named += [
                ("ConfigMap", each["configMapRef"]["name"]) for each in container.get("envFrom", ())
            ]
        for volume in pod.get("volumes", ()):
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                named.append(("PersistentVolumeClaim", claim))
            if "csi" in volume:
                provider = volume["csi"]["volumeAttributes"]["secretProviderClass"]
                named.append(("SecretProviderClass", provider))
        yield from _missing(cluster, workload, named)
        yield from _mounts(workload, pod)
    for scaler in cluster.of_kind("HorizontalPodAutoscaler"):
        yield from _missing(
            cluster, scaler, [("Deployment", scaler.spec["scaleTargetRef"]["name"])]
        )


def _missing(
    cluster: Cluster, manifest: Manifest, named: list[tuple[str, str]]
) -> Iterator[Violation]:
    for kind, name in named:
        if name not in cluster.names(kind):
            yield Violation(manifest.path, f"there is no {kind} `{name}`")


def _mounts(workload: Manifest, pod: Mapping[str, Any]) -> Iterator[Violation]:
    volumes = [volume["name"] for volume in pod.get("volumes", ())]
    mounts = [each for item in pod["containers"] for each in item.get("volumeMounts", ())]
    for name in dict.fromkeys(each["name"] for each in mounts):
        if name not in volumes:
            yield Violation(workload.path, f"there is no volume `{name}`", ("volumes",))
    for name in volumes:
        if volumes.count(name) > 1 or all(each["name"] != name for each in mounts):
            message = f"the volume `{name}` is there twice, or is mounted nowhere"
            yield Violation(workload.path, message, ("volumes",))
    places = [each["mountPath"] for each in mounts]
    if len(set(places)) < len(places):
        yield Violation(workload.path, "two volumes have one `mountPath`", ("volumes",))


def _kustomization(cluster: Cluster) -> Iterator[Violation]:
    there = [manifest.path for manifest in cluster.manifests]
    for path in cluster.kustomization:
        if path not in there or cluster.kustomization.count(path) > 1:
            yield Violation("kustomization.yaml", f"it names `{path}`, which is missing or twice")
    for path in there:
        if path not in cluster.kustomization:
            yield Violation("kustomization.yaml", f"it does not name `{path}`")


def _default_deny(cluster: Cluster) -> Iterator[Violation]:
    everything = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    policies = cluster.of_kind("NetworkPolicy")
    if all(policy.spec != everything for policy in policies):
        yield Violation(f"{DEFAULT_DENY}.yaml", "no policy that lets nothing in and out")


def _openings(cluster: Cluster) -> Iterator[Violation]:
    for policy in cluster.of_kind("NetworkPolicy"):
        if policy.spec["policyTypes"] != ["Ingress", "Egress"]:
            yield Violation(policy.path, "it does not hold for both directions", ("egress",))
        for rule in policy.spec.get("ingress", ()):
            if "from" not in rule or any("ipBlock" in peer for peer in rule["from"]):
                yield Violation(policy.path, "it lets in everybody, or addresses", ("ports",))
        for rule in policy.spec.get("egress", ()):
            yield from _way_out(cluster, policy, rule)


def _way_out(cluster: Cluster, policy: Manifest, rule: Mapping[str, Any]) -> Iterator[Violation]:
    if "to" not in rule:
        yield Violation(policy.path, "it lets out to everywhere", ("egress",))
        return
    for block in (peer["ipBlock"] for peer in rule["to"] if "ipBlock" in peer):
        kept = set(NOT_PUBLIC_V6 if ":" in block["cidr"] else NOT_PUBLIC)
        if policy.service not in options_of(cluster.deployment.spec).open_egress:
            yield Violation(policy.path, "it lets out to addresses", ("egress",))
        elif not kept <= set(block.get("except", ())) or "ports" not in rule:
            message = "it lets out to addresses that are not public, or to every port"
            yield Violation(policy.path, message, ("egress",))


def _disruption(cluster: Cluster) -> Iterator[Violation]:
    budgets = [
        each.spec["selector"]["matchLabels"] for each in cluster.of_kind("PodDisruptionBudget")
    ]
    for manifest in cluster.of_kind("Deployment"):
        covered = any(_matches(each, _labels(manifest)) for each in budgets)
        if manifest.spec.get("replicas", 1) > 1 and not covered:
            yield Violation(manifest.path, "no PodDisruptionBudget", ("replicas",))


def _tls(cluster: Cluster) -> Iterator[Violation]:
    for manifest in cluster.of_kind("Ingress"):
        covered = {host for each in manifest.spec.get("tls", ()) for host in each["hosts"]}
        for rule in manifest.spec["rules"]:
            if rule["host"] not in covered:
                yield Violation(manifest.path, f"`{rule['host']}` has no `tls`", ("ports",))


def _inside(cluster: Cluster) -> Iterator[Violation]:
    for manifest in cluster.of_kind("Service"):
        if manifest.spec["type"] != "ClusterIP":
            message = f"the type `{manifest.spec['type']}`"
            yield Violation(manifest.path, message, ("ports",))


def _times(cluster: Cluster) -> Iterator[Violation]:
    for manifest in cluster.of_kind("Deployment"):
        if manifest.spec.get("minReadySeconds", 0) >= manifest.spec["progressDeadlineSeconds"]:
            yield Violation(
                manifest.path, "`progressDeadlineSeconds` ends before `minReadySeconds`"
            )
    for manifest in cluster.of_kind("HorizontalPodAutoscaler"):
        if manifest.spec["minReplicas"] > manifest.spec["maxReplicas"]:
            yield Violation(manifest.path, "`minReplicas` is above `maxReplicas`", ("replicas",))


RULES: Final[tuple[ManifestRule, ...]] = (
    ManifestRule("kubernetes-secret", "whoever reads the repository would have it", _secrets),
    ManifestRule("kubernetes-twice", "the later one would replace the other", _twice),
    ManifestRule("kubernetes-namespace", "policies hold within one namespace", _namespace),
    ManifestRule(
        "kubernetes-pod-security", "it is what the server itself refuses by", _pod_security
    ),
    ManifestRule(
        "kubernetes-spec", "nobody could tell what a running object was made of", _spec_digest
    ),
    ManifestRule("kubernetes-selector", "pods would be nobody's, or those of two", _selectors),
    ManifestRule("kubernetes-port", "requests would lead nowhere", _port_names),
    ManifestRule("kubernetes-reference", "the pods would never start", _references),
    ManifestRule("kubernetes-kustomization", "what is not named is not applied", _kustomization),
    ManifestRule(
        "kubernetes-default-deny", "pods reach everything unless told otherwise", _default_deny
    ),
    ManifestRule("kubernetes-open-network", "what breaks in could take everything out", _openings),
    ManifestRule(
        "kubernetes-disruption", "an update of nodes could stop all replicas", _disruption
    ),
    ManifestRule("kubernetes-tls", "passwords and answers would be readable on the way", _tls),
    ManifestRule("kubernetes-inside", "it would open a port past the Ingress", _inside),
    ManifestRule("kubernetes-numbers", "the server would refuse it, or never get there", _times),
)
