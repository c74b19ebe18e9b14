"""What is rendered for a cluster, one promise at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from agentci.core.digest import Digest, hex_of
from agentci.deploy.targets.kubernetes import KUBERNETES
from agentci.deploy.targets.kubernetes_names import canary_replicas, image_of
from tests.support.kubernetes_specs import (
    DIGEST,
    GOOD,
    OTHER,
    deployment_of,
    image,
    rendered,
    service,
    spec,
)


def objects(content: dict[str, Any]) -> dict[str, Any]:
    return {
        path: yaml.safe_load(data)
        for path, data in rendered(content).items()
        if path.endswith(".yaml")
    }


def pod(found: dict[str, Any], path: str) -> Any:
    return found[path]["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_spec_has_no_findings(name: str) -> None:
    files = rendered(GOOD[name])
    examined = KUBERNETES.examine(deployment_of(GOOD[name]), files)
    assert [each.name for each in examined] == ["schema", "rules"]
    assert [each.findings for each in examined] == [(), ()]


@pytest.mark.parametrize("name", GOOD)
def test_the_kustomization_names_every_object_once(name: str) -> None:
    found = objects(GOOD[name])
    named = found.pop("kustomization.yaml")["resources"]
    found.pop("deploy.workflow.yaml")
    assert sorted(named) == sorted(found)


def test_rendering_twice_gives_the_same_bytes_in_the_same_order() -> None:
    content = GOOD["three services behind an ingress"]
    first, second = rendered(content), rendered(content)
    assert list(first) == list(second)
    assert first == second


def test_every_pod_is_held_to_the_restricted_profile() -> None:
    found = objects(GOOD["one service"])
    run = pod(found, "services/api/deployment.yaml")
    assert run["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = run["containers"][0]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert run["automountServiceAccountToken"] is False
    assert found["services/api/serviceaccount.yaml"]["automountServiceAccountToken"] is False
    labels = found["namespace.yaml"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_what_is_loosened_lowers_the_level_that_the_server_holds() -> None:
    labels = objects(GOOD["built here and loosened"])["namespace.yaml"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"
    assert labels["pod-security.kubernetes.io/warn"] == "restricted"
    loosened = {"what": "capability", "capability": "NET_ADMIN", "reason": "it sets routes"}
    labels = objects(spec({"api": service(loosen=[loosened])}))["namespace.yaml"]["metadata"][
        "labels"
    ]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"


def test_every_object_carries_the_digest_of_the_spec() -> None:
    content = GOOD["three services behind an ingress"]
    digest = hex_of(deployment_of(content).digest)
    found = objects(content)
    del found["kustomization.yaml"], found["deploy.workflow.yaml"]
    for each in found.values():
        assert each["metadata"]["annotations"]["agentci.spec-sha256"] == digest
        assert digest.startswith(each["metadata"]["labels"]["agentci.spec"])


def test_a_change_of_variables_is_a_new_config_map_and_so_new_pods() -> None:
    def name(value: str) -> str:
        found = objects(spec({"api": service(env={"MODE": value})}))
        reference = pod(found, "services/api/deployment.yaml")["containers"][0]["envFrom"]
        own: str = found["services/api/configmap.yaml"]["metadata"]["name"]
        assert reference == [{"configMapRef": {"name": own}}]
        return own

    assert name("a") == name("a") != name("b")


def test_a_change_of_the_spec_elsewhere_does_not_replace_pods() -> None:
    def template(description: str) -> Any:
        found = objects(spec({"api": service()}, description=description))
        return found["services/api/deployment.yaml"]["spec"]["template"]

    assert template("one") == template("two")


def test_secrets_of_the_cluster_are_files_by_reference() -> None:
    content = spec(
        {"api": service(secrets=["password"])},
        secrets={"password": {"from": "k8s", "ref": "db/pass"}},
    )
    run = pod(objects(content), "services/api/deployment.yaml")
    assert run["volumes"] == [
        {
            "name": "secrets-cluster",
            "projected": {
                "defaultMode": 0o440,
                "sources": [
                    {"secret": {"name": "db", "items": [{"key": "pass", "path": "password"}]}}
                ],
            },
        }
    ]
    assert run["containers"][0]["volumeMounts"] == [
        {"name": "secrets-cluster", "mountPath": "/run/secrets", "readOnly": True}
    ]


def test_secrets_of_two_places_are_mounted_one_by_one() -> None:
    found = objects(GOOD["secrets of cluster and clouds"])
    mounts = pod(found, "services/api/deployment.yaml")["containers"][0]["volumeMounts"]
    assert [each["mountPath"] for each in mounts] == [
        "/run/secrets/password",
        "/run/secrets/token",
        "/run/secrets/key",
    ]
    parameters = found["services/api/secrets-aws.yaml"]["spec"]["parameters"]
    assert yaml.safe_load(parameters["objects"]) == [
        {
            "objectName": "arn:aws:secretsmanager:eu-west-1:1:secret:t",
            "objectType": "secretsmanager",
            "objectAlias": "token",
        }
    ]
    parameters = found["services/api/secrets-gcp.yaml"]["spec"]["parameters"]
    assert yaml.safe_load(parameters["secrets"]) == [
        {"resourceName": "projects/p/secrets/key/versions/3", "path": "key"}
    ]


def test_nothing_is_reached_but_what_a_service_depends_on() -> None:
    found = objects(GOOD["three services behind an ingress"])
    assert found["default-deny.yaml"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
    }
    store = found["services/store/networkpolicy.yaml"]["spec"]
    assert store["egress"] == []
    callers = [each["podSelector"]["matchLabels"] for each in store["ingress"][0]["from"]]
    assert [each["app.kubernetes.io/name"] for each in callers] == ["api"]
    assert store["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 6379}]
    api = found["services/api/networkpolicy.yaml"]["spec"]
    assert len(api["ingress"]) == 1
    assert "namespaceSelector" in api["ingress"][0]["from"][0]


def test_hosts_are_reached_through_the_gateway_alone_where_there_is_one() -> None:
    found = objects(GOOD["through a gateway"])
    way_out = found["services/api/networkpolicy.yaml"]["spec"]["egress"][-1]
    assert way_out["to"][0]["podSelector"] == {"matchLabels": {"app": "proxy"}}
    assert found["services/api/configmap.yaml"]["data"]["HTTPS_PROXY"] == (
        "http://proxy.egress.svc:3128"
    )


def test_a_loosened_way_out_leaves_private_addresses_closed() -> None:
    egress = objects(GOOD["to some hosts"])["services/api/networkpolicy.yaml"]["spec"]["egress"]
    blocks = [peer["ipBlock"] for peer in egress[-1]["to"]]
    assert "169.254.0.0/16" in blocks[0]["except"]
    assert "10.0.0.0/8" in blocks[0]["except"]
    assert [each["port"] for each in egress[-1]["ports"]] == [443, 587]


def test_an_ingress_is_written_only_for_what_a_load_balancer_publishes() -> None:
    found = objects(GOOD["three services behind an ingress"])
    assert [path for path in found if path.endswith("ingress.yaml")] == [
        "services/api/ingress.yaml"
    ]
    types = [each["spec"]["type"] for each in found.values() if each.get("kind") == "Service"]
    assert types == ["ClusterIP"] * 3


def test_blue_and_green_run_side_by_side_and_the_service_chooses() -> None:
    content = GOOD["blue and green"]
    found = objects(content)
    new = found["services/api/deployment-green.yaml"]
    old = found["services/api/deployment-blue.yaml"]
    assert DIGEST in pod(found, "services/api/deployment-green.yaml")["containers"][0]["image"]
    assert OTHER in pod(found, "services/api/deployment-blue.yaml")["containers"][0]["image"]
    assert new["spec"]["minReadySeconds"] == 300
    assert "minReadySeconds" not in old["spec"]
    assert found["services/api/service.yaml"]["spec"]["selector"]["agentci.track"] == "blue"
    target = content["targets"]["kubernetes"]
    switched = {**target, "release": {**target["release"], "serving": "new"}}
    again = objects({**content, "targets": {"kubernetes": switched}})
    assert again["services/api/service.yaml"]["spec"]["selector"]["agentci.track"] == "green"
    assert again["services/api/deployment-blue.yaml"]["spec"] == old["spec"]


def test_a_canary_gets_its_share_of_replicas_and_of_requests() -> None:
    found = objects(GOOD["canary"])
    assert found["services/api/deployment-canary.yaml"]["spec"]["replicas"] == 2
    assert found["services/api/deployment-stable.yaml"]["spec"]["replicas"] == 8
    assert "agentci.track" not in found["services/api/service.yaml"]["spec"]["selector"]
    assert [path for path in found if path.startswith("services/tools/deployment")] == [
        "services/tools/deployment-stable.yaml"
    ]


@pytest.mark.parametrize(
    ("replicas", "percent", "first"), [(10, 20, 2), (3, 33, 1), (2, 25, 1), (4, 10, 0), (1, 50, 1)]
)
def test_a_share_is_rounded_to_the_nearest_replica(replicas: int, percent: int, first: int) -> None:
    assert canary_replicas(replicas, percent) == first


def test_what_scales_by_itself_states_no_replicas() -> None:
    found = objects(GOOD["blue and green"])
    assert "replicas" not in found["services/api/deployment-green.yaml"]["spec"]
    scaler = found["services/api/horizontalpodautoscaler-green.yaml"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    assert not [path for path in objects(GOOD["canary"]) if "autoscaler" in path]


def test_what_runs_to_its_end_is_a_job() -> None:
    found = objects(GOOD["scheduled and once"])
    cron = found["services/report/cronjob.yaml"]["spec"]
    assert cron["schedule"] == "15 3 * * 1-5"
    job = cron["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 6
    assert job["template"]["spec"]["restartPolicy"] == "OnFailure"
    assert pod(found, "services/seed/job.yaml")["restartPolicy"] == "Never"


def test_a_volume_of_one_pod_is_not_held_by_two_while_it_is_replaced() -> None:
    found = objects(GOOD["three services behind an ingress"])
    assert found["services/store/deployment.yaml"]["spec"]["strategy"] == {"type": "Recreate"}
    assert found["volumes/data.yaml"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    shared = objects(GOOD["shared volume"])
    assert shared["volumes/files.yaml"]["spec"]["accessModes"] == ["ReadWriteMany"]
    assert shared["services/api/deployment.yaml"]["spec"]["strategy"]["type"] == "RollingUpdate"


def test_the_time_to_start_is_waited_for_before_failures_count() -> None:
    health = {"http": "/", "interval": 5, "retries": 2, "start_period": 31}
    found = objects(spec({"api": service(health=health)}))
    container = pod(found, "services/api/deployment.yaml")["containers"][0]
    assert container["startupProbe"]["failureThreshold"] == 9
    assert container["livenessProbe"]["failureThreshold"] == 2


def test_an_image_that_is_built_here_has_a_dockerfile_and_needs_a_pushed_digest() -> None:
    content = GOOD["built here and loosened"]
    assert "api.Dockerfile" in rendered(content)
    assert "api.Dockerfile.dockerignore" in rendered(content)
    before = {**content, "targets": {"kubernetes": {"registry": "registry.example/team"}}}
    examined = KUBERNETES.examine(deployment_of(before), rendered(before))
    assert [each.code for each in examined[1].findings] == ["kubernetes-image"]
    assert examined[1].findings[0].place == "services.api.build"


def test_the_digest_of_a_pushed_image_comes_from_the_target_or_else_from_the_lock() -> None:
    content = GOOD["built here and loosened"]
    known = replace(deployment_of(content), images={"api": Digest(OTHER)})
    assert image_of(known, "api") == f"registry.example/team/shop-api@{DIGEST}"
    unnamed = {**content, "targets": {"kubernetes": {"registry": "registry.example/team"}}}
    known = replace(deployment_of(unnamed), images={"api": Digest(OTHER)})
    assert image_of(known, "api") == f"registry.example/team/shop-api@{OTHER}"


def test_the_job_of_ci_has_the_gate_in_front() -> None:
    gate = {"suite": "pipelines/shop", "threshold": 0.9}
    found = objects({**spec({"api": service()}), "gate": gate})
    names = [each.get("name") for each in found["deploy.workflow.yaml"]["jobs"]["deploy"]["steps"]]
    assert names.index("gate") < names.index("deploy")


def test_an_unpinned_image_is_found() -> None:
    content = spec({"api": service(image={"ref": image()["ref"]})})
    examined = KUBERNETES.examine(deployment_of(content), rendered(content))
    assert [each.code for each in examined[1].findings] == ["kubernetes-image"]
