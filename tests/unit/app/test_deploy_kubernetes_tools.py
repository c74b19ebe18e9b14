"""Manifests are held against published schemas, and where there are none that is said."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
import yaml

from agentci.adapters import kubernetes_schemas
from agentci.app.deploy_kubernetes_tools import run_tools
from agentci.app.deploy_validate import ToolOutcome, ToolRequest
from agentci.core.json_types import JsonObject
from agentci.core.programs import Programs
from agentci.spec.deploy_kubernetes import KubernetesTarget
from tests.support.kubernetes_specs import GOOD, deployment_of, rendered, service, spec

API = "services/api/deployment.yaml"


def outcome(content: JsonObject, files: Mapping[str, bytes]) -> ToolOutcome:
    programs = cast("Programs", None)  # the schemas are no program
    (found,) = run_tools(ToolRequest(deployment_of(content), Path("unused"), files, programs))
    return found


@pytest.mark.parametrize("name", GOOD)
def test_good_specs_hold_the_published_schemas(name: str) -> None:
    found = outcome(GOOD[name], rendered(GOOD[name]))
    assert (found.status, found.findings) == ("ok", ())


def test_every_version_that_a_spec_can_name_has_schemas() -> None:
    values = KubernetesTarget.model_json_schema()["properties"]["version"]["enum"]
    assert set(values) <= kubernetes_schemas.known_versions()


@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_the_oldest_and_the_newest_version_are_held(version: str) -> None:
    content = spec({"api": service(replicas=2)}, target={"version": version})
    found = outcome(content, rendered(content))
    assert found.status == "ok"
    assert found.detail == f"7 objects, Kubernetes {version}"


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("apiVersion", "apps/v9", "Kubernetes 1.33 has no kind `Deployment` of `apps/v9`"),
        ("kind", "Deploy", "Kubernetes 1.33 has no kind `Deploy` of `apps/v1`"),
        ("kind", 3, "`apiVersion` and `kind` have to be texts"),
        ("kind", "../../x", "`../../x` of `apps/v1` is no kind"),
        ("apiVersion", "../x/v1", "`Deployment` of `../x/v1` is no kind"),
        ("spec", {}, "`spec`: 'selector' is a required property"),
    ],
)
def test_what_the_package_only_warns_of_is_a_failure(place: str, value: object, said: str) -> None:
    files = rendered(GOOD["one service"])
    files[API] = json.dumps({**yaml.safe_load(files[API]), place: value}).encode()
    found = outcome(GOOD["one service"], files)
    assert found.status == "failed"
    assert [each.message for each in found.findings] == [f"`{API}`: {said}"]
    assert found.findings[0].place == "services.api"


def test_a_file_that_cannot_be_read_is_a_failure() -> None:
    files = {**rendered(GOOD["one service"]), API: b"kind: ["}
    assert outcome(GOOD["one service"], files).status == "failed"


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "agentci.adapters.kubernetes_schemas")
    monkeypatch.delattr("agentci.adapters.kubernetes_schemas")
    monkeypatch.setitem(sys.modules, "kubernetes_validate", None)
    found = outcome(GOOD["one service"], rendered(GOOD["one service"]))
    assert found.status == "skipped"
    assert found.detail.startswith(
        "tool missing: the package `kubernetes-validate` is not installed"
    )
    assert "agentci-pipelines[deploy]" in found.detail


def test_missing_schemas_of_a_version_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_schemas, "known_versions", lambda: frozenset({"1.20"}))
    found = outcome(GOOD["one service"], rendered(GOOD["one service"]))
    assert found.status == "skipped"
    assert "has no schemas of Kubernetes 1.33" in found.detail
