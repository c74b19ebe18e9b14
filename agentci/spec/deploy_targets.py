"""What each target of a deploy spec can be told, `targets` of `agentci/deploy`.

A new target is a model and a field here, and a row in `agentci.deploy.targets.registry`.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from agentci.spec.deploy_kubernetes import KubernetesTarget
from agentci.spec.deploy_terraform_docker import TerraformDockerTarget
from agentci.spec.pipeline import Model


class ComposeTarget(Model):
    """Docker Compose on one machine."""

    compose: str = Field(
        ">=1.29",
        pattern=r"^>=[1-9][0-9]?\.[0-9]{1,3}$",
        description="Oldest version of Compose that has to do; what it cannot do is refused.",
    )
    lb_address: str = Field(
        "127.0.0.1",
        pattern=r"^[0-9a-f.:]{2,45}$",
        description="Address of this machine for ports with `publish: lb`, where its load "
        "balancer or proxy finds them. All addresses (`0.0.0.0`) break a rule.",
    )


class TargetsSpec(Model):
    """Where it runs. At least one."""

    compose: ComposeTarget | None = Field(None, description="Docker Compose on one machine.")
    kubernetes: KubernetesTarget | None = Field(None, description="Manifests for a cluster.")
    terraform_docker: TerraformDockerTarget | None = Field(
        None,
        alias="terraform-docker",
        description="Containers of one Docker Engine, by Terraform.",
    )

    @model_validator(mode="after")
    def _any(self) -> TargetsSpec:
        if not self.named():
            msg = "name at least one target, for example `compose: {}`"
            raise ValueError(msg)
        return self

    def named(self) -> tuple[str, ...]:
        """Return the names of the targets that are asked for, in the order of the definition."""
        return tuple(
            info.alias or name
            for name, info in type(self).model_fields.items()
            if getattr(self, name) is not None
        )
