"""Render deploy specs: write what is new, remove what no longer is, and say so in the lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.deploy_project import (
    find_specs,
    load_deploy_lock,
    read_deployment,
    render_deployment,
    same_names,
    write_entry,
)
from agentci.core.digest import Digest, digest_bytes, parse_digest
from agentci.core.errors import UsageError
from agentci.deploy.lock import entry_of
from agentci.spec.suggestion import did_you_mean

if TYPE_CHECKING:
    from agentci.app.deploy_project import DeployFile
    from agentci.core.effects import Files
    from agentci.deploy.artifact import Deployment, RenderedProject
    from agentci.deploy.lock import LockEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderRequest:
    """What to render."""

    start: Path
    spec: str | None = None
    """None for every spec of the project."""
    out: Path | None = None
    """Folder for files and lock instead of the spec's own."""
    images: Mapping[str, str] = field(default_factory=dict)
    """By service: digests of images that were built of it; an empty text forgets one."""


@dataclass(frozen=True, slots=True)
class RenderedSpec:
    """What rendering one spec did to the disk."""

    spec: str
    """As the user would type it."""
    name: str
    targets: tuple[str, ...]
    lock: str
    written: tuple[str, ...]
    """Files whose bytes are new."""
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    overwritten: tuple[str, ...]
    """Those of `written` that had been edited by hand."""
    evidence_dropped: bool
    """Whether a verdict was forgotten, because it was about another spec."""


def render(request: RenderRequest) -> tuple[RenderedSpec, ...]:
    """Render; nothing is written before every spec has been read and checked.

    Raises:
        SpecError: when a spec is invalid.
        SafetyRefusal: when a spec holds a secret, or a link leads elsewhere.
        NothingMatched: when there is no such spec.
    """
    files = wiring.files()
    found = find_specs(request.start, request.spec, out=request.out, files=files)
    if request.images and len(found) != 1:
        raise UsageError(
            "images belong to one spec",
            code="ACI-U601",
            hint="name it: `agentci deploy render SPEC`",
        )
    ready = [(file, *_prepared(file, files, request.images)) for file in found]
    same_names({file.path.as_posix(): project.deployment.spec.name for file, project, _ in ready})
    return tuple(_write(file, project, old, files) for file, project, old in ready)


def _prepared(
    file: DeployFile, files: Files, images: Mapping[str, str]
) -> tuple[RenderedProject, LockEntry | None]:
    lock = load_deploy_lock(file, files)
    old = None if lock is None else lock.specs.get(file.key)
    known = {} if old is None or (lock is not None and file.key in lock.edited) else old.images
    deployment = read_deployment(file, files, images={**known, **_digests(images)})
    _refuse_unknown(images, deployment)
    kept = {name: each for name, each in deployment.images.items() if images.get(name) != ""}
    if kept != deployment.images:
        deployment = read_deployment(file, files, images=kept)
    return render_deployment(deployment, files), old


def _digests(images: Mapping[str, str]) -> Mapping[str, Digest]:
    try:
        return {name: parse_digest(text) for name, text in images.items() if text}
    except ValueError as error:
        raise UsageError(
            f"an image has to be `SERVICE=sha256:...`: {error}",
            code="ACI-U602",
            hint="`docker image inspect --format '{{.Id}}' IMAGE` prints the digest",
        ) from None


def _refuse_unknown(images: Mapping[str, str], deployment: Deployment) -> None:
    built = [name for name, each in deployment.spec.services.items() if each.build is not None]
    for name in images:
        if name not in built:
            hint = did_you_mean(name, built) or "only services with `build` take one"
            message = f"no service `{name}` is built here"
            raise UsageError(message, code="ACI-U603", hint=hint)


def _write(
    file: DeployFile, project: RenderedProject, old: LockEntry | None, files: Files
) -> RenderedSpec:
    written: list[str] = []
    unchanged: list[str] = []
    overwritten: list[str] = []
    before = {} if old is None else old.files
    for artifact in project.artifacts:
        path = file.place(artifact.path)
        present = files.read(path) if files.exists(path) else None
        if present == artifact.content:
            unchanged.append(path.as_posix())
            continue
        if present is not None and digest_bytes(present) != before.get(artifact.path):
            overwritten.append(path.as_posix())
        files.write_atomic(path, artifact.content)
        written.append(path.as_posix())
    removed = _remove_old(file, project, before, files)
    same = old is not None and old.spec == project.deployment.digest
    evidence = old.evidence if old is not None and same else None
    write_entry(file, entry_of(project, evidence=evidence), files)
    return RenderedSpec(
        spec=file.path.as_posix(),
        name=project.deployment.spec.name,
        targets=project.deployment.spec.targets.named(),
        lock=file.lock_path.as_posix(),
        written=tuple(written),
        unchanged=tuple(unchanged),
        removed=removed,
        overwritten=tuple(overwritten),
        evidence_dropped=old is not None and old.evidence is not None and not same,
    )


def _remove_old(
    file: DeployFile, project: RenderedProject, before: Mapping[str, Digest], files: Files
) -> tuple[str, ...]:
    """Remove what was rendered before and no longer is; a file edited by hand stays."""
    now = {artifact.path for artifact in project.artifacts}
    removed: list[str] = []
    for name, digest in sorted(before.items()):
        path = file.place(name)
        if name not in now and files.exists(path) and digest_bytes(files.read(path)) == digest:
            files.remove(path)
            removed.append(path.as_posix())
    return tuple(removed)
