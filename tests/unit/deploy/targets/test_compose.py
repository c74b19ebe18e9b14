from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from agentci.core.digest import digest_bytes, hex_of
from agentci.deploy.targets.compose import COMPOSE
from agentci.deploy.targets.protocol import Examined
from tests.support.deploy_specs import DIGEST, GOOD, Path, changed, deployment, rendered
from tests.support.hostile_texts import HOSTILE, texts

API = ("services", "api")


def _file(spec: dict[str, Any], name: str = "compose.yaml") -> bytes:
    files = {each.path: each.content for each in COMPOSE.render(deployment(spec))}
    return files[name]


def _compose(spec: dict[str, Any] = GOOD) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(_file(spec))
    return content


def _as_compose_reads(text: str) -> str:
    """Return a text after Compose's interpolation, which may find nothing to put in."""
    assert "$" not in text.replace("$$", "")
    return text.replace("$$", "$")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_reaches_the_container_as_it_was(text: str) -> None:
    spec = changed((*API, "env", "X"), text, base=changed((*API, "command"), ["x", text]))
    service = _compose(spec)["services"]["api"]
    assert _as_compose_reads(service["environment"]["X"]) == text
    assert _as_compose_reads(service["command"][1]) == text


@settings(max_examples=50)
@given(texts())
def test_any_text_reaches_the_container_as_it_was(text: str) -> None:
    spec = changed((*API, "health"), {"cmd": [text]}, base=changed((*API, "env", "X"), text))
    service = _compose(spec)["services"]["api"]
    assert _as_compose_reads(service["environment"]["X"]) == text
    assert _as_compose_reads(service["healthcheck"]["test"][1]) == text


def test_the_same_spec_gives_the_same_bytes() -> None:
    assert rendered().artifacts == rendered().artifacts


def test_labels_carry_the_digest_of_the_spec() -> None:
    found = _compose()["services"]["db"]["labels"]
    assert found["agentci.spec-sha256"] == hex_of(deployment().digest)


def test_services_meet_only_those_that_they_depend_on() -> None:
    content = _compose()
    networks = {name: each["networks"] for name, each in content["services"].items()}
    assert networks == {
        "api": ["to-db", "to-tools", "in-api"],
        "db": ["to-db"],
        "tools": ["to-tools"],
    }
    assert content["networks"]["to-db"]["internal"] is True
    assert content["networks"]["in-api"]["driver_opts"] == {
        "com.docker.network.bridge.enable_ip_masquerade": "false"
    }


def test_only_hosts_open_a_way_out() -> None:
    egress = {"hosts": ["api.example"], "reason": "it asks a model"}
    content = _compose(changed((*API, "egress"), egress))
    assert content["networks"]["out-api"] == {"driver": "bridge"}
    members = [name for name, each in content["services"].items() if "out-api" in each["networks"]]
    assert members == ["api"]


def test_internal_egress_reaches_all_of_the_deployment() -> None:
    content = _compose(changed((*API, "egress"), "internal"))
    assert all("all" in each["networks"] for each in content["services"].values())
    assert content["networks"]["all"]["internal"] is True


def test_the_address_of_what_serves_is_a_variable_of_those_who_need_it() -> None:
    services = _compose()["services"]
    assert services["api"]["environment"]["TOOLS_URL"] == "http://tools:9000/mcp"
    assert "environment" not in services["db"]


def test_secrets_are_files_and_never_values() -> None:
    content = _compose()
    assert content["secrets"] == {"db-key": {"file": "./.secrets/db-key"}}
    assert content["services"]["db"]["secrets"] == ["db-key"]
    spec = changed(("secrets", "db-key"), {"from": "file", "ref": "keys/db"})
    assert _compose(spec)["secrets"] == {"db-key": {"file": "../../keys/db"}}


def test_an_image_that_was_built_is_run_by_its_digest() -> None:
    digest = digest_bytes(b"image")
    found = deployment(images={"tools": digest})
    files = {each.path: each.content for each in COMPOSE.render(found)}
    tools = yaml.safe_load(files["compose.yaml"])["services"]["tools"]
    assert tools["image"] == digest
    assert "build" not in tools


def test_a_build_finds_context_and_dockerfile() -> None:
    assert _compose()["services"]["tools"]["build"] == {
        "context": "../../..",
        "dockerfile": "deploy/shop/compose/tools.Dockerfile",
    }
    lines = _file(GOOD, "tools.Dockerfile").decode().splitlines()
    assert f"FROM registry.example/python:3.13@{DIGEST}" in lines
    assert "USER 10001:10001" in lines
    assert lines.index("USER 10001:10001") > lines.index('COPY ["tools", "/app/tools"]')


def test_what_is_loosened_is_loosened_and_nothing_else() -> None:
    loosen = [
        {"what": "writable_root", "reason": "an old program"},
        {"what": "capability", "capability": "NET_BIND_SERVICE", "reason": "it listens on 80"},
    ]
    before = _compose()["services"]["api"]
    after = _compose(changed((*API, "loosen"), loosen))["services"]["api"]
    different = {key for key in after if before.get(key) != after[key]} - {"labels"}
    assert different == {"read_only", "cap_add"}
    assert (after["read_only"], after["cap_add"]) == (False, ["NET_BIND_SERVICE"])


def test_what_runs_at_times_does_not_start_by_itself() -> None:
    job = _compose(changed((*API, "schedule"), {"cron": "0 3 * * *"}))["services"]["api"]
    assert (job["profiles"], job["restart"]) == (["scheduled"], "no")


def test_models_are_named_for_a_compose_that_has_them() -> None:
    spec = changed(("models", "small"), {"artifact": "ai/small:1", "context_size": 4096})
    spec = changed((*API, "models"), ["small"], base=spec)
    content = _compose(changed(("targets", "compose", "compose"), ">=2.38", base=spec))
    assert content["models"] == {"small": {"model": "ai/small:1", "context_size": 4096}}
    assert content["services"]["api"]["models"] == ["small"]


def test_the_job_has_the_gate_before_the_deployment() -> None:
    job = yaml.safe_load(_file(GOOD, "deploy.workflow.yaml"))["jobs"]["deploy"]
    names = [step.get("name", step.get("uses", "")) for step in job["steps"]]
    assert names.index("gate") < names.index("evidence") < names.index("deploy")
    assert job["steps"][-1]["env"] == {"DB_KEY": "${{ secrets.DB_KEY }}"}
    assert all("@" not in name or len(name.rpartition("@")[2]) == 40 for name in names)


def test_the_job_of_what_is_ungated_has_no_gate() -> None:
    job = _file(changed(("gate",), {"ungated": "nothing to evaluate yet"}), "deploy.workflow.yaml")
    assert b"agentci gate" not in job


def _examined(path: Path | None = None, value: Any = None) -> dict[str, Examined]:
    files = {each.path: each.content for each in COMPOSE.render(deployment())}
    if path is not None:
        content = yaml.safe_load(files["compose.yaml"])
        files["compose.yaml"] = yaml.safe_dump(changed(path, value, base=content)).encode()
    return {each.name: each for each in COMPOSE.examine(deployment(), files)}


def test_an_examination_of_what_was_rendered_finds_nothing() -> None:
    found = _examined()
    assert [each.findings for each in found.values()] == [(), (), ()]
    assert found["rubric"].detail == "42 of 42"


@pytest.mark.parametrize(
    ("path", "value", "name", "code"),
    [
        ((*API, "privileged"), True, "schema", "compose-schema"),
        ((*API, "volumes"), [{"type": "bind"}], "schema", "compose-schema"),
        ((*API, "read_only"), "yes", "schema", "compose-schema"),
        ((*API, "restart"), "allways", "schema", "compose-schema"),
        ((*API, "healthcheck", "test"), ["CMD-SHELL", "x"], "schema", "compose-schema"),
        ((*API, "network_mode"), "host", "schema", "compose-schema"),
        ((*API, "ports"), ["8080:8080"], "schema", "compose-schema"),
        (("name",), "shop", "schema", "compose-schema"),
        ((*API, "networks"), ["nowhere"], "names", "compose-names"),
        ((*API, "depends_on", "dbs"), {"condition": "service_started"}, "names", "compose-names"),
        ((*API, "read_only"), False, "rubric", "compose-read-only"),
        ((*API, "user"), "0:0", "rubric", "compose-user"),
        ((*API, "ports"), ["0.0.0.0:8080:8080"], "rubric", "compose-ports"),
        ((*API, "image"), "api:1", "rubric", "compose-image"),
    ],
)
def test_a_file_that_was_loosened_by_hand_is_found(
    path: Path, value: Any, name: str, code: str
) -> None:
    assert {each.code for each in _examined(path, value)[name].findings} == {code}


@pytest.mark.parametrize("data", [b"", b"a: [", b"- x\n", b"\xff", b"a: 1\na: 2\n"])
def test_a_broken_file_is_a_finding(data: bytes) -> None:
    (found,) = COMPOSE.examine(deployment(), {"compose.yaml": data})
    assert found.findings


def test_a_missing_file_is_a_finding() -> None:
    (found,) = COMPOSE.examine(deployment(), {})
    assert [each.code for each in found.findings] == ["compose-file"]
