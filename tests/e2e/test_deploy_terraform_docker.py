"""The real Terraform judges modules for a Docker Engine: good ones pass, broken ones do not.

What each seeded defect is found by is in `DEFECTS`: Terraform's own checks, or the module's tests.
"""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agentci.adapters.terraform_runner import LocalSession, LocalTerraform
from agentci.app.deploy_terraform import ModuleCheck, examine
from agentci.deploy.targets.terraform_docker_tests import PLACEHOLDER, placeholders
from tests.support.command_line import ROOT
from tests.support.deploy_specs import changed, deployment
from tests.support.hostile_texts import HOSTILE
from tests.support.projects import Project
from tests.support.schema_packs import packs
from tests.support.terraform_docker_specs import GOOD_DOCKER, module, one_service
from tests.support.terraform_modules import all_schemas, own_terraform

pytestmark = pytest.mark.terraform

REASON = "it has to be so for a test"
LOOSE = one_service(
    user="0:0",
    loosen=[
        {"what": "root_user", "reason": REASON},
        {"what": "writable_root", "reason": REASON},
        {"what": "privilege_gain", "reason": REASON},
        {"what": "capability", "capability": "CHOWN", "reason": REASON},
    ],
    egress={"hosts": ["api.example"], "reason": REASON},
    restart="never",
)
GOOD: Mapping[str, dict[str, Any]] = {
    "three services": GOOD_DOCKER,
    "loosened": LOOSE,
    "replicas": one_service(replicas=3, egress="internal"),
    "none of it": one_service(replicas=0),
    "another backend": changed(("targets", "terraform-docker", "backend"), "s3", base=GOOD_DOCKER),
}


@dataclass(frozen=True, slots=True)
class Defect:
    """A text of `main.tf` or another file, what takes its place, and what has to find that."""

    old: str
    new: str
    found_by: str
    file: str = "main.tf"


DEFECTS = (
    Defect("read_only     = true", "readonly      = true", "validate"),
    Defect("  memory        = 256\n", '  memory        = "much"\n', "validate"),
    Defect(
        "image         = docker_image.api.image_id",
        "image         = docker_image.api.sha",
        "validate",
    ),
    Defect("docker_network.in_api.name", "docker_network.out_api.name", "validate"),
    Defect('  name          = "shop-api"\n', "", "validate"),
    Defect(
        "[docker_container.db, docker_container.tools]", "[docker_container.nobody]", "validate"
    ),
    Defect('version = "3.6.2"', 'version = "3.7.0"', "validate", "versions.tf"),
    Defect(">= 1.11.0, < 2.0.0", ">= 2.0.0, < 3.0.0", "validate", "versions.tf"),
    Defect("docker_container.tools.name", "docker_container.tool.name", "validate", "outputs.tf"),
    Defect("var.api_image))", "var.api_imag))", "validate", "variables.tf"),
    Defect("  ports {\n    internal = 8080", '  ports {\n    internal = "http"', "validate"),
    Defect("  read_only     = true\n", "  read_only     = false\n", "test"),
    Defect('["no-new-privileges:true"]', '["no-new-privileges:false"]', "test"),
    Defect('    drop = ["ALL"]', '    drop = ["CHOWN"]', "test"),
    Defect("    add  = []", '    add  = ["SYS_ADMIN"]', "test"),
    Defect('ip       = "127.0.0.1"', 'ip       = "0.0.0.0"', "test"),
    Defect(
        'name     = "shop-to-db"\n  driver   = "bridge"\n  internal = true',
        'name     = "shop-to-db"\n  driver   = "bridge"\n  internal = false',
        "test",
    ),
    Defect('max-size = "10m"\n  }\n  env ', 'max-size = "10g"\n  }\n  env ', "test"),
    Defect("  memory_swap   = 256\n", "  memory_swap   = 999\n", "test"),
    Defect(
        'can(regex("^([a-z0-9][A-Za-z0-9._:/-]*@)?sha256:[0-9a-f]{64}$", var.api_image))',
        "length(var.api_image) > 0",
        "test",
        "variables.tf",
    ),
    Defect("name         = var.api_image", 'name         = "api:latest"', "test"),
    Defect("  privileged    = false\n", "  privileged    = true\n", "plan"),
    Defect("  memory        = 256", "   memory       = 256", "fmt"),
)


@pytest.fixture(scope="module")
def terraform() -> LocalTerraform:
    """Return the Terraform that comes with the extra."""
    return own_terraform()


@pytest.fixture(scope="module")
def session(terraform: LocalTerraform) -> Iterator[LocalSession]:
    """Serve the schemas to all tests here."""
    with terraform.session(all_schemas()) as opened:
        yield opened


def judged(
    terraform: LocalTerraform,
    session: LocalSession,
    files: Mapping[str, bytes],
    spec: dict[str, Any],
) -> ModuleCheck:
    """Return what Terraform says of a module."""
    return examine(terraform, session, files, variables=placeholders(deployment(spec)))


def found_by(check: ModuleCheck) -> str | None:
    """Return the first look that found something, the format aside where others do, too."""
    if not check.validation.passed:
        return "validate"
    if check.plan is not None and not check.plan.passed:
        return "plan"
    if check.tests is None or not check.tests.passed:
        return "test"
    return None if check.fmt.passed else "fmt"


@pytest.mark.parametrize("name", GOOD)
def test_a_good_module_passes_everything(
    terraform: LocalTerraform, session: LocalSession, name: str
) -> None:
    found = judged(terraform, session, module(GOOD[name]), GOOD[name])
    assert found.fmt.diagnostics == ()
    assert found.validation.diagnostics == ()
    assert found.plan is not None
    assert found.plan.diagnostics == ()
    assert found.tests is not None
    assert found.tests.diagnostics == ()
    assert found.passed


@pytest.mark.parametrize("number", range(len(DEFECTS)))
def test_a_seeded_defect_is_found(
    terraform: LocalTerraform, session: LocalSession, number: int
) -> None:
    defect = DEFECTS[number]
    files = module()
    text = files[defect.file].decode()
    assert defect.old in text
    edited = {**files, defect.file: text.replace(defect.old, defect.new, 1).encode()}
    assert found_by(judged(terraform, session, edited, GOOD_DOCKER)) == defect.found_by


def test_terraform_reads_hostile_texts_as_they_were(session: LocalSession) -> None:
    texts = [unicodedata.normalize("NFC", text) for text in HOSTILE]
    variables = {f"X{number}": text for number, text in enumerate(texts)}
    words = [text for text in texts if text]
    spec = one_service(env=variables, command=words, health={"cmd": ["probe", *texts]})
    with session.module(module(spec)) as opened:
        report = opened.plan({})
    assert report.diagnostics == ()
    assert report.plan is not None
    planned: Any = report.plan
    resources = planned["planned_values"]["root_module"]["resources"]
    (container,) = [each["values"] for each in resources if each["type"] == "docker_container"]
    assert sorted(container["env"]) == sorted(f"{name}={text}" for name, text in variables.items())
    assert container["command"] == words
    assert container["healthcheck"][0]["test"] == ["CMD", "probe", *texts]


def test_hostile_texts_are_laid_out_as_terraform_does(terraform: LocalTerraform) -> None:
    texts = [unicodedata.normalize("NFC", text) for text in HOSTILE]
    spec = one_service(env={f"X{number}": text for number, text in enumerate(texts)})
    assert terraform.fmt_check(module(spec)).diagnostics == ()


def test_an_image_that_is_no_digest_is_not_planned(session: LocalSession) -> None:
    with session.module(module()) as opened:
        assert opened.plan({"tools_image": PLACEHOLDER}).passed
        report = opened.plan({"tools_image": "tools:latest"})
    assert [each.summary for each in report.errors] == ["Invalid value for variable"]


@pytest.fixture
def shipped(tmp_path: Path) -> Project:
    """Return a project with the deployments that ship."""
    project = Project(tmp_path)
    shutil.copytree(ROOT / "deploy", project.folder / "deploy", dirs_exist_ok=True)
    shutil.copytree(ROOT / "pipelines", project.folder / "pipelines", dirs_exist_ok=True)
    return project


def test_the_shipped_module_is_valid_through_the_command(shipped: Project) -> None:
    all_schemas()  # which makes the pack, or skips where that cannot be
    env = {"AGENTCI_PACKS": str(packs().folder)}
    report = shipped.report("deploy", "validate", "board", "--strict", env=env)
    assert report["ok"] is True
    (spec,) = report["specs"]
    assert {each["validator"]: each["status"] for each in spec["outcomes"]} == {
        "drift": "ok",
        "rules": "ok",
        "module": "ok",
        "terraform fmt": "ok",
        "terraform validate": "ok",
        "terraform plan": "ok",
        "terraform test": "ok",
        "terraform texts": "ok",
    }


def test_a_missing_pack_is_said_and_fails_where_that_is_asked(
    shipped: Project, tmp_path: Path
) -> None:
    env = {"AGENTCI_PACKS": str(tmp_path / "none")}
    report = shipped.report("deploy", "validate", "board", env=env)
    skipped = [each for each in report["specs"][0]["outcomes"] if each["status"] == "skipped"]
    assert [each["validator"] for each in skipped] == ["terraform"]
    assert "schema pack for `kreuzwerker/docker`" in skipped[0]["detail"]
    assert shipped.call("deploy", "validate", "board", "--strict", env=env).code == 1
