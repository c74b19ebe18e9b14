"""The target `terraform-docker`: containers of one Docker Engine, by Terraform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agentci.core.json_types import JsonValue
from agentci.deploy.artifact import Artifact, Deployment
from agentci.deploy.ci_job import ci_job
from agentci.deploy.findings import Finding
from agentci.deploy.images import image_files
from agentci.deploy.targets.protocol import Examined, Target
from agentci.deploy.targets.terraform_docker_examine import examine_module
from agentci.deploy.targets.terraform_docker_module import (
    output_blocks,
    resource_blocks,
    variable_blocks,
    version_blocks,
)
from agentci.deploy.targets.terraform_docker_names import PROVIDER, TARGET
from agentci.deploy.targets.terraform_docker_refusals import refused
from agentci.deploy.targets.terraform_docker_tests import assertion_blocks
from agentci.deploy.writers.hcl import hcl_text
from agentci.deploy.writers.yaml import comment_lines

RUNNER: Final[JsonValue] = ["self-hosted", "linux", "docker"]
_PACKS: Final = f"agentci deploy packs build {PROVIDER}"
_INIT: Final = "terraform init -input=false"
_APPLY: Final = "terraform apply -input=false -auto-approve"
_IGNORED: Final = "/.terraform/\n*.tfstate\n*.tfstate.*\n*.tfplan\n"


class TerraformDockerTarget:
    """Writes a hardened Terraform module."""

    __slots__ = ()

    @property
    def version(self) -> int:
        """Of the templates."""
        return 1

    def check(self, deployment: Deployment) -> tuple[Finding, ...]:
        """Return what the provider or the Engine cannot do."""
        return tuple(refused(deployment))

    def render(self, deployment: Deployment) -> tuple[Artifact, ...]:
        """Return the module, its tests, Dockerfiles, and the CI job."""
        notice = deployment.notice()
        files = {
            "versions.tf": version_blocks(deployment),
            "variables.tf": variable_blocks(deployment),
            "main.tf": resource_blocks(deployment),
            "outputs.tf": output_blocks(deployment),
            "tests/deployment.tftest.hcl": assertion_blocks(deployment),
        }
        ignored = comment_lines(notice) + _IGNORED
        return (
            *(Artifact(path, hcl_text(blocks, notice=notice)) for path, blocks in files.items()),
            *image_files(deployment),
            Artifact(".gitignore", ignored.encode()),
            ci_job(
                deployment,
                TARGET,
                runner=RUNNER,
                extra="[terraform]",
                prepared=(_PACKS,),
                applied=(_INIT, _APPLY),
            ),
        )

    def examine(self, deployment: Deployment, files: Mapping[str, bytes]) -> tuple[Examined, ...]:
        """Hold the module against what may not be in one, without Terraform."""
        return examine_module(deployment, files)


TERRAFORM_DOCKER: Final[Target] = TerraformDockerTarget()
