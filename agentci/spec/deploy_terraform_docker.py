"""What the target `terraform-docker` can be told, `targets.terraform-docker` of a deploy spec."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agentci.spec.pipeline import Model


class TerraformDockerTarget(Model):
    """Containers of one Docker Engine, by Terraform with the provider `kreuzwerker/docker`."""

    backend: Literal["http", "s3"] = Field(
        "http",
        description="Where the state is kept. Address or bucket are given to `terraform init`, by "
        "`-backend-config` or variables such as `TF_HTTP_ADDRESS`.",
    )
    lb_address: str = Field(
        "127.0.0.1",
        pattern=r"^[0-9a-f.:]{2,45}$",
        description="Address of the Engine's machine for ports with `publish: lb`. All addresses "
        "(`0.0.0.0`) break a rule.",
    )
