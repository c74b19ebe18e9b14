"""Validate rendered files as they lie on the disk: drift, rules, examinations, tools.

A tool that is missing is an outcome of its own, never a silence. Targets bring their tools with a
row in `TOOLS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from agentci.app import wiring
from agentci.app.deploy_check import compare
from agentci.app.deploy_project import find_specs
from agentci.deploy.drift import find_drift
from agentci.deploy.findings import in_reading_order
from agentci.deploy.rules.registry import Waived, judge_spec
from agentci.deploy.targets.registry import load_target

if TYPE_CHECKING:
    from agentci.app.deploy_check import Compared
    from agentci.core.errors import Location
    from agentci.core.programs import Programs
    from agentci.deploy.artifact import Deployment
    from agentci.deploy.findings import Finding

Status: TypeAlias = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, with its place in the spec and in the spec's file."""

    rule: str
    message: str
    spec_path: str
    location: Location
    hint: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one validator said of one target, or of the spec itself."""

    target: str | None
    validator: str
    status: Status
    detail: str
    """What was counted, or why it was skipped."""
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class ValidatedSpec:
    """All outcomes for one spec."""

    spec: str
    name: str
    outcomes: tuple[Outcome, ...]
    waived: tuple[Waived, ...]

    @property
    def failed(self) -> bool:
        """Whether any validator found something."""
        return any(outcome.status == "failed" for outcome in self.outcomes)

    @property
    def skipped(self) -> bool:
        """Whether any validator could not be run."""
        return any(outcome.status == "skipped" for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """What the tools of a target are given."""

    deployment: Deployment
    folder: Path
    """The target's folder on the disk. Not to be written to: work in a copy."""
    files: Mapping[str, bytes]
    """Its content, by path relative to it."""
    programs: Programs


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What one tool said."""

    tool: str
    status: Status
    detail: str
    findings: tuple[Finding, ...] = ()


RunTools: TypeAlias = Callable[[ToolRequest], tuple[ToolOutcome, ...]]

TOOLS: Final[Mapping[str, str]] = {
    "compose": "agentci.app.deploy_compose_tools:run_tools",
    "kubernetes": "agentci.app.deploy_kubernetes_tools:run_tools",
    "terraform-docker": "agentci.app.deploy_terraform_docker_tools:run_tools",
}
"""By target: `module:function` of the type `RunTools`."""


def validate(
    start: Path, spec: str | None, *, out: Path | None = None
) -> tuple[ValidatedSpec, ...]:
    """Validate every spec that is asked for. Nothing is run of what is deployed.

    Raises:
        SpecError: when a spec is invalid.
        NothingMatched: when there is no such spec.
    """
    files = wiring.files()
    found = find_specs(start, spec, out=out, files=files)
    return tuple(_validated(compare(file, files)) for file in found)


def today() -> str:
    """Return the day as `2026-11-23`, UTC."""
    return datetime.fromtimestamp(wiring.clock().now(), tz=UTC).date().isoformat()


def _validated(compared: Compared) -> ValidatedSpec:
    deployment = compared.project.deployment
    judged = judge_spec(deployment.spec, today=today())
    outcomes = [_drift(compared), _of_rules(judged.findings, deployment)]
    for target in deployment.spec.targets.named():
        prefix = f"{deployment.spec.name}/{target}/"
        content = {
            path.removeprefix(prefix): data
            for path, data in compared.on_disk.items()
            if data is not None and path.startswith(prefix)
        }
        for examined in load_target(target).examine(deployment, content):
            diagnostics = _diagnostics(examined.findings, deployment)
            status: Status = "failed" if diagnostics else "ok"
            outcomes.append(Outcome(target, examined.name, status, examined.detail, diagnostics))
        request = ToolRequest(
            deployment, compared.file.place(prefix.rstrip("/")), content, wiring.programs()
        )
        outcomes += [
            Outcome(
                target, each.tool, each.status, each.detail, _diagnostics(each.findings, deployment)
            )
            for each in _load(TOOLS[target])(request)
        ]
    return ValidatedSpec(
        compared.file.path.as_posix(), deployment.spec.name, tuple(outcomes), judged.waived
    )


def _drift(compared: Compared) -> Outcome:
    result = find_drift(compared.project, on_disk=compared.on_disk, lock=compared.lock)
    locate = compared.project.deployment.positions.locate
    diagnostics = tuple(
        Diagnostic(drift.code, drift.message, "", locate(()), drift.hint) for drift in result.drifts
    )
    detail = f"{len(compared.project.artifacts)} files" if not diagnostics else ""
    return Outcome(None, "drift", "failed" if diagnostics else "ok", detail, diagnostics)


def _of_rules(findings: tuple[Finding, ...], deployment: Deployment) -> Outcome:
    diagnostics = _diagnostics(findings, deployment)
    return Outcome(None, "rules", "failed" if diagnostics else "ok", "", diagnostics)


def _diagnostics(findings: tuple[Finding, ...], deployment: Deployment) -> tuple[Diagnostic, ...]:
    locate = deployment.positions.locate
    return tuple(
        Diagnostic(each.code, each.message, each.place, locate(each.path), each.hint)
        for each in in_reading_order(findings, deployment.positions)
    )


def _load(target: str) -> RunTools:
    module, _, name = target.partition(":")
    found: RunTools = getattr(importlib.import_module(module), name)
    return found
