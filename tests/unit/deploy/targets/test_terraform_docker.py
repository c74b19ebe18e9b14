from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from agentci.app.deploy_terraform_docker_tools import place_of
from agentci.core.digest import digest_bytes
from agentci.deploy.packs.sources import find_source
from agentci.deploy.rules.registry import judge_spec
from agentci.deploy.targets.terraform_docker import TERRAFORM_DOCKER
from agentci.deploy.targets.terraform_docker_names import PROVIDER, PROVIDER_VERSION
from tests.support.command_line import ROOT
from tests.support.deploy_specs import changed, deployment
from tests.support.hostile_texts import texts
from tests.support.terraform_docker_specs import GOOD_DOCKER, module, one_service

GOLDEN = ROOT / "tests" / "golden" / "deploy" / "terraform-docker"
API = ("services", "api")
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
_TOKEN = re.compile(r"\\u([0-9a-f]{4})|\\U([0-9a-f]{8})|\\([nrt\"\\])|(\$\$\{|%%\{)|(.)", re.DOTALL)
_SINGLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def _read(body: str) -> str:
    """Read the inside of a quoted literal as the HCL specification says."""
    assert not re.search(r"(?<![$%])[$%]\{", body.replace("$${", "").replace("%%{", ""))
    out = []
    for short, long, single, doubled, plain in _TOKEN.findall(body):
        if short or long:
            out.append(chr(int(short or long, 16)))
        else:
            out.append(_SINGLE[single] if single else doubled[1:] if doubled else plain)
    return "".join(out)


def _literals(text: str, name: str) -> list[str]:
    """Return the texts in a list that is the value of an attribute."""
    start = re.search(rf"^ +{name} += \[", text, re.MULTILINE)
    assert start is not None
    rest = text[start.end() :]
    found = []
    while not rest.lstrip(" ,\n").startswith("]"):
        literal = _LITERAL.match(rest.lstrip(" ,\n"))
        assert literal is not None
        found.append(_read(literal[1]))
        rest = rest.lstrip(" ,\n")[literal.end() :]
    return found


def _main(spec: dict[str, Any]) -> str:
    return module(spec)["main.tf"].decode()


def _codes(spec: dict[str, Any]) -> dict[str, str]:
    return {each.place: each.code for each in TERRAFORM_DOCKER.check(deployment(spec))}


def test_the_module_is_the_one_that_was_reviewed() -> None:
    found = module()
    kept = {
        path.relative_to(GOLDEN).as_posix(): path.read_bytes()
        for path in sorted(GOLDEN.rglob("*"))
        if path.is_file()
    }
    for path, data in kept.items():
        assert found[path].decode() == data.decode()
    assert len(kept) == 5


def test_the_same_spec_gives_the_same_bytes() -> None:
    assert module() == module()


def test_the_provider_is_the_one_that_the_pack_describes() -> None:
    assert find_source(PROVIDER).version == PROVIDER_VERSION


@settings(max_examples=100, deadline=None)
@given(texts(), texts(), texts())
def test_any_text_comes_back_from_the_module(variable: str, argument: str, check: str) -> None:
    value, word, probe = (
        unicodedata.normalize("NFC", each) for each in (variable, argument, check)
    )
    command = ["run", word] if word else ["run"]
    spec = one_service(env={"X": value}, command=command, health={"cmd": ["probe", probe]})
    text = _main(spec)
    assert _literals(text, "env") == [f"X={value}"]
    assert _literals(text, "command") == command
    assert _literals(text, "test") == ["CMD", "probe", probe]


@given(texts())
def test_descriptions_for_people_reach_no_file(text: str) -> None:
    spec = one_service(description=text)
    digest = re.compile(rb"[0-9a-f]{64}")
    plain = {path: digest.sub(b"", data) for path, data in module(one_service()).items()}
    with_text = module(changed(("description",), text, base=spec))
    assert {path: digest.sub(b"", data) for path, data in with_text.items()} == plain


@pytest.mark.parametrize(
    ("path", "value", "place", "code"),
    [
        (("secrets", "db-key"), {"from": "env", "ref": "X"}, "secrets.db-key.from", "ACI-D680"),
        ((*API, "image"), {"ref": "a:1"}, "services.api.image", "ACI-D681"),
        (
            ("rollout",),
            {"strategy": "blue_green", "bake": 60},
            "rollout.strategy",
            "ACI-D682",
        ),
        ((*API, "schedule"), {"cron": "0 * * * *"}, "services.api.schedule", "ACI-D683"),
        ((*API, "depends_on", "db"), "completed", "services.api.depends_on.db", "ACI-D683"),
        ((*API, "replicas"), 2, "services.api.ports[0]", "ACI-D684"),
        ((*API, "resources"), {"pids": 5}, "services.api.resources.pids", "ACI-D685"),
        ((*API, "env", "X"), "e\u0301", "services.api.env.X", "ACI-D686"),
        ((*API, "command"), ["a", "e\u0301"], "services.api.command[1]", "ACI-D686"),
        ((*API, "command"), ["a", ""], "services.api.command[1]", "ACI-D687"),
        (("models",), {"m": {"artifact": "ai/m"}}, "models", "ACI-D682"),
        (
            ("workflow",),
            {"start": "first", "states": {"first": {"type": "succeed"}}},
            "workflow",
            "ACI-D682",
        ),
    ],
)
def test_what_would_have_to_be_left_out_is_refused(
    path: tuple[str, ...], value: Any, place: str, code: str
) -> None:
    assert _codes(changed(path, value, base=GOOD_DOCKER)) == {place: code}


def test_loosening_is_written_and_nothing_else_changes() -> None:
    reason = "it has to bind a low port"
    loosen = [
        {"what": "capability", "capability": "NET_BIND_SERVICE", "reason": reason},
        {"what": "writable_root", "reason": reason},
        {"what": "privilege_gain", "reason": reason},
    ]
    before = _main(one_service()).splitlines()
    after = _main(one_service(loosen=loosen)).splitlines()
    gone = [line.split() for line in before if line not in after and "value" not in line]
    assert gone == [
        ["read_only", "=", "true"],
        ["security_opts", "=", '["no-new-privileges:true"]'],
        ["add", "=", "[]"],
    ]


def test_replicas_have_names_of_their_own() -> None:
    text = _main(one_service(replicas=3))
    assert re.search(r'  count +=+ 3\n  name +=+ "shop-api-\$\{count\.index\}"\n', text)


def test_a_network_is_closed_unless_hosts_are_named() -> None:
    egress = {"hosts": ["api.example"], "reason": "it asks a model"}
    text = _main(one_service(egress=egress))
    assert re.search(r'"shop-out-api"\n  driver   = "bridge"\n  internal = false', text)
    assert "internal = false" not in _main(one_service())
    judged = judge_spec(deployment(one_service(egress=egress)).spec, today="2026-11-23")
    assert [each.code for each in judged.findings] == ["open-egress"]


def test_all_addresses_of_the_machine_break_a_rule() -> None:
    spec = changed(("targets", "terraform-docker", "lb_address"), "0.0.0.0", base=one_service())
    judged = judge_spec(deployment(spec).spec, today="2026-11-23")
    assert [each.place for each in judged.findings] == ["targets.terraform-docker.lb_address"]


def test_secrets_are_mounted_files_and_go_through_no_variable() -> None:
    files = module()
    text = files["main.tf"].decode()
    assert 'source    = abspath("${path.module}/../../keys/db")' in text
    assert b"secret" not in files["variables.tf"]
    assert b"sensitive" not in b"".join(files.values())


def test_an_image_that_was_built_is_a_default() -> None:
    digest = digest_bytes(b"image")
    found = deployment(GOOD_DOCKER, images={"tools": digest})
    files = {each.path: each.content for each in TERRAFORM_DOCKER.render(found)}
    assert f'default     = "{digest}"'.encode() in files["variables.tf"]


def test_the_backend_is_the_one_that_was_asked_for() -> None:
    spec = changed(("targets", "terraform-docker", "backend"), "s3", base=one_service())
    assert b'backend "s3" {' in module(spec)["versions.tf"]
    assert b'backend "http" {}' in module(one_service())["versions.tf"]


def test_the_job_has_the_gate_before_terraform() -> None:
    workflow = yaml.safe_load(module()["deploy.workflow.yaml"])
    names = [step.get("name") for step in workflow["jobs"]["deploy"]["steps"]]
    assert names[2:] == [
        "install",
        "prepare",
        "files are what the spec says",
        "files are valid",
        "gate",
        "evidence",
        "deploy",
    ]
    last = workflow["jobs"]["deploy"]["steps"][-1]["run"].splitlines()
    assert last[:2] == ["set -eu", "cd deploy/shop/terraform-docker"]


def test_a_good_module_has_no_finding_without_terraform() -> None:
    (examined,) = TERRAFORM_DOCKER.examine(deployment(GOOD_DOCKER), module())
    assert (examined.findings, examined.detail) == ((), "17 blocks")


@pytest.mark.parametrize(
    ("path", "old", "new", "code"),
    [
        ("versions.tf", 'version = "3.6.2"', 'version = ">= 3.6.2"', "terraform-versions"),
        ("versions.tf", ">= 1.11.0, < 2.0.0", ">= 1.11.0", "terraform-versions"),
        ("versions.tf", 'backend "http" {}', 'backend "local" {}', "terraform-versions"),
        ("main.tf", 'resource "docker_volume"', 'data "docker_volume"', "terraform-block"),
        ("main.tf", "  lifecycle {", '  provisioner "local-exec" {', "terraform-block"),
        ("main.tf", "  ports {", "  upload {", "terraform-block"),
        (
            "variables.tf",
            '  description = "Image of the service db',
            '  x = "',
            "terraform-described",
        ),
        ("outputs.tf", '  description = "Names', '  x = "', "terraform-described"),
    ],
)
def test_what_may_not_be_in_a_module_is_found_without_terraform(
    path: str, old: str, new: str, code: str
) -> None:
    files = module()
    assert files[path].count(old.encode()) == 1
    edited = {**files, path: files[path].replace(old.encode(), new.encode())}
    (examined,) = TERRAFORM_DOCKER.examine(deployment(GOOD_DOCKER), edited)
    assert {each.code for each in examined.findings} == {code}


def test_a_missing_file_is_found() -> None:
    files = {path: data for path, data in module().items() if path != "outputs.tf"}
    (examined,) = TERRAFORM_DOCKER.examine(deployment(GOOD_DOCKER), files)
    assert [each.code for each in examined.findings] == ["terraform-files"]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("docker_container.api", ("services", "api")),
        ("docker_image.tools", ("services", "tools")),
        ("docker_container.api[0]", ("services", "api")),
        ("docker_volume.data", ("volumes", "data")),
        ("docker_container.other", ()),
        ("docker_network.to_db", ()),
        (None, ()),
    ],
)
def test_an_address_leads_to_the_spec(address: str | None, place: tuple[str, ...]) -> None:
    assert place_of(deployment(GOOD_DOCKER), address) == place
