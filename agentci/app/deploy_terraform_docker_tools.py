"""Terraform's own opinion of the module for a Docker Engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentci.app.deploy_terraform import pinned
from agentci.app.deploy_terraform_tools import run_terraform
from agentci.app.deploy_validate import ToolOutcome, ToolRequest
from agentci.deploy.targets.terraform_docker_names import PROVIDER, label
from agentci.deploy.targets.terraform_docker_tests import placeholders

if TYPE_CHECKING:
    from agentci.deploy.artifact import Deployment
    from agentci.spec.yaml_document import PathParts

_SERVICES: Final = ("docker_container", "docker_image")


def run_tools(request: ToolRequest) -> tuple[ToolOutcome, ...]:
    """Run `fmt`, `init`, `validate`, `plan` and `test` on a copy; no Engine is asked."""
    return run_terraform(
        request,
        pinned(PROVIDER),
        variables=placeholders(request.deployment),
        locate=lambda address: place_of(request.deployment, address),
    )


def place_of(deployment: Deployment, address: str | None) -> PathParts:
    """Return the place in the spec behind an address such as `docker_container.api[0]`."""
    kind, _, rest = (address or "").partition(".")
    name = rest.partition("[")[0]
    if kind in _SERVICES:
        known = {label(each): each for each in deployment.spec.services}
        return ("services", known[name]) if name in known else ()
    known = {label(each): each for each in deployment.spec.volumes}
    return ("volumes", known[name]) if kind == "docker_volume" and name in known else ()
