"""What the Docker provider cannot do of what a spec asks, and what a plain Engine cannot."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from agentci.deploy.artifact import Deployment
from agentci.deploy.findings import Finding
from agentci.deploy.targets.terraform_docker_names import DIGEST_PATTERN, known_image
from agentci.spec.deploy import DeploySpec, ServiceSpec
from agentci.spec.yaml_document import PathParts

_DIGEST: Final = re.compile(DIGEST_PATTERN.removesuffix("$") + r"\Z")


def refused(deployment: Deployment) -> Iterator[Finding]:
    """Yield everything that would have to be left out."""
    spec = deployment.spec
    yield from _whole(spec)
    for name, service in spec.services.items():
        here: PathParts = ("services", name)
        image = known_image(deployment, name)
        if image is not None and not _DIGEST.match(image):
            message = "an image without a digest is not run"
            yield Finding("ACI-D681", (*here, "image"), message, "add `digest: sha256:...`")
        yield from _life(service, here)
        yield from _limits(service, here)
        yield from _texts(service, here)


def _whole(spec: DeploySpec) -> Iterator[Finding]:
    for name, source in spec.secrets.items():
        if source.from_ != "file":
            message = f"a secret from `{source.from_}` would have to go through Terraform's state"
            hint = "use `from: file`, a file on the Engine's machine"
            yield Finding("ACI-D680", ("secrets", name, "from"), message, hint)
    if spec.rollout.strategy != "rolling":
        message = f"the Docker provider has no `{spec.rollout.strategy}`"
        yield Finding("ACI-D682", ("rollout", "strategy"), message, "use `rolling`")
    if spec.workflow is not None:
        message = "a Docker Engine runs no workflow"
        yield Finding("ACI-D682", ("workflow",), message, "leave the target out, or the workflow")
    if spec.models:
        message = "a Docker Engine runs no models by itself"
        yield Finding("ACI-D682", ("models",), message, "make it a service with an image")


def _life(service: ServiceSpec, here: PathParts) -> Iterator[Finding]:
    if service.schedule is not None:
        message = "a Docker Engine starts nothing at times"
        yield Finding("ACI-D683", (*here, "schedule"), message, "use another target for it")
    for needed, state in service.depends_on.items():
        if state == "completed":
            message = "the Docker provider goes on, however a program has ended"
            path = (*here, "depends_on", needed)
            yield Finding("ACI-D683", path, message, "wait for `started` or `healthy`")
    for index, port in enumerate(service.ports):
        if port.publish != "none" and service.replicas > 1:
            message = f"{service.replicas} replicas cannot share one port of this machine"
            path = (*here, "ports", index)
            yield Finding("ACI-D684", path, message, "do not publish it, or use one replica")


def _limits(service: ServiceSpec, here: PathParts) -> Iterator[Finding]:
    if "pids" in service.resources.model_fields_set:
        message = "the Docker provider has no limit for the number of processes"
        hint = "remove it, so that `memory` alone bounds them, or use the target `compose`"
        yield Finding("ACI-D685", (*here, "resources", "pids"), message, hint)


def _texts(service: ServiceSpec, here: PathParts) -> Iterator[Finding]:
    texts: dict[PathParts, str] = {
        (*here, "env", name): value for name, value in service.env.items()
    }
    arguments = {"command": service.command or ()}
    if service.health is not None:
        arguments["health.cmd"] = service.health.cmd or ()
    for field, argv in arguments.items():
        path = (*here, *field.split("."))
        texts |= {(*path, index): text for index, text in enumerate(argv)}
        if field == "command" and "" in argv:
            message = "the Docker provider refuses an empty argument"
            yield Finding("ACI-D687", (*path, argv.index("")), message, "leave it out")
    for place, text in texts.items():
        if not unicodedata.is_normalized("NFC", text):
            message = "Terraform changes texts that are not in Unicode's normal form C"
            yield Finding("ACI-D686", place, message, "write it in that form")
