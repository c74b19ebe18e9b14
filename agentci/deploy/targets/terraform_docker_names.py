"""Names of what `terraform-docker` declares, and values that several of its files need."""

from __future__ import annotations

from typing import Final

from agentci.deploy.artifact import Deployment
from agentci.deploy.images import image_reference
from agentci.deploy.writers.hcl import Reference
from agentci.spec.deploy import DeploySpec, PortSpec
from agentci.spec.deploy_terraform_docker import TerraformDockerTarget

TARGET: Final = "terraform-docker"
PROVIDER: Final = "kreuzwerker/docker"
PROVIDER_VERSION: Final = "3.6.2"
"""The one that the schema pack describes, which a test holds true."""
DIGEST_PATTERN: Final = "^([a-z0-9][A-Za-z0-9._:/-]*@)?sha256:[0-9a-f]{64}$"
"""An image by digest: of a registry, or one that was built on the Engine's machine."""
SPEC_LABEL: Final = "agentci.spec-sha256"
DEPLOYMENT_LABEL: Final = "agentci.deployment"


def options_of(spec: DeploySpec) -> TerraformDockerTarget:
    """Return what the target is told; the defaults where the spec does not name it."""
    return spec.targets.terraform_docker or TerraformDockerTarget.model_validate({})


def label(name: str) -> str:
    """Return a name of the spec as Terraform's. Names of specs have no `_`, so none clash."""
    return name.replace("-", "_")


def image_variable(service: str) -> str:
    """Return the variable that holds the image of a service."""
    return f"{label(service)}_image"


def known_image(deployment: Deployment, service: str) -> str | None:
    """Return the image of a service, or None where it is built here and the lock has no digest."""
    found = deployment.spec.services[service]
    if found.image is not None:
        return image_reference(found.image)
    return deployment.images.get(service)


def container_of(spec: DeploySpec, service: str, attribute: str) -> Reference:
    """Return an attribute of a service's container, or of all its replicas."""
    many = "" if spec.services[service].replicas == 1 else "[*]"
    return Reference(f"docker_container.{label(service)}{many}.{attribute}")


def address_of(spec: DeploySpec, port: PortSpec) -> str:
    """Return the address of the machine that a published port is bound to."""
    return "127.0.0.1" if port.publish == "loopback" else options_of(spec).lb_address
