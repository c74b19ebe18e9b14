"""Compare rendered files, specs and lock: what drifted, and what would rendering change."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.deploy_project import (
    find_specs,
    load_deploy_lock,
    read_deployment,
    render_deployment,
    same_names,
)
from agentci.deploy.drift import Drift, DriftKind, find_drift
from agentci.deploy.lock import LOCK_FILE

if TYPE_CHECKING:
    from agentci.app.deploy_project import DeployFile
    from agentci.core.effects import Files
    from agentci.deploy.artifact import RenderedProject
    from agentci.deploy.lock import DeployLock


@dataclass(frozen=True, slots=True)
class CheckedSpec:
    """What was found for one spec."""

    spec: str
    """As the user would type it."""
    name: str
    files: int
    drifts: tuple[Drift, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class FileDifference:
    """What rendering would change in one file."""

    file: str
    patch: str
    """Unified, from what is there to what would be rendered."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A spec rendered in memory, beside what is on the disk."""

    file: DeployFile
    project: RenderedProject
    lock: DeployLock | None
    on_disk: Mapping[str, bytes | None]


def check(start: Path, spec: str | None, *, out: Path | None = None) -> tuple[CheckedSpec, ...]:
    """Say for each spec whether its files are what it says, and if not, what happened.

    Raises:
        SpecError: when a spec is invalid.
        FormatError: when the lock is no lock file.
        NothingMatched: when there is no such spec.
    """
    files = wiring.files()
    found = [compare(file, files) for file in find_specs(start, spec, out=out, files=files)]
    same_names({each.file.path.as_posix(): each.project.deployment.spec.name for each in found})
    results = [_checked(each) for each in found]
    return (*results, *_orphans(found, files)) if spec is None else tuple(results)


def compare(file: DeployFile, files: Files) -> Compared:
    """Render a spec in memory, and read what the lock and the spec name."""
    lock = load_deploy_lock(file, files)
    entry = None if lock is None else lock.specs.get(file.key)
    images = None if entry is None else entry.images
    project = render_deployment(read_deployment(file, files, images=images), files)
    named = {artifact.path for artifact in project.artifacts}
    paths = sorted(named | set(entry.files if entry is not None else ()))
    on_disk = {path: _read(file.place(path), files) for path in paths}
    return Compared(file, project, lock, on_disk)


def differences(
    start: Path, spec: str | None, *, out: Path | None = None
) -> tuple[FileDifference, ...]:
    """Return what rendering would change, file by file. Raises as `check` does."""
    files = wiring.files()
    found: list[FileDifference] = []
    for file in find_specs(start, spec, out=out, files=files):
        compared = compare(file, files)
        rendered = {each.path: each.content for each in compared.project.artifacts}
        for path, present in compared.on_disk.items():
            wanted = rendered.get(path)
            if present != wanted:
                shown = file.place(path).as_posix()
                found.append(FileDifference(shown, _patch(shown, present, wanted)))
    return tuple(found)


def _checked(compared: Compared) -> CheckedSpec:
    result = find_drift(compared.project, on_disk=compared.on_disk, lock=compared.lock)
    return CheckedSpec(
        spec=compared.file.path.as_posix(),
        name=compared.project.deployment.spec.name,
        files=len(compared.project.artifacts),
        drifts=result.drifts,
        note=result.note,
    )


def _orphans(found: list[Compared], files: Files) -> tuple[CheckedSpec, ...]:
    """Return the entries of locks whose spec is gone, so that their files are nobody's."""
    missing: dict[str, CheckedSpec] = {}
    for compared in found:
        for key, entry in (compared.lock.specs if compared.lock is not None else {}).items():
            path = compared.file.home / key
            if not files.exists(path):
                message = f"`{key}` was removed, and what was rendered of it was not"
                hint = f"remove its files, and its entry in `{LOCK_FILE}`"
                drift = Drift(DriftKind.SPEC_CHANGED, key, message, hint)
                name = path.as_posix()
                missing[name] = CheckedSpec(name, "", len(entry.files), (drift,))
    return tuple(missing.values())


def _read(path: Path, files: Files) -> bytes | None:
    return files.read(path) if files.exists(path) else None


def _patch(name: str, present: bytes | None, wanted: bytes | None) -> str:
    one, other = (_lines(data) for data in (present, wanted))
    labels = ("/dev/null" if data is None else name for data in (present, wanted))
    before, after = labels
    return "".join(difflib.unified_diff(one, other, before, after))


def _lines(data: bytes | None) -> list[str]:
    text = (data or b"").decode("utf-8", "backslashreplace")
    lines = text.split("\n")
    return [*(f"{line}\n" for line in lines[:-1]), *([f"{lines[-1]}\n"] if lines[-1] else [])]
