"""Manifests as they lie on the disk, read into objects by kind and name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from agentci.core.errors import SpecError
from agentci.deploy.artifact import Deployment
from agentci.deploy.ci_job import CI_FILE
from agentci.deploy.findings import Finding
from agentci.spec.yaml_document import PathParts, parse_document

KUSTOMIZATION: Final = "kustomization.yaml"
_AGAIN: Final = "agentci deploy render"
Content: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of a cluster."""

    path: str
    """Of its file, relative to the target's folder."""
    content: Content
    service: str | None
    """That it belongs to."""

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.content["kind"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.content["metadata"]["name"])

    @property
    def spec(self) -> Content:
        """Its `spec`."""
        found: Content = self.content["spec"]
        return found

    @property
    def template(self) -> Content | None:
        """The template of its pods, where it runs any."""
        match self.kind:
            case "Deployment" | "Job":
                found: Content = self.spec["template"]
            case "CronJob":
                found = self.spec["jobTemplate"]["spec"]["template"]
            case _:
                return None
        return found


@dataclass(frozen=True, slots=True)
class Cluster:
    """All objects that are valid each by itself."""

    deployment: Deployment
    manifests: tuple[Manifest, ...]
    kustomization: tuple[str, ...]
    """The files that it names."""

    def of_kind(self, *kinds: str) -> tuple[Manifest, ...]:
        """Return the objects of some kinds."""
        return tuple(each for each in self.manifests if each.kind in kinds)

    def names(self, kind: str) -> frozenset[str]:
        """Return the names of all objects of a kind."""
        return frozenset(each.name for each in self.of_kind(kind))

    @property
    def workloads(self) -> tuple[Manifest, ...]:
        """What runs pods."""
        return tuple(each for each in self.manifests if each.template is not None)


@dataclass(frozen=True, slots=True)
class ReadManifests:
    """What was read, and what could not be."""

    contents: Mapping[str, Content]
    findings: tuple[Finding, ...]


def read_manifests(files: Mapping[str, bytes]) -> ReadManifests:
    """Parse each file as one document."""
    contents: dict[str, Content] = {}
    findings: list[Finding] = []
    for path in sorted(files):
        try:
            value = parse_document(files[path], path).value
        except SpecError as error:
            findings.append(Finding("kubernetes-file", (), f"`{path}`: {error.message}", _AGAIN))
            continue
        if isinstance(value, Mapping):
            contents[path] = value
        else:
            findings.append(Finding("kubernetes-file", (), f"`{path}` holds no object", _AGAIN))
    if KUSTOMIZATION not in files:
        findings.append(Finding("kubernetes-file", (), f"`{KUSTOMIZATION}` is missing", _AGAIN))
    return ReadManifests(contents, tuple(findings))


def manifest_files(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the files that hold objects; the CI job is for others."""
    return {
        path: data
        for path, data in files.items()
        if path.endswith((".yaml", ".yml")) and path != CI_FILE
    }


def service_of(path: str, deployment: Deployment) -> str | None:
    """Return the service that a file belongs to, as its folder says."""
    parts = path.split("/")
    known = len(parts) == 3 and parts[0] == "services" and parts[1] in deployment.spec.services
    return parts[1] if known else None


def in_spec(path: str, deployment: Deployment) -> PathParts:
    """Return the place in the spec that a file comes from, as far as that is known."""
    service = service_of(path, deployment)
    if service is not None:
        return ("services", service)
    folder, _, name = path.removesuffix(".yaml").partition("/")
    known = folder == "volumes" and name in deployment.spec.volumes
    return ("volumes", name) if known else ()


def identity_of(content: Content) -> tuple[str, str]:
    """Return `apiVersion` and `kind`; empty where they are no texts."""
    api, kind = content.get("apiVersion"), content.get("kind")
    return (api if isinstance(api, str) else "", kind if isinstance(kind, str) else "")


def cluster_of(contents: Mapping[str, Content], deployment: Deployment) -> Cluster:
    """Return the objects of files that hold what their schemas say."""
    listed = contents.get(KUSTOMIZATION, {}).get("resources", ())
    named: Sequence[object] = listed if isinstance(listed, Sequence) else ()
    manifests = tuple(
        Manifest(path, content, service_of(path, deployment))
        for path, content in contents.items()
        if path != KUSTOMIZATION
    )
    return Cluster(deployment, manifests, tuple(str(each) for each in named))


def containers(manifest: Manifest) -> Iterator[Content]:
    """Yield the containers of what runs pods."""
    if manifest.template is not None:
        yield from manifest.template["spec"]["containers"]
