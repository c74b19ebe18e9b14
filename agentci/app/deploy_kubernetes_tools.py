"""What others say of manifests: the published schemas of the declared version of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agentci.app import wiring
from agentci.app.deploy_validate import ToolOutcome, ToolRequest
from agentci.core.errors import EnvironmentProblem
from agentci.deploy.findings import Finding
from agentci.deploy.targets.kubernetes_names import options_of
from agentci.deploy.targets.kubernetes_objects import (
    Content,
    identity_of,
    in_spec,
    manifest_files,
    read_manifests,
)
from agentci.deploy.targets.kubernetes_schema import CUSTOM

_TOOL: Final = "kubernetes-validate"


def run_tools(request: ToolRequest) -> tuple[ToolOutcome, ...]:
    """Hold each object against the strict schema of its kind; an unknown kind is a failure."""
    version = options_of(request.deployment.spec).version
    try:
        check = wiring.kubernetes_schemas(version)
    except EnvironmentProblem as problem:
        return (ToolOutcome(_TOOL, "skipped", f"tool missing: {problem.message}; {problem.hint}"),)
    read = read_manifests(manifest_files(request.files))
    findings = list(read.findings)
    objects = _of_cluster(read.contents)
    for path, content in objects.items():
        wrong = check(content, version)
        if wrong is not None:
            place = in_spec(path, request.deployment)
            message = f"`{path}`: {wrong}"
            findings.append(Finding(_TOOL, place, message, "agentci deploy render"))
    detail = f"{len(objects)} objects, Kubernetes {version}"
    return (ToolOutcome(_TOOL, "failed" if findings else "ok", detail, tuple(findings)),)


def _of_cluster(contents: Mapping[str, Content]) -> Mapping[str, Content]:
    """Leave out kinds that no cluster has by itself, which our own schemas hold."""
    return {path: each for path, each in contents.items() if identity_of(each) not in CUSTOM}
