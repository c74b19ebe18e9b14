"""What `kubectl` is asked for when a deployment comes up and goes down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agentci.app.deploy_kubernetes_run import KUBERNETES
from agentci.app.deploy_up import RunningService, RunRequest
from agentci.core.digest import hex_of
from agentci.core.errors import EnvironmentProblem
from agentci.core.programs import ProgramRequest, ProgramResult
from tests.support.kubernetes_specs import GOOD, deployment_of

PRUNE = (
    "delete --ignore-not-found deployments,cronjobs,jobs,services,ingresses,networkpolicies,"
    "poddisruptionbudgets,horizontalpodautoscalers,serviceaccounts -l "
    "app.kubernetes.io/instance=shop,app.kubernetes.io/managed-by=agentci,agentci.spec,"
    "agentci.spec!={}"
)
PODS = [
    {
        "kind": "Deployment",
        "metadata": {"name": "api", "labels": {"app.kubernetes.io/name": "api"}},
    },
    {
        "kind": "Pod",
        "metadata": {"name": "api-2", "labels": {"app.kubernetes.io/name": "api"}},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    },
    {
        "kind": "Pod",
        "metadata": {"name": "api-0", "deletionTimestamp": "now"},
        "status": {"phase": "Running"},
    },
    {
        "kind": "Pod",
        "metadata": {"name": "api-1", "labels": {"app.kubernetes.io/name": "api"}},
        "status": {"phase": "Succeeded"},
    },
]


class Cluster:
    """A `kubectl` that answers as it is told, and remembers what it was asked."""

    def __init__(self, answers: Mapping[str, ProgramResult] | None = None) -> None:
        self.asked: list[str] = []
        self.answers = {
            "get": ProgramResult(0, json.dumps({"items": PODS}), ""),
            **(answers or {}),
        }

    def has(self, name: str) -> bool:
        return name == "kubectl"

    def run(self, request: ProgramRequest) -> ProgramResult:
        assert request.argv[:2] == ("kubectl", "--namespace")
        words = list(request.argv[3:])
        self.asked.append(" ".join(words))
        found = [
            answer for start, answer in self.answers.items() if self.asked[-1].startswith(start)
        ]
        return found[0] if found else ProgramResult(0, "", "")


def request(cluster: Cluster, name: str = "one service", **more: Any) -> RunRequest:
    return RunRequest(deployment_of(GOOD[name]), Path("folder"), cluster, 30, **more)


def test_everything_is_applied_and_waited_for() -> None:
    cluster = Cluster()
    found = KUBERNETES.up(request(cluster, "three services behind an ingress"))
    assert cluster.asked == [
        "apply -k .",
        "rollout status deployment/api --timeout=30s",
        "rollout status deployment/tools --timeout=30s",
        "rollout status deployment/store --timeout=30s",
        PRUNE.format(hex_of(deployment_of(GOOD["three services behind an ingress"]).digest)[:40]),
        "get deployments,jobs,cronjobs,pods -l app.kubernetes.io/instance=shop -o json",
    ]
    assert found == (
        RunningService("api", "api-1", "succeeded", None, current=False),
        RunningService("api", "api-2", "running", healthy=True, current=False),
    )


def test_pods_are_current_where_what_runs_them_is_of_this_spec() -> None:
    found = deployment_of(GOOD["one service"])
    pod = {
        "kind": "Pod",
        "metadata": {"name": "api-1", "labels": {"app.kubernetes.io/name": "api"}},
    }
    for digest, current in ((hex_of(found.digest), True), ("0" * 64, False)):
        runner = {
            "kind": "Deployment",
            "metadata": {
                "name": "api",
                "labels": {"app.kubernetes.io/name": "api"},
                "annotations": {"agentci.spec-sha256": digest},
            },
        }
        answer = ProgramResult(0, json.dumps({"items": [runner, pod]}), "")
        (running,) = KUBERNETES.services(request(Cluster({"get": answer})))
        assert running == RunningService("api", "api-1", "unknown", None, current=current)


def test_a_version_that_is_watched_is_waited_for_that_long() -> None:
    cluster = Cluster()
    KUBERNETES.up(request(cluster, "blue and green"))
    assert "rollout status deployment/api-green --timeout=330s" in cluster.asked


def test_what_does_not_come_up_is_taken_back() -> None:
    cluster = Cluster({"rollout status": ProgramResult(1, "", "timed out")})
    with pytest.raises(
        EnvironmentProblem, match="`api`; the version before was taken back"
    ) as found:
        KUBERNETES.up(request(cluster))
    assert found.value.code == "ACI-E668"
    assert cluster.asked[-1] == "rollout undo deployment/api"


def test_nothing_is_removed_before_all_is_up() -> None:
    cluster = Cluster({"rollout status": ProgramResult(1, "", "timed out")})
    with pytest.raises(EnvironmentProblem):
        KUBERNETES.up(request(cluster))
    assert not [words for words in cluster.asked if words.startswith("delete")]


def test_the_first_version_cannot_be_taken_back() -> None:
    failed = ProgramResult(1, "", "no")
    cluster = Cluster({"rollout status": failed, "rollout undo": failed})
    with pytest.raises(EnvironmentProblem, match="there is no version before"):
        KUBERNETES.up(request(cluster))


def test_of_two_that_run_side_by_side_nothing_is_taken_back() -> None:
    cluster = Cluster({"rollout status": ProgramResult(1, "", "timed out")})
    with pytest.raises(EnvironmentProblem, match="still runs beside it"):
        KUBERNETES.up(request(cluster, "blue and green"))
    assert not [words for words in cluster.asked if "undo" in words]


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"apply": ProgramResult(1, "", "forbidden")}, "ACI-E667"),
        ({"apply": ProgramResult(127, "", "")}, "ACI-E666"),
        ({"get": ProgramResult(0, "no JSON", "")}, "ACI-E667"),
        ({"get": ProgramResult(1, "", "gone")}, "ACI-E667"),
    ],
)
def test_what_goes_wrong_is_told(answers: dict[str, ProgramResult], code: str) -> None:
    with pytest.raises(EnvironmentProblem) as found:
        KUBERNETES.up(request(Cluster(answers)))
    assert found.value.code == code


def test_storage_and_namespace_stay_unless_asked() -> None:
    cluster = Cluster()
    KUBERNETES.down(request(cluster, "three services behind an ingress"))
    KUBERNETES.down(request(cluster, "three services behind an ingress", volumes=True))
    kept, all_of_it = cluster.asked
    assert "namespace.yaml" not in kept
    assert "volumes/data.yaml" not in kept
    assert "-f services/api/deployment.yaml" in kept
    assert "-f namespace.yaml" in all_of_it
    assert "-f volumes/data.yaml" in all_of_it


def test_what_is_left_is_told() -> None:
    with pytest.raises(EnvironmentProblem) as found:
        KUBERNETES.down(request(Cluster({"delete": ProgramResult(1, "", "busy")})))
    assert found.value.code == "ACI-E669"
