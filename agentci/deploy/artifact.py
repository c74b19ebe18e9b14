"""What rendering makes: files with their bytes, and the deployment that they are made from."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from agentci.core.digest import Digest, digest_bytes
from agentci.spec.deploy import DeploySpec
from agentci.spec.yaml_document import Positions


@dataclass(frozen=True, slots=True)
class Artifact:
    """One generated file."""

    path: str
    """Relative, with `/`: to the target's folder, or in a project to the folder of the lock."""
    content: bytes = field(repr=False)

    @property
    def digest(self) -> Digest:
        """Of the content."""
        return digest_bytes(self.content)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deploy spec, with what else decides over the bytes of its artifacts."""

    spec: DeploySpec
    digest: Digest
    """Of the spec's content: comments and layout do not count."""
    positions: Positions
    source: str
    """The spec's path, relative to the project."""
    file: str
    """The spec's path, relative to the folder of the lock."""
    out: str
    """Folder with the targets' folders, relative to the project."""
    images: Mapping[str, Digest] = field(default_factory=dict)
    """By service: what was built of those that are built here, where the lock knows it."""

    @property
    def folder(self) -> str:
        """The spec's folder, relative to the project; empty for the project itself."""
        return posixpath.dirname(self.source)

    def in_project(self, path: str) -> str | None:
        """Return `path`, relative to the spec's folder, as seen from the project; None outside."""
        found = posixpath.normpath(posixpath.join(self.folder, path))
        return None if found.startswith(("../", "/")) or found == ".." else found

    def from_target(self, target: str, path: str) -> str:
        """Return `path`, relative to the spec's folder, as seen from the target's folder."""
        return posixpath.relpath(
            posixpath.join("/", self.folder, path), posixpath.join("/", self.out, target)
        )

    def to_target(self, target: str, path: str, *, context: str) -> str:
        """Return `path` of the target's folder as seen from a build's `context`."""
        start = posixpath.join("/", self.folder, context)
        return posixpath.relpath(posixpath.join("/", self.out, target, path), start)

    def notice(self) -> tuple[str, ...]:
        """Return the comment on top of every file that can have one."""
        return (
            f"Made from {self.source} by `agentci deploy render`.",
            "Change that file and render again; `agentci deploy check` finds what is edited here.",
        )


@dataclass(frozen=True, slots=True)
class Generator:
    """What rendered a target."""

    version: int
    """Of the target's templates; raised with every change of what is rendered."""
    code: Digest
    """Of the modules that render it."""


@dataclass(frozen=True, slots=True)
class RenderedProject:
    """Everything that one spec becomes."""

    deployment: Deployment
    artifacts: tuple[Artifact, ...]
    """Of all targets, by path relative to the folder of the lock; sorted."""
    generators: Mapping[str, Generator]
    """By target."""
