"""What each version of Compose can do of what a spec may ask, and of where secrets may be.

Source: https://docs.docker.com/reference/compose-file/models/ for `models`; everything else that
is rendered is in the subset that 1.29 reads, which an end-to-end test holds true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agentci.deploy.artifact import Deployment
from agentci.deploy.findings import Finding

OLDEST: Final = (1, 29)
MODELS: Final = (2, 38)


@dataclass(frozen=True, slots=True, order=True)
class ComposeVersion:
    """Major and minor number."""

    major: int
    minor: int

    def __str__(self) -> str:
        """Return `1.29`."""
        return f"{self.major}.{self.minor}"


def declared(requirement: str) -> ComposeVersion:
    """Return the version in `>=1.29`."""
    major, _, minor = requirement.removeprefix(">=").partition(".")
    return ComposeVersion(int(major), int(minor))


def refused(deployment: Deployment) -> Iterator[Finding]:
    """Yield what the declared version cannot do, and what no version can."""
    spec = deployment.spec
    target = spec.targets.compose
    if target is None:
        return
    version = declared(target.compose)
    here = ("targets", "compose", "compose")
    if version < ComposeVersion(*OLDEST):
        message = f"Compose {version} is older than the oldest that files are written for"
        yield Finding("ACI-D630", here, message, "write `>=1.29`, or remove the key")
    if spec.models and version < ComposeVersion(*MODELS):
        message = f"Compose {version} has no `models`"
        yield Finding("ACI-D630", ("models",), message, "declare `compose: '>=2.38'` in `targets`")
    yield from _without_a_way(deployment)


def _without_a_way(deployment: Deployment) -> Iterator[Finding]:
    """Yield what no version of Compose can do."""
    spec = deployment.spec
    for name, source in spec.secrets.items():
        if source.from_ not in {"env", "file"}:
            message = f"Compose knows no secrets from `{source.from_}`"
            path = ("secrets", name, "from")
            yield Finding("ACI-D631", path, message, "use `env` or `file`")
    if spec.rollout.strategy != "rolling":
        message = f"Compose has no `{spec.rollout.strategy}`"
        yield Finding("ACI-D632", ("rollout", "strategy"), message, "use `rolling`")
    if spec.workflow is not None:
        message = "Compose runs no workflow"
        yield Finding("ACI-D634", ("workflow",), message, "leave the target out, or the workflow")
    for name, service in spec.services.items():
        for index, port in enumerate(service.ports):
            if port.publish != "none" and service.replicas > 1:
                message = f"{service.replicas} replicas cannot share one port of this machine"
                place = ("services", name, "ports", index)
                yield Finding("ACI-D633", place, message, "do not publish it, or use one replica")
