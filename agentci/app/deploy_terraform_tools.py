"""Terraform's own opinion of a rendered module, for `agentci deploy validate`.

A target calls `run_terraform` from a function of its own, with its packs and what it knows of
addresses; that function is its row in `TOOLS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from agentci.app.deploy_terraform import ModuleCheckRequest, check_module
from agentci.app.deploy_validate import ToolOutcome, ToolRequest
from agentci.core.errors import MissingTool
from agentci.deploy.findings import Finding

if TYPE_CHECKING:
    from agentci.app.deploy_terraform import ModuleCheck, PackPin
    from agentci.core.terraform import ModuleReport, TerraformDiagnostic
    from agentci.deploy.embedded.plan import TextFinding
    from agentci.spec.yaml_document import PathParts

Locate: TypeAlias = "Callable[[str | None], PathParts]"
"""Returns the place in the spec behind an address such as `aws_ecs_service.api`."""

_NAMES: Final = ("fmt", "validate", "plan", "test")


def run_terraform(
    request: ToolRequest,
    packs: tuple[PackPin, ...],
    *,
    variables: Mapping[str, Any],
    locate: Locate = lambda _: (),
) -> tuple[ToolOutcome, ...]:
    """Check a module; one outcome for each of `fmt`, `validate`, `plan`, `test` and the texts.

    Raises:
        EnvironmentProblem: when Terraform is there, but does not work.
        UsageError: when the module could run programs.
    """
    try:
        found = check_module(ModuleCheckRequest(request.files, packs, variables))
    except MissingTool as problem:
        hint = f"; {problem.hint}" if problem.hint else ""
        return (ToolOutcome("terraform", "skipped", f"tool missing: {problem.message}{hint}"),)
    reports = (found.fmt, found.validation, found.plan, found.tests)
    outcomes = [
        _outcome(f"terraform {name}", report, found, locate)
        for name, report in zip(_NAMES, reports, strict=True)
        if report is not None
    ]
    if found.plan is not None and found.plan.passed:
        outcomes.append(_texts(found, locate))
    return tuple(outcomes)


def _outcome(name: str, report: ModuleReport, found: ModuleCheck, locate: Locate) -> ToolOutcome:
    findings = tuple(_finding(name, each, locate) for each in report.errors)
    detail = f"version {found.version}"
    if not report.passed and not findings:
        return ToolOutcome(name, "failed", f"{detail}: no test ran")
    return ToolOutcome(name, "ok" if report.passed else "failed", detail, findings)


def _finding(name: str, told: TerraformDiagnostic, locate: Locate) -> Finding:
    place = told.file or "the module"
    if told.file and told.line:
        place = f"{told.file}:{told.line}"
    detail = f": {' '.join(told.detail.split())}" if told.detail else ""
    return Finding(
        name.replace(" ", "-"), locate(told.address), f"{place}: {told.summary}{detail}", told.hint
    )


def _texts(found: ModuleCheck, locate: Locate) -> ToolOutcome:
    texts = found.texts
    detail = f"{texts.checked} checked"
    findings = tuple(_text_finding(each, locate) for each in texts.findings)
    if findings:
        return ToolOutcome("terraform texts", "failed", detail, findings)
    if texts.unknown:
        detail = f"{detail}; not known before they are created: {', '.join(texts.unknown)}"
        return ToolOutcome("terraform texts", "skipped", detail)
    return ToolOutcome("terraform texts", "ok", detail)


def _text_finding(told: TextFinding, locate: Locate) -> Finding:
    place = f"{told.address}.{told.attribute}"
    inside = f" at `{told.path}`" if told.path else ""
    message = f"`{place}`{inside}: {told.message}"
    return Finding("terraform-texts", locate(told.address), message, told.hint)
