"""Terraform modules are checked with the real Terraform, offline, and nothing is left behind."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agentci.adapters.terraform_output import read_json
from agentci.adapters.terraform_process import find_terraform
from agentci.adapters.terraform_runner import LocalSession, LocalTerraform
from agentci.app.deploy_terraform import ModuleCheckRequest, check_module, examine, pinned
from agentci.core.errors import EnvironmentProblem, UsageError
from agentci.deploy.packs.provider_schema import schema_of
from agentci.deploy.packs.sources import find_source
from tests.support.command_line import run_module
from tests.support.empty_network import way_into_it
from tests.support.schema_packs import packs
from tests.support.terraform_modules import (
    IMAGE,
    MODULES,
    VARIABLES,
    FixedEnv,
    all_schemas,
    edited,
    module,
    own_terraform,
)

pytestmark = pytest.mark.terraform


@pytest.fixture(scope="module")
def terraform() -> LocalTerraform:
    """Return the Terraform that comes with the extra."""
    return own_terraform()


@pytest.fixture(scope="module")
def session(terraform: LocalTerraform) -> Iterator[LocalSession]:
    """Serve the schemas of all providers to all tests here."""
    with terraform.session(all_schemas()) as opened:
        yield opened


def plan(session: LocalSession, files: dict[str, bytes], name: str) -> Mapping[str, Any]:
    """Return the plan of a module that has one."""
    with session.module(files) as opened:
        report = opened.plan(VARIABLES[name])
    assert report.diagnostics == ()
    assert report.plan is not None
    return report.plan


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_a_good_module_has_no_finding(
    terraform: LocalTerraform, session: LocalSession, name: str
) -> None:
    found = examine(terraform, session, module(name), variables=VARIABLES[name])
    assert found.fmt.diagnostics == ()
    assert found.validation.diagnostics == ()
    assert found.plan is not None
    assert found.plan.diagnostics == ()
    assert found.texts.findings == ()
    assert found.texts.unknown == ()
    assert found.texts.checked == {"ecs": 3, "lambda": 4}.get(name, 0)
    assert found.tests is not None
    assert found.tests.runs
    assert found.passed


def test_a_module_is_checked_by_one_call_without_a_session() -> None:
    packs()
    found = check_module(ModuleCheckRequest(module("docker"), pinned("docker"), {"image": IMAGE}))
    assert found.passed


def test_a_plan_says_what_was_asked_for_and_what_is_not_known(session: LocalSession) -> None:
    planned = plan(session, module("ecs"), "ecs")
    changes = {each["address"]: each["change"] for each in planned["resource_changes"]}
    task = changes["aws_ecs_task_definition.web"]
    (container,) = json.loads(task["after"]["container_definitions"])
    assert container["image"] == IMAGE
    assert task["after"]["cpu"] == "256"
    assert task["after"]["pid_mode"] is None
    assert task["after_unknown"]["arn"] is True


@pytest.mark.parametrize(
    ("provider", "name"), [("aws", "lambda"), ("docker", "docker"), ("kubernetes", "kubernetes")]
)
def test_terraform_understands_every_schema_as_the_pack_has_it(
    session: LocalSession, provider: str, name: str
) -> None:
    row = find_source(provider)
    with session.module(module(name)) as opened:
        assert opened.validate().passed
        told = read_json(opened._run("providers", "schema", "-json"), "validate")
    pack = packs().find(row.source, row.version, digest=row.digest).pack
    schema = schema_of(told, row.source, "schema.json")
    assert _bare(schema) == _bare(dict(pack.content.schema))


def _bare(value: Any) -> Any:
    """Return a schema without what is left out where it says nothing."""
    if not isinstance(value, dict):
        return value
    kept = {key: _bare(inner) for key, inner in value.items()}
    return {key: inner for key, inner in kept.items() if inner not in ({}, None, False, 0)}


def test_a_policy_that_names_what_is_not_known_yet_is_looked_into(
    terraform: LocalTerraform, session: LocalSession
) -> None:
    files = edited("lambda", 'Action   = "lambda:InvokeFunction"', 'Action   = "InvokeFunction"')
    (finding,) = examine(terraform, session, files, variables=VARIABLES["lambda"]).texts.findings
    assert finding.address == "aws_iam_role_policy.machine"
    assert finding.path == "Statement[0].Action"


def test_a_failing_test_is_told_with_its_line(session: LocalSession) -> None:
    files = edited("docker", "read_only   = true", "read_only   = false")
    with session.module(files) as opened:
        report = opened.test()
    assert not report.passed
    assert (report.runs[0].name, report.runs[0].status) == ("is_hardened", "fail")
    (told,) = report.errors
    assert (told.file, told.line) == ("tests/web.tftest.hcl", 11)


def test_a_module_without_tests_has_not_passed_them(session: LocalSession) -> None:
    files = {"main.tf": module("docker")["main.tf"]}
    with session.module(files) as opened:
        assert not opened.test().passed


def test_a_diagnostic_names_file_line_and_object(session: LocalSession) -> None:
    with session.module(edited("ecs", "launch_type     =", "launch_tipe     =")) as opened:
        (told,) = opened.validate().errors
    assert told.address == "aws_ecs_service.web"
    assert told.file == "main.tf"
    lines = module("ecs")["main.tf"].decode().splitlines()
    assert told.line is not None
    assert "launch_type" in lines[told.line - 1]
    assert "launch_type" in told.detail


def test_a_type_that_the_pack_lacks_comes_with_the_way_to_add_it(session: LocalSession) -> None:
    files = module("docker")
    files["more.tf"] = b'resource "docker_config" "x" {\n  name = "x"\n  data = "x"\n}\n'
    with session.module(files) as opened:
        (told,) = opened.validate().errors
    assert told.hint is not None
    assert "agentci deploy packs build kreuzwerker/docker --type docker_config" in told.hint


def test_another_version_of_a_provider_is_refused(session: LocalSession) -> None:
    with session.module(edited("docker", '"3.6.2"', '"3.6.3"')) as opened:
        (told,) = opened.validate().errors
    assert told.phase == "init"
    assert "3.6.3" in told.detail


def test_a_provider_without_a_schema_is_refused(session: LocalSession) -> None:
    with session.module(edited("docker", "kreuzwerker/docker", "calxus/docker")) as opened:
        (told,) = opened.validate().errors
    assert told.phase == "init"
    assert "calxus/docker" in told.detail


def test_nothing_is_created_without_a_mock(session: LocalSession) -> None:
    files = module("docker")
    files["tests/web.tftest.hcl"] = files["tests/web.tftest.hcl"].replace(
        b'mock_provider "docker" {}', b""
    )
    with session.module(files) as opened:
        report = opened.test()
    assert report.runs[0].status == "error"
    assert "mock_provider" in report.errors[0].detail
    assert {each.summary for each in report.errors} == {
        f"`docker_{kind}` cannot be created or changed here"
        for kind in ("image", "network", "volume")
    }


def test_a_data_source_is_not_read_and_the_reason_says_so(session: LocalSession) -> None:
    files = module("ecs")
    files["data.tf"] = b'data "aws_caller_identity" "me" {}\n'
    with session.module(files) as opened:
        assert opened.validate().passed
        (told,) = opened.plan(VARIABLES["ecs"]).errors
    assert "`aws_caller_identity` cannot be read here" in told.summary
    assert "variable" in told.detail
    assert told.address == "data.aws_caller_identity.me"


def test_a_test_can_mock_a_data_source(session: LocalSession) -> None:
    files = module("ecs")
    files["data.tf"] = b'data "aws_caller_identity" "me" {}\n'
    with session.module(files) as opened:
        assert opened.test().passed


@pytest.mark.parametrize("path", ["main.tf", "more.tf.json", "tests/web.tftest.hcl"])
def test_tests_of_a_module_that_could_run_programs_are_not_run(
    session: LocalSession, tmp_path: Path, path: str
) -> None:
    touched = tmp_path / "touched"
    hcl = (
        'resource "terraform_data" "x" {\n  provisioner "local-exec" {\n'
        f'    command = "touch {touched}"\n  }}\n}}\n'
    )
    words = '{"resource": {"terraform_data": {"x": {"\\u0070rovisioner": {}}}}}'
    files = module("docker")
    files[path] = files.get(path, b"") + (words if path.endswith("json") else hcl).encode()
    with session.module(files) as opened, pytest.raises(UsageError, match="provisioner") as error:
        opened.test()
    assert error.value.code == "ACI-U651"
    assert not touched.exists()


@pytest.mark.parametrize("path", ["../main.tf", "/main.tf", "a/../../b.tf", ".terraform/x", ""])
def test_a_file_outside_of_the_module_is_refused(session: LocalSession, path: str) -> None:
    with pytest.raises(UsageError) as error, session.module({path: b""}):
        pass
    assert error.value.code == "ACI-U650"


def test_a_module_from_the_network_is_not_fetched(session: LocalSession) -> None:
    files = {"main.tf": b'module "x" {\n  source = "git::https://192.0.2.1/x.git"\n}\n'}
    with session.module(files) as opened:
        report = opened.validate()
    assert report.errors[0].phase == "init"


def test_syntax_and_layout_are_told_by_file_and_line(terraform: LocalTerraform) -> None:
    report = terraform.fmt_check({"a.tf": b"x = {\n", "b/c.tf": b"a = 1\nbb=2\n", "d.md": b"x=1"})
    found = [(each.file, each.line, each.summary) for each in report.errors]
    assert ("b/c.tf", 1, "not formatted as `terraform fmt` does") in found
    assert [name for name, _, _ in found] == ["a.tf", "b/c.tf"]


def test_a_module_is_checked_in_an_empty_network_without_a_home(tmp_path: Path) -> None:
    way = way_into_it()
    if way is None:
        pytest.skip("no network namespaces here")
    store = packs()
    shutil.copytree(MODULES / "docker", tmp_path / "module")
    before = sorted(tmp_path.rglob("*"))
    done = run_module(
        "tests.support.terraform_modules",
        ("docker", str(tmp_path / "module")),
        folder=tmp_path,
        env={"AGENTCI_PACKS": str(store.folder)},
        prefix=way,
    )
    assert (done.out, done.err) == ("passed=True tests=2 offline=True\n", "")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_terraform_on_the_path_comes_first(tmp_path: Path) -> None:
    program = tmp_path / "terraform"
    program.write_text(
        f"#!{sys.executable}\n"
        'print(\'{"terraform_version": "1.12.3", "platform": "linux_amd64"}\')\n'
    )
    program.chmod(0o755)
    found = find_terraform(FixedEnv({"PATH": str(tmp_path)}), tmp_path)
    assert (found.place, found.version) == (str(program), "1.12.3")


@pytest.mark.parametrize("version", ["1.10.5", "0.15.0", "2.0.0", "x"])
def test_a_terraform_out_of_bounds_is_named(
    tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentci.adapters.terraform_process.library", lambda: None)
    program = tmp_path / "terraform"
    program.write_text(
        f'#!/bin/sh\necho \'{{"terraform_version": "{version}", "platform": "p"}}\'\n'
    )
    program.chmod(0o755)
    with pytest.raises(EnvironmentProblem, match="or newer") as error:
        find_terraform(FixedEnv({"PATH": str(tmp_path)}), tmp_path)
    assert error.value.code == "ACI-E651"


def test_no_terraform_is_told_with_the_way_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentci.adapters.terraform_process.library", lambda: None)
    with pytest.raises(EnvironmentProblem) as error:
        find_terraform(FixedEnv({"PATH": str(tmp_path)}), tmp_path)
    assert error.value.code == "ACI-E650"
    assert "agentci-pipelines[terraform]" in (error.value.hint or "")
