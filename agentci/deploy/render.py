"""From a deployment to all files of all its targets: a pure function."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from agentci.deploy.artifact import Artifact, Deployment, Generator, RenderedProject
from agentci.deploy.checks import check_spec
from agentci.deploy.findings import Finding
from agentci.deploy.targets.registry import load_target


def check_deployment(deployment: Deployment) -> tuple[Finding, ...]:
    """Return what makes the spec meaningless, or what a target that it names cannot do."""
    found = [*check_spec(deployment.spec), *_outside(deployment)]
    for target in deployment.spec.targets.named():
        found += load_target(target).check(deployment)
    return tuple(found)


def _outside(deployment: Deployment) -> Iterator[Finding]:
    """Yield paths that lead out of the project: a spec may come from a stranger."""
    spec = deployment.spec
    for name, service in spec.services.items():
        if service.build is not None and deployment.in_project(service.build.context) is None:
            path = ("services", name, "build", "context")
            yield Finding("ACI-D617", path, "it is outside of the project")
    for name, source in spec.secrets.items():
        if source.from_ == "file" and deployment.in_project(source.ref) is None:
            yield Finding("ACI-D626", ("secrets", name, "ref"), "it is outside of the project")


def render_project(
    deployment: Deployment, *, generators: Mapping[str, Generator], prefix: str
) -> RenderedProject:
    """Return every file of a checked deployment.

    Args:
        deployment: without findings of `check_deployment`.
        generators: of each target, for the lock.
        prefix: the folder with the targets' folders, relative to the lock's.
    """
    artifacts = [
        Artifact(posixpath.join(prefix, target, artifact.path), artifact.content)
        for target in deployment.spec.targets.named()
        for artifact in load_target(target).render(deployment)
    ]
    paths = [artifact.path for artifact in artifacts]
    assert len(set(paths)) == len(paths), "two artifacts have one path"
    in_order = tuple(sorted(artifacts, key=lambda each: each.path))
    return RenderedProject(deployment, in_order, dict(generators))
