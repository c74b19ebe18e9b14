"""What a cluster cannot do of a spec is refused, with the place and what to do instead."""

from __future__ import annotations

from typing import Any

import pytest

from agentci.deploy.targets.kubernetes import KUBERNETES
from tests.support.kubernetes_specs import DIGEST, INGRESS, deployment_of, image, service, spec

PREVIOUS = {"api": f"registry.example/team/api@{DIGEST}"}
HOSTS = {"hosts": ["api.openai.com"], "reason": "its model"}
LB = [{"container": 8080, "publish": "lb"}]
TASK = {"ports": None, "health": None, "restart": "never"}
BUILD: dict[str, Any] = {"image": None, "build": {"base": image("base")}}


def one(*, target: Any = None, top: Any = None, **fields: Any) -> dict[str, Any]:
    return spec({"api": service(**fields)}, target=target, **(top or {}))


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown service": (
        one(target={"identities": {"apy": {}}}),
        "ACI-U668",
        "targets.kubernetes.identities.apy",
    ),
    "unknown secret": (
        one(target={"secrets": {"x": "a/b"}}),
        "ACI-U668",
        "targets.kubernetes.secrets.x",
    ),
    "secret from the environment": (
        one(secrets=["key"], top={"secrets": {"key": {"from": "env", "ref": "KEY"}}}),
        "ACI-U667",
        "secrets.key.from",
    ),
    "secret without a key": (
        one(secrets=["key"], top={"secrets": {"key": {"from": "k8s", "ref": "db"}}}),
        "ACI-U667",
        "secrets.key.ref",
    ),
    "secret of Google by half its name": (
        one(secrets=["key"], top={"secrets": {"key": {"from": "gcp-sm", "ref": "key"}}}),
        "ACI-U667",
        "secrets.key.ref",
    ),
    "rollback on errors": (
        one(top={"rollout": {"rollback_on": ["unhealthy", "errors"]}}),
        "ACI-U662",
        "rollout.rollback_on[1]",
    ),
    "two versions on one volume": (
        one(
            volumes=[{"volume": "data", "path": "/data"}],
            top={"volumes": {"data": {}}, "rollout": {"strategy": "blue_green", "bake": 9}},
        ),
        "ACI-U662",
        "services.api.volumes",
    ),
    "color of a rolling update": (
        one(target={"release": {"color": "green"}}),
        "ACI-U662",
        "targets.kubernetes.release.color",
    ),
    "previous version of a rolling update": (
        one(target={"release": {"previous": PREVIOUS}}),
        "ACI-U662",
        "targets.kubernetes.release.previous.api",
    ),
    "nobody to serve": (
        one(
            target={"release": {"serving": "previous"}},
            top={"rollout": {"strategy": "blue_green", "bake": 9}},
        ),
        "ACI-U662",
        "targets.kubernetes.release.serving",
    ),
    "previous version of a task": (
        one(
            **TASK,
            target={"release": {"previous": PREVIOUS}},
            top={"rollout": {"strategy": "blue_green", "bake": 9}},
        ),
        "ACI-U662",
        "targets.kubernetes.release.previous.api",
    ),
    "canary of no replica": (
        one(
            replicas=4,
            target={"release": {"previous": PREVIOUS}},
            top={"rollout": {"strategy": "canary", "percent": 10, "bake": 9}},
        ),
        "ACI-U662",
        "targets.kubernetes.release.previous.api",
    ),
    "workflow": (
        one(top={"workflow": {"start": "A", "states": {"A": {"type": "succeed"}}}}),
        "ACI-U663",
        "workflow",
    ),
    "model": (
        one(models=["small"], top={"models": {"small": {"artifact": "ai/small"}}}),
        "ACI-U663",
        "models",
    ),
    "wait for the end": (
        spec({"api": service(depends_on={"seed": "completed"}), "seed": service(**TASK)}),
        "ACI-U663",
        "services.api.depends_on.seed",
    ),
    "hosts": (one(egress=HOSTS), "ACI-U664", "services.api.egress"),
    "opened for nothing": (
        one(target={"open_egress": {"api": "because it is so"}}),
        "ACI-U664",
        "targets.kubernetes.open_egress.api",
    ),
    "opened beside a gateway": (
        one(
            egress=HOSTS,
            target={
                "open_egress": {"api": "because it is so"},
                "egress_gateway": {
                    "namespace": "a", "labels": {"a": "b"}, "service": "a", "port": 1,
                },
            },
        ),
        "ACI-U664",
        "targets.kubernetes.open_egress.api",
    ),
    "port of a host": (
        one(
            egress={"hosts": ["a.example:99999"], "reason": "its model"},
            target={"open_egress": {"api": "because it is so"}},
        ),
        "ACI-U664",
        "services.api.egress",
    ),
    "no ingress": (one(ports=LB), "ACI-U665", "services.api.ports[0]"),
    "host name for nothing": (
        one(target={"ingress": INGRESS}), "ACI-U665", "targets.kubernetes.ingress.hosts.api",
    ),
    "two published ports": (
        one(ports=[*LB, {"container": 9090, "publish": "lb"}], target={"ingress": INGRESS}),
        "ACI-U665",
        "services.api.ports[1]",
    ),
    "port of an ingress": (
        one(
            ports=[{"container": 8080, "publish": "lb", "host": 8443}],
            target={"ingress": INGRESS},
        ),
        "ACI-U665",
        "services.api.ports[0].host",
    ),
    "requests for a task": (
        one(**{**TASK, "ports": LB}, target={"ingress": INGRESS}),
        "ACI-U665",
        "services.api.ports[0]",
    ),
    "no registry": (one(**BUILD), "ACI-U666", "services.api.build"),
    "digest of what is not built": (
        one(target={"images": {"api": DIGEST}}), "ACI-U666", "targets.kubernetes.images.api",
    ),
    "shared storage": (
        one(
            replicas=2,
            volumes=[{"volume": "data", "path": "/data"}],
            top={"volumes": {"data": {}}},
        ),
        "ACI-U666",
        "volumes.data",
    ),
    "task that scales": (
        one(**TASK, target={"autoscale": {"api": {"max": 3}}}),
        "ACI-U669",
        "targets.kubernetes.autoscale.api",
    ),
    "scaling downwards": (
        one(replicas=5, target={"autoscale": {"api": {"max": 3}}}),
        "ACI-U669",
        "targets.kubernetes.autoscale.api.max",
    ),
    "scaling a canary": (
        one(
            target={"autoscale": {"api": {"max": 3}}},
            top={"rollout": {"strategy": "canary", "percent": 10, "bake": 9}},
        ),
        "ACI-U669",
        "targets.kubernetes.autoscale.api",
    ),
    "all capabilities": (
        one(loosen=[{"what": "capability", "capability": "SYS_ADMIN", "reason": "it mounts"}]),
        "ACI-U669",
        "services.api.loosen[0]",
    ),
    "too many variables": (
        one(env={f"V{index}": "x" * 8000 for index in range(130)}),
        "ACI-U669",
        "services.api.env",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_at_its_place(name: str) -> None:
    content, code, place = REFUSED[name]
    found = KUBERNETES.check(deployment_of(content))
    assert (code, place) in [(each.code, each.place) for each in found]


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "two published ports"])
def test_it_is_refused_once_and_for_that_alone(name: str) -> None:
    content, _, _ = REFUSED[name]
    assert len(KUBERNETES.check(deployment_of(content))) == 1
