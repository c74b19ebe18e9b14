"""Compose's own opinion of a compose file: `config` of every Compose that the machine has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.app.deploy_compose_program import find_programs
from agentci.app.deploy_validate import ToolOutcome, ToolRequest
from agentci.deploy.findings import Finding
from agentci.deploy.targets.compose_versions import declared

if TYPE_CHECKING:
    from agentci.app.deploy_compose_program import ComposeProgram


def run_tools(request: ToolRequest) -> tuple[ToolOutcome, ...]:
    """Ask Compose whether it reads the file; at least one of the two has to be there."""
    found = find_programs(request.programs, request.folder)
    if not found:
        return (
            ToolOutcome(
                "compose config",
                "skipped",
                "tool missing: neither `docker compose` nor `docker-compose` answers",
            ),
        )
    return tuple(_config(request, program) for program in found)


def _config(request: ToolRequest, program: ComposeProgram) -> ToolOutcome:
    name = f"{program.name} config"
    target = request.deployment.spec.targets.compose
    assert target is not None
    if program.version < declared(target.compose):
        detail = f"tool missing: it is {program.version}, and the spec asks for {target.compose}"
        return ToolOutcome(name, "skipped", detail)
    project = request.deployment.spec.name
    done = program.run(
        request.programs,
        ("-p", project, "-f", "compose.yaml", "config", "-q"),
        folder=request.folder,
        timeout=120,
    )
    if done.exit_code == 0:
        return ToolOutcome(name, "ok", f"version {program.version}")
    finding = Finding("compose-config", (), f"`{name}` refuses the file: {done.said}")
    return ToolOutcome(name, "failed", f"version {program.version}", (finding,))
