"""Seeded defects in manifests, each with what catches it.

`published` says whether the strict published schemas of Kubernetes catch it as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentci.adapters.kubernetes_schemas import check_object
from agentci.deploy.targets import kubernetes_pod_rules, kubernetes_set_rules
from agentci.deploy.targets.kubernetes import KUBERNETES
from agentci.deploy.targets.kubernetes_schema import CUSTOM
from tests.support.kubernetes_specs import GOOD, deployment_of, rendered

THREE = "three services behind an ingress"
API = "services/api/deployment.yaml"
POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"


@dataclass(frozen=True)
class Defect:
    """One change of one file."""

    name: str
    caught_by: str
    file: str = API
    set: Mapping[str, Any] = field(default_factory=dict)
    """By place: the new value."""
    drop: tuple[str, ...] = ()
    spec: str = THREE
    published: bool = False


def setting(name: str, caught_by: str, place: str, value: Any, **more: Any) -> Defect:
    return Defect(name, caught_by, set={place: value}, **more)


def dropping(name: str, caught_by: str, place: str, **more: Any) -> Defect:
    return Defect(name, caught_by, drop=(place,), **more)


SCHEMA, KIND = "kubernetes-schema", "kubernetes-kind"
SECURITY = f"{CONTAINER}.securityContext"
POLICY = "services/api/networkpolicy.yaml"
INGRESS = "services/api/ingress.yaml"
SERVICE = "services/api/service.yaml"
CONFIG = "services/api/configmap.yaml"
BUDGET = "services/api/poddisruptionbudget.yaml"
STORE = "services/store/deployment.yaml"
PATHS = "spec.rules.0.http.paths.0"
CLOUDS = "secrets of cluster and clouds"
GREEN = "blue and green"
OPEN = "to some hosts"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----"

DEFECTS = (
    # wrong names
    setting(
        "misspelled nested key", SCHEMA, f"{CONTAINER}.imagePulPolicy", "Always", published=True
    ),
    setting("misspelled kind", KIND, "kind", "Deploiment", published=True),
    setting("old api version", KIND, "apiVersion", "extensions/v1beta1", published=True),
    setting("api version of a stranger", KIND, "apiVersion", "apps.example.org/v1", published=True),
    setting("key of another object", SCHEMA, "spec.schedule", "* * * * *", published=True),
    setting("capital in a name", SCHEMA, "metadata.name", "Api"),
    setting("underscore in a name", SCHEMA, "metadata.name", "my_api"),
    setting("long name of a port", SCHEMA, f"{CONTAINER}.ports.0.name", "a-name-that-is-too-long"),
    setting("label that is none", SCHEMA, "metadata.labels.version", "a b"),
    # wrong types
    setting("text for a number", SCHEMA, "spec.replicas", "three", published=True),
    setting("number for a text", SCHEMA, f"{CONTAINER}.args", [8080], published=True),
    setting("number in a config map", SCHEMA, "data.MODE", 1, file=CONFIG, published=True),
    setting("one for a list", SCHEMA, f"{POD}.containers", {"name": "api"}, published=True),
    setting(
        "text for a flag", SCHEMA, f"{POD}.automountServiceAccountToken", "false", published=True
    ),
    # missing
    dropping("no selector", SCHEMA, "spec.selector", published=True),
    dropping("no name of a container", SCHEMA, f"{CONTAINER}.name", published=True),
    dropping("no image", SCHEMA, f"{CONTAINER}.image"),
    dropping("no limits", SCHEMA, f"{CONTAINER}.resources.limits"),
    dropping("no security context", SCHEMA, SECURITY),
    dropping("no path type", SCHEMA, f"{PATHS}.pathType", file=INGRESS, published=True),
    # enums and ranges
    setting("pull policy", SCHEMA, f"{CONTAINER}.imagePullPolicy", "Sometimes"),
    setting("strategy", SCHEMA, "spec.strategy.type", "Rolling"),
    setting("path type", SCHEMA, f"{PATHS}.pathType", "Begin", file=INGRESS),
    setting("policy type", SCHEMA, "spec.policyTypes", ["ingress", "Egress"], file=POLICY),
    setting("type of a service", SCHEMA, "spec.type", "Loadbalancer", file=SERVICE),
    setting("seccomp profile", SCHEMA, f"{POD}.securityContext.seccompProfile.type", "Default"),
    setting(
        "access mode", SCHEMA, "spec.accessModes", ["ReadWriteTwice"], file="volumes/data.yaml"
    ),
    setting("port", SCHEMA, f"{CONTAINER}.ports.0.containerPort", 80_800),
    setting("negative replicas", SCHEMA, "spec.replicas", -1),
    setting("quantity", SCHEMA, f"{CONTAINER}.resources.limits.memory", "256 MB"),
    setting(
        "concurrency",
        SCHEMA,
        "spec.concurrencyPolicy",
        "Never",
        file="services/report/cronjob.yaml",
        spec="scheduled and once",
    ),
    setting(
        "restart policy",
        SCHEMA,
        f"{POD}.restartPolicy",
        "Sometimes",
        file="services/seed/job.yaml",
        spec="scheduled and once",
    ),
    # dangling references, and what does not agree
    setting(
        "config map", "kubernetes-reference", f"{CONTAINER}.envFrom.0.configMapRef.name", "env"
    ),
    setting("account", "kubernetes-reference", f"{POD}.serviceAccountName", "default"),
    setting(
        "claim",
        "kubernetes-reference",
        f"{POD}.volumes.1.persistentVolumeClaim.claimName",
        "date",
        file=STORE,
    ),
    setting("volume", "kubernetes-reference", f"{CONTAINER}.volumeMounts.0.name", "x", file=STORE),
    setting(
        "secret provider",
        "kubernetes-reference",
        f"{POD}.volumes.1.csi.volumeAttributes.secretProviderClass",
        "api-azure",
        spec=CLOUDS,
    ),
    setting(
        "scaled deployment",
        "kubernetes-reference",
        "spec.scaleTargetRef.name",
        "api",
        file="services/api/horizontalpodautoscaler-green.yaml",
        spec=GREEN,
    ),
    setting(
        "port of a probe", "kubernetes-port", f"{CONTAINER}.readinessProbe.httpGet.port", "http"
    ),
    setting("target port", "kubernetes-port", "spec.ports.0.targetPort", "http", file=SERVICE),
    setting(
        "service behind the ingress",
        "kubernetes-port",
        f"{PATHS}.backend.service.name",
        "web",
        file=INGRESS,
    ),
    setting("own pods", "kubernetes-selector", "spec.template.metadata.labels", {"app": "api"}),
    setting(
        "pods of a service", "kubernetes-selector", "spec.selector", {"app": "x"}, file=SERVICE
    ),
    setting(
        "pods of both colors",
        "kubernetes-selector",
        "spec.selector.matchLabels",
        {"app.kubernetes.io/name": "api"},
        file="services/api/deployment-green.yaml",
        spec=GREEN,
    ),
    setting(
        "pods of a budget",
        "kubernetes-selector",
        "spec.selector.matchLabels",
        {"app": "x"},
        file=BUDGET,
    ),
    setting(
        "file of the kustomization",
        "kubernetes-kustomization",
        "resources.0",
        "name.yaml",
        file="kustomization.yaml",
    ),
    dropping("file that is gone", "kubernetes-kustomization", "", file=INGRESS),
    dropping("kustomization that is gone", "kubernetes-file", "", file="kustomization.yaml"),
    dropping("budget that is gone", "kubernetes-disruption", "", file=BUDGET),
    setting("other namespace", "kubernetes-namespace", "metadata.namespace", "default"),
    setting("name twice", "kubernetes-twice", "metadata.name", "api", file=STORE),
    setting(
        "digest of another spec",
        "kubernetes-spec",
        "metadata.annotations",
        {"agentci.spec-sha256": "0" * 64},
    ),
    setting("deadline", "kubernetes-numbers", "spec.minReadySeconds", 600),
    # leaked secrets
    setting("key in a config map", "kubernetes-secret", "data.KEY", KEY, file=CONFIG),
    setting("key in an argument", "kubernetes-secret", f"{CONTAINER}.args", ["--key", KEY]),
    setting(
        "token in an annotation",
        "kubernetes-secret",
        "metadata.annotations.note",
        "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    ),
    Defect(
        "object with a secret",
        KIND,
        file=CONFIG,
        set={"kind": "Secret", "stringData": {"A": "b"}},
        drop=("data",),
    ),
    setting(
        "secret as a variable", SCHEMA, f"{CONTAINER}.env", [{"name": "PASSWORD", "value": "x"}]
    ),
    # loosened hardening
    setting("root", "kubernetes-root", f"{POD}.securityContext.runAsUser", 0),
    setting("maybe root", "kubernetes-root", f"{POD}.securityContext.runAsNonRoot", False),
    setting(
        "more privileges", "kubernetes-escalation", f"{SECURITY}.allowPrivilegeEscalation", True
    ),
    setting("privileged", SCHEMA, f"{SECURITY}.privileged", True),
    setting("writable", "kubernetes-read-only", f"{SECURITY}.readOnlyRootFilesystem", False),
    setting(
        "capabilities kept", "kubernetes-capabilities", f"{SECURITY}.capabilities.drop", ["KILL"]
    ),
    setting(
        "capability added", "kubernetes-capabilities", f"{SECURITY}.capabilities.add", ["SYS_ADMIN"]
    ),
    dropping("no seccomp", "kubernetes-seccomp", f"{POD}.securityContext.seccompProfile"),
    setting("host network", SCHEMA, f"{POD}.hostNetwork", True),
    setting(
        "host path",
        SCHEMA,
        f"{POD}.volumes.0",
        {"name": "x", "hostPath": {"path": "/"}},
        file=STORE,
    ),
    dropping("token of a pod", "kubernetes-token", f"{POD}.automountServiceAccountToken"),
    setting(
        "token of an account",
        "kubernetes-token",
        "automountServiceAccountToken",
        True,
        file="services/api/serviceaccount.yaml",
    ),
    setting("fewer requests", "kubernetes-resources", f"{CONTAINER}.resources.requests.cpu", "50m"),
    dropping("no readiness", "kubernetes-probes", f"{CONTAINER}.readinessProbe"),
    setting("image by tag", "kubernetes-image", f"{CONTAINER}.image", "registry.example/api:1.4"),
    dropping(
        "memory without end",
        "kubernetes-size-limit",
        f"{POD}.volumes.0.emptyDir.sizeLimit",
        file=STORE,
    ),
    setting(
        "pod security",
        "kubernetes-pod-security",
        "metadata.labels",
        {"pod-security.kubernetes.io/enforce": "privileged"},
        file="namespace.yaml",
    ),
    setting("open port", "kubernetes-inside", "spec.type", "NodePort", file=SERVICE),
    dropping("no tls", "kubernetes-tls", "spec.tls", file=INGRESS),
    dropping("everybody in", "kubernetes-open-network", "spec.ingress.0.from", file=POLICY),
    setting("everywhere out", "kubernetes-open-network", "spec.egress.0", {}, file=POLICY),
    setting(
        "addresses out",
        "kubernetes-open-network",
        "spec.egress.0.to",
        [{"ipBlock": {"cidr": "0.0.0.0/0"}}],
        file=POLICY,
    ),
    dropping(
        "metadata of the cloud",
        "kubernetes-open-network",
        "spec.egress.2.to.0.ipBlock.except",
        file=POLICY,
        spec=OPEN,
    ),
    setting(
        "one direction", "kubernetes-open-network", "spec.policyTypes", ["Ingress"], file=POLICY
    ),
    setting(
        "not denied",
        "kubernetes-default-deny",
        "spec.policyTypes",
        ["Ingress"],
        file="default-deny.yaml",
    ),
)


def _parent(content: Any, place: str) -> tuple[Any, Any]:
    *way, last = place.split(".") if "/" not in place else [place]
    if place.startswith(("metadata.annotations.", "metadata.labels.")):
        way, last = place.split(".")[:2], place.split(".", 2)[2]
    for part in way:
        content = content[int(part) if isinstance(content, list) else part]
    return content, int(last) if isinstance(content, list) else last


def seeded(defect: Defect) -> dict[str, bytes]:
    files = rendered(GOOD[defect.spec])
    if defect.drop == ("",):
        del files[defect.file]
        return files
    content = yaml.safe_load(files[defect.file])
    for place in defect.drop:
        parent, key = _parent(content, place)
        del parent[key]
    for place, value in defect.set.items():
        parent, key = _parent(content, place)
        assert isinstance(parent, list) or parent.get(key) != value, "it changes nothing"
        parent[key] = value
    files[defect.file] = json.dumps(content).encode()
    return files


def _id(defect: Defect) -> str:
    return defect.name


@pytest.mark.parametrize("defect", DEFECTS, ids=_id)
def test_a_defect_is_caught_by_what_is_said_to_catch_it(defect: Defect) -> None:
    examined = KUBERNETES.examine(deployment_of(GOOD[defect.spec]), seeded(defect))
    codes = [finding.code for each in examined for finding in each.findings]
    assert defect.caught_by in codes


@pytest.mark.parametrize("defect", [each for each in DEFECTS if each.drop != ("",)], ids=_id)
def test_the_published_schemas_catch_what_is_said_and_no_more(defect: Defect) -> None:
    content = yaml.safe_load(seeded(defect)[defect.file])
    if (content["apiVersion"], content["kind"]) not in CUSTOM:
        assert (check_object(content, "1.33") is not None) == defect.published


def test_names_of_defects_are_their_own() -> None:
    names = [defect.name for defect in DEFECTS]
    assert len(set(names)) == len(names) >= 25


def test_every_rule_is_shown_to_catch_something() -> None:
    rules = {rule.id for rule in (*kubernetes_pod_rules.RULES, *kubernetes_set_rules.RULES)}
    assert rules <= {defect.caught_by for defect in DEFECTS}


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"a: &x [*x]", b"\xff", b"kind: [", b"---\na: 1\n---\nb: 2\n", b"kind: 1\n"],
)
def test_a_broken_file_is_a_finding_and_no_crash(data: bytes) -> None:
    files = {**rendered(GOOD[THREE]), API: data}
    examined = KUBERNETES.examine(deployment_of(GOOD[THREE]), files)
    assert [each.name for each in examined] == ["schema"]
    assert examined[0].findings


def test_findings_name_the_place_in_the_spec() -> None:
    defect = next(each for each in DEFECTS if each.name == "image by tag")
    examined = KUBERNETES.examine(deployment_of(GOOD[THREE]), seeded(defect))
    assert [each.place for each in examined[1].findings] == ["services.api.image"]
    assert Path(API).name in examined[1].findings[0].message
