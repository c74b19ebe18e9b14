from __future__ import annotations

from typing import Any

import pytest

from agentci.core.errors import SpecError
from agentci.spec.deploy import mebibytes
from tests.support.deploy_specs import GOOD, Path, changed, deployment, without

API = ("services", "api")


def test_what_is_not_said_is_secure() -> None:
    spec = changed((*API,), {"image": GOOD["services"]["api"]["image"]})
    service = deployment(spec).spec.services["api"]
    assert service.user == "10001:10001"
    assert service.egress == "none"
    assert not service.writable_paths
    assert not service.loosen
    assert (service.resources.cpu, service.resources.memory, service.resources.pids) == (
        0.5,
        "256M",
        128,
    )
    assert service.logs.max_size == "10m"


def test_a_port_is_not_published_unless_it_is_said() -> None:
    ports = deployment(changed((*API, "ports"), [{"container": 1}])).spec.services["api"].ports
    assert [port.publish for port in ports] == ["none"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*API, "image"), None),
        ((*API, "build"), {"base": "scratch"}),
        ((*API, "imag"), {}),
        ((*API, "image", "digest"), "sha256:abc"),
        ((*API, "image", "ref"), "Registry/x"),
        ((*API, "ports", 0, "container"), 0),
        ((*API, "ports", 0, "container"), 65_536),
        ((*API, "ports", 0, "publish"), "all"),
        ((*API, "env", "A-B"), "x"),
        ((*API, "env", "A"), 1),
        ((*API, "env", "A"), "a\u0000b"),
        ((*API, "user"), "root"),
        ((*API, "resources"), {"memory": "256"}),
        ((*API, "resources"), {"cpu": 0}),
        ((*API, "health"), {}),
        ((*API, "health"), {"http": "/", "cmd": ["x"]}),
        ((*API, "health"), {"http": "/$(x)"}),
        ((*API, "writable_paths"), {"tmp": "1M"}),
        ((*API, "writable_paths"), {"/t mp": "1M"}),
        ((*API, "loosen"), [{"what": "root_user"}]),
        ((*API, "loosen"), [{"what": "root_user", "reason": "short"}]),
        ((*API, "loosen"), [{"what": "capability", "reason": "it listens on port 80"}]),
        ((*API, "egress"), "all"),
        ((*API, "egress"), {"hosts": ["api.example"]}),
        ((*API, "schedule"), {"cron": "hourly"}),
        (("services", "Api"), {}),
        (("services", "a" * 41), {}),
        (("services",), {}),
        (("targets",), {}),
        (("gate",), {}),
        (("gate",), {"suite": "a", "ungated": "both are given"}),
        (("gate", "max_age"), 1),
        (("targets", "compose", "compose"), "2.38"),
        (("secrets", "db-key", "ref"), "a b"),
        (("policy", "waivers"), [{"rule": "health", "path": "x", "reason": "for a while"}]),
        (("version",), 2),
        (("name",), "two words"),
    ],
)
def test_what_means_nothing_is_refused(path: Path, value: Any) -> None:
    with pytest.raises(SpecError):
        deployment(changed(path, value))


@pytest.mark.parametrize("path", [("name",), ("services",), ("gate",), ("targets",), ("format",)])
def test_what_is_needed_is_needed(path: Path) -> None:
    with pytest.raises(SpecError):
        deployment(without(path))


def test_a_misspelt_key_is_named_with_its_place() -> None:
    with pytest.raises(SpecError) as caught:
        deployment(changed((*API, "comand"), ["x"]))
    (problem,) = caught.value.problems
    assert problem.message == "unknown key `comand` in `services.api`"
    assert problem.hint == "did you mean `command`?"
    assert problem.location.file == "deploy/shop.yaml"
    assert problem.location.line is not None


@pytest.mark.parametrize(("size", "number"), [("1M", 1), ("512M", 512), ("2G", 2048)])
def test_sizes_are_powers_of_1024(size: str, number: int) -> None:
    assert mebibytes(size) == number
