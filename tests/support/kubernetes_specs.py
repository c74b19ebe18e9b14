"""Deploy specs of different shapes for a cluster, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentci.core.digest import digest_json
from agentci.core.json_types import JsonObject
from agentci.deploy.artifact import Deployment
from agentci.deploy.checks import check_spec
from agentci.deploy.targets.kubernetes import KUBERNETES
from agentci.deploy.writers.yaml import yaml_text
from agentci.spec.deploy import DeploySpec
from agentci.spec.validation import validate
from agentci.spec.yaml_document import parse_document

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64


def image(name: str = "api") -> dict[str, Any]:
    return {"ref": f"registry.example/team/{name}:1.4", "digest": DIGEST}


def service(**fields: Any) -> dict[str, Any]:
    """Return a service that is watched; `fields` replace and add."""
    found: dict[str, Any] = {
        "image": image(),
        "ports": [{"container": 8080}],
        "health": {"http": "/healthz"},
    }
    return {key: value for key, value in {**found, **fields}.items() if value is not None}


def spec(services: Mapping[str, Any], *, target: Any = None, **fields: Any) -> dict[str, Any]:
    """Return a spec, with `target` as what the target is told."""
    return {
        "format": "agentci/deploy",
        "version": 1,
        "name": "shop",
        "services": dict(services),
        "gate": {"ungated": "nothing here is judged by a model"},
        "targets": {"kubernetes": target or {}},
        **fields,
    }


INGRESS = {"class": "nginx", "namespace": "ingress-nginx", "hosts": {"api": "api.example.org"}}

GOOD: Mapping[str, dict[str, Any]] = {
    "one service": spec({"api": service()}),
    "three services behind an ingress": spec(
        {
            "api": service(
                ports=[{"container": 8080, "publish": "lb"}],
                depends_on={"tools": "healthy", "store": "started"},
                replicas=3,
                env={"MODE": "prod", "COST": "$(NOT_REPLACED) 5$"},
            ),
            "tools": service(serves={"kind": "mcp", "path": "/mcp"}, command=["serve", "$HOME"]),
            "store": service(
                ports=[{"container": 6379}],
                health={"cmd": ["redis-cli", "ping"]},
                volumes=[{"volume": "data", "path": "/data"}],
                writable_paths={"/tmp": "16M"},
            ),
        },
        target={"ingress": {**INGRESS, "issuer": "letsencrypt"}},
        volumes={"data": {"size": "2G"}},
    ),
    "scheduled and once": spec(
        {
            "report": service(
                ports=None, health=None, schedule={"cron": "15 3 * * 1-5"}, restart="on-failure"
            ),
            "seed": service(ports=None, health=None, restart="never"),
        }
    ),
    "secrets of cluster and clouds": spec(
        {
            "api": service(secrets=["password", "token", "key"]),
            "worker": service(ports=None, health={"cmd": ["true"]}, secrets=["token"]),
        },
        target={
            "secrets": {"password": "shop-db/password"},
            "identities": {"api": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/shop-api"}},
            "pull_secret": "registry",
        },
        secrets={
            "password": {"from": "env", "ref": "DB_PASSWORD"},
            "token": {"from": "aws-sm", "ref": "arn:aws:secretsmanager:eu-west-1:1:secret:t"},
            "key": {"from": "gcp-sm", "ref": "projects/p/secrets/key/versions/3"},
        },
    ),
    "blue and green": spec(
        {"api": service(replicas=2)},
        target={
            "release": {
                "color": "green",
                "serving": "previous",
                "previous": {"api": f"registry.example/team/api@{OTHER}"},
            },
            "autoscale": {"api": {"max": 6}},
        },
        rollout={"strategy": "blue_green", "bake": 300},
    ),
    "canary": spec(
        {"api": service(replicas=10), "tools": service()},
        target={"release": {"previous": {"api": f"registry.example/team/api@{OTHER}"}}},
        rollout={"strategy": "canary", "percent": 20, "bake": 900},
    ),
    "to some hosts": spec(
        {
            "api": service(
                egress={"hosts": ["api.openai.com", "mail.example.org:587"], "reason": "its model"}
            ),
            "inner": service(egress="internal"),
        },
        target={"open_egress": {"api": "no gateway in this cluster yet"}},
    ),
    "through a gateway": spec(
        {"api": service(egress={"hosts": ["api.openai.com"], "reason": "its model"})},
        target={
            "egress_gateway": {
                "namespace": "egress",
                "labels": {"app": "proxy"},
                "service": "proxy",
                "port": 3128,
            }
        },
    ),
    "built here and loosened": spec(
        {
            "api": service(
                image=None,
                build={"base": image("base"), "files": [{"from": "app", "to": "/app"}]},
                ports=[{"container": 80}],
                user="0:0",
                loosen=[
                    {"what": "root_user", "reason": "an old program"},
                    {"what": "writable_root", "reason": "an old program"},
                    {
                        "what": "capability",
                        "capability": "NET_BIND_SERVICE",
                        "reason": "it listens on 80",
                    },
                ],
            )
        },
        target={"registry": "registry.example/team", "images": {"api": DIGEST}},
    ),
    "shared volume": spec(
        {
            "api": service(replicas=2, volumes=[{"volume": "files", "path": "/files"}]),
            "reader": service(
                volumes=[{"volume": "files", "path": "/files", "read_only": True}], replicas=0
            ),
        },
        target={"storage_class": "nfs", "namespace": "shop-prod", "version": "1.31"},
        volumes={"files": {}},
    ),
}


def deployment_of(content: JsonObject) -> Deployment:
    """Return a deployment as the command line reads one."""
    document = parse_document(yaml_text(content), "deploy/shop.yaml")
    return Deployment(
        spec=validate(document, DeploySpec),
        digest=digest_json(document.value),
        positions=document.positions,
        source="deploy/shop.yaml",
        file="shop.yaml",
        out="deploy/shop",
    )


def rendered(content: JsonObject) -> dict[str, bytes]:
    """Return the files of a spec in which nothing is wrong."""
    deployment = deployment_of(content)
    assert check_spec(deployment.spec) == ()
    assert KUBERNETES.check(deployment) == ()
    return {each.path: each.content for each in KUBERNETES.render(deployment)}
