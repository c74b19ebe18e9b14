from __future__ import annotations

from typing import Any

import pytest
import yaml

from agentci.deploy.rubric import POINTS, judge_services
from tests.support.deploy_specs import DIGEST, files_of, rendered

_PROJECT = files_of(rendered())
SERVICES: dict[str, Any] = yaml.safe_load(_PROJECT["shop/compose/compose.yaml"] or b"")["services"]
DOCKERFILES = {
    path.rpartition("/")[2]: (data or b"").decode()
    for path, data in _PROJECT.items()
    if path.endswith(".Dockerfile")
}


def _missing(service: dict[str, Any], dockerfiles: dict[str, str] | None = None) -> list[str]:
    result = judge_services({"one": service}, dockerfiles or {})
    return [point.id for point in result.missing["one"]]


def test_three_services_of_ours_get_all_points() -> None:
    result = judge_services(SERVICES, DOCKERFILES)
    assert (result.reached, result.total) == (42, 42)


def test_there_are_fourteen_points_with_names_of_their_own() -> None:
    assert len({point.id for point in POINTS}) == len(POINTS) == 14


def test_an_ordinary_service_gets_few() -> None:
    found = _missing({"image": "redis:6", "ports": ["6379:6379"], "env_file": ".env"})
    assert found == [point.id for point in POINTS]


@pytest.mark.parametrize(
    ("key", "value", "point"),
    [
        ("image", "registry.example/api:1", "image"),
        ("image", f"registry.example/api@{DIGEST}0", "image"),
        ("user", "root", "user"),
        ("user", "0:10001", "user"),
        ("user", None, "user"),
        ("read_only", False, "read-only"),
        ("read_only", "yes", "read-only"),
        ("cap_drop", ["NET_RAW"], "capabilities"),
        ("cap_drop", None, "capabilities"),
        ("security_opt", ["no-new-privileges:false"], "privileges"),
        ("mem_limit", None, "memory"),
        ("cpus", 0, "cpu"),
        ("pids_limit", None, "pids"),
        ("healthcheck", {"disable": True, "test": ["CMD", "x"]}, "health"),
        ("healthcheck", {}, "health"),
        ("restart", None, "restart"),
        ("logging", {"driver": "json-file"}, "logs"),
        ("environment", {"API_TOKEN": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"}, "secrets"),
        ("env_file", [".env"], "secrets"),
        ("ports", ["8080:8080"], "ports"),
        ("ports", ["0.0.0.0:80:80"], "ports"),
        ("ports", ["[::]:80:80"], "ports"),
        ("ports", [{"target": 80, "published": 80}], "ports"),
        ("networks", [], "network"),
    ],
)
def test_each_point_is_lost_by_itself(key: str, value: Any, point: str) -> None:
    assert _missing({**SERVICES["api"], key: value}) == [point]


@pytest.mark.parametrize(
    "ports", [["127.0.0.1:80:80"], ["[::1]:80:80"], ["10.0.0.5:80:80"], [{"host_ip": "127.0.0.1"}]]
)
def test_a_port_on_one_address_is_bound(ports: list[Any]) -> None:
    assert _missing({**SERVICES["api"], "ports": ports}) == []


def test_a_build_is_as_pinned_as_all_that_it_starts_from() -> None:
    service = SERVICES["tools"]
    name = "tools.Dockerfile"
    assert _missing(service, DOCKERFILES) == []
    assert _missing(service, {}) == ["image"]
    assert _missing(service, {name: "FROM scratch\n"}) == []
    assert _missing(service, {name: f"FROM a@{DIGEST}\nFROM python:3.13\n"}) == ["image"]
    assert _missing(service, {name: "RUN x\n"}) == ["image"]
