"""Rules for images: what runs is named by its content, and holds nothing that it should not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agentci.deploy.rules.rule import Broken, Rule
from agentci.spec.deploy import DeploySpec, ImageSpec
from agentci.spec.yaml_document import PathParts

_SENSITIVE: Final = (".env", ".git", ".ssh", ".aws", ".netrc", ".npmrc", ".pypirc", ".agentci")


def _digests(spec: DeploySpec) -> Iterator[Broken]:
    for path, image in _images(spec):
        if image.digest is None:
            message = f"`{image.ref}` has no digest"
            yield Broken(path, message, "add `digest: sha256:...`; `docker inspect` shows it")


def _latest(spec: DeploySpec) -> Iterator[Broken]:
    for path, image in _images(spec):
        if image.ref.rpartition("/")[2].endswith(":latest"):
            yield Broken((*path, "ref"), "the tag `latest` says nothing", "name the version")


def _files(spec: DeploySpec) -> Iterator[Broken]:
    for name, service in spec.services.items():
        for index, file in enumerate(service.build.files if service.build else ()):
            found = [part for part in file.from_.split("/") if part.startswith(_SENSITIVE)]
            if found:
                path = ("services", name, "build", "files", index, "from")
                yield Broken(path, f"`{found[0]}` would go into the image", "leave it out")


def _images(spec: DeploySpec) -> Iterator[tuple[PathParts, ImageSpec]]:
    for name, service in spec.services.items():
        if service.image is not None:
            yield ("services", name, "image"), service.image
        elif service.build is not None and isinstance(service.build.base, ImageSpec):
            yield ("services", name, "build", "base"), service.build.base


RULES: Final = (
    Rule(
        "image-digest",
        "a tag can be moved, so that something else runs than was evaluated",
        _digests,
    ),
    Rule("image-latest", "nobody can tell from it which version runs", _latest),
    Rule("image-files", "whoever can pull an image can read all files in it", _files),
)
