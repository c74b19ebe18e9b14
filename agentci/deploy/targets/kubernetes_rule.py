"""What a rule for manifests is: an id, a reason, and a look at all objects at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from agentci.deploy.findings import Finding
from agentci.deploy.targets.kubernetes_objects import Cluster, Manifest, in_spec
from agentci.spec.yaml_document import PathParts


@dataclass(frozen=True, slots=True)
class Violation:
    """Where a rule is broken."""

    path: str
    """Of the file."""
    message: str
    field: PathParts = ()
    """In the spec's service that the file belongs to."""
    hint: str | None = None


FindViolations: TypeAlias = Callable[[Cluster], Iterator[Violation]]


@dataclass(frozen=True, slots=True)
class ManifestRule:
    """One thing that has to hold for all manifests together."""

    id: str
    reason: str
    """Why, in a sentence; shown with each finding."""
    find: FindViolations

    def findings(self, cluster: Cluster) -> Iterator[Finding]:
        """Yield a finding for each place where it is broken."""
        for each in self.find(cluster):
            place = in_spec(each.path, cluster.deployment)
            path = (*place, *each.field) if place[:1] == ("services",) else place
            message = f"`{each.path}`: {each.message}: {self.reason}"
            yield Finding(self.id, path, message, each.hint)


def loosened(cluster: Cluster, manifest: Manifest) -> frozenset[str]:
    """Return what the spec loosens for the service that `manifest` belongs to."""
    service = cluster.deployment.spec.services.get(manifest.service or "")
    return frozenset(each.what for each in service.loosen) if service is not None else frozenset()
