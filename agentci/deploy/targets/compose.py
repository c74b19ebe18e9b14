"""The target `compose`: one machine with Docker Compose, 1.29 or 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from agentci.core.json_types import JsonObject, JsonValue
from agentci.deploy.artifact import Artifact, Deployment
from agentci.deploy.ci_job import ci_job
from agentci.deploy.findings import Finding
from agentci.deploy.images import image_files
from agentci.deploy.targets.compose_examine import examine_compose
from agentci.deploy.targets.compose_networks import network_definitions
from agentci.deploy.targets.compose_service import TARGET, service_definition
from agentci.deploy.targets.compose_versions import refused
from agentci.deploy.targets.protocol import Examined, Target
from agentci.deploy.writers.yaml import comment_lines, yaml_text

COMPOSE_FILE: Final = "compose.yaml"
SECRETS_FOLDER: Final = ".secrets"
"""Where `deploy up` puts secrets from variables, for as long as the project is up."""
RUNNER: Final[JsonValue] = ["self-hosted", "linux", "docker"]


class ComposeTarget:
    """Writes a hardened compose project."""

    __slots__ = ()

    @property
    def version(self) -> int:
        """Of the templates."""
        return 1

    def check(self, deployment: Deployment) -> tuple[Finding, ...]:
        """Return what the declared version of Compose cannot do."""
        return tuple(refused(deployment))

    def render(self, deployment: Deployment) -> tuple[Artifact, ...]:
        """Return the project: the compose file, Dockerfiles, and the CI job."""
        ignored = f"{comment_lines(deployment.notice())}/{SECRETS_FOLDER}/\n"
        return (
            Artifact(COMPOSE_FILE, yaml_text(compose_file(deployment), notice=deployment.notice())),
            *image_files(deployment),
            *([Artifact(".gitignore", ignored.encode())] if _from_variables(deployment) else []),
            ci_job(deployment, TARGET, runner=RUNNER),
        )

    def examine(self, deployment: Deployment, files: Mapping[str, bytes]) -> tuple[Examined, ...]:
        """Hold the compose file against the common subset and the rubric."""
        return examine_compose(deployment, files)


COMPOSE: Final[Target] = ComposeTarget()


def compose_file(deployment: Deployment) -> JsonObject:
    """Return the content of the compose file, texts escaped for its interpolation."""
    spec = deployment.spec
    found: dict[str, JsonValue] = {
        "services": {name: service_definition(deployment, name) for name in spec.services},
        "networks": network_definitions(spec),
    }
    if spec.volumes:
        found["volumes"] = {name: {"driver": "local"} for name in spec.volumes}
    if spec.secrets:
        found["secrets"] = {name: {"file": _secret_file(deployment, name)} for name in spec.secrets}
    if spec.models:
        found["models"] = {
            name: {
                "model": model.artifact,
                **({"context_size": model.context_size} if model.context_size else {}),
            }
            for name, model in spec.models.items()
        }
    escaped = without_interpolation(found)
    assert isinstance(escaped, Mapping)
    return escaped


def without_interpolation(value: JsonValue) -> JsonValue:
    """Return `value` with texts in which Compose replaces nothing: `$` becomes `$$`."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {name: without_interpolation(item) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [without_interpolation(item) for item in value]
    return value


def _secret_file(deployment: Deployment, name: str) -> str:
    source = deployment.spec.secrets[name]
    if source.from_ == "env":
        return f"./{SECRETS_FOLDER}/{name}"
    path = deployment.from_target(TARGET, source.ref)
    return path if path.startswith((".", "/")) else f"./{path}"


def _from_variables(deployment: Deployment) -> bool:
    return any(source.from_ == "env" for source in deployment.spec.secrets.values())
