"""The deploy specs of a project: finding, reading and checking them, and where files go."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import agentci
from agentci.app.project import open_project
from agentci.core.digest import Digest, digest_bytes, digest_json
from agentci.core.errors import (
    Location,
    NothingMatched,
    Problem,
    SafetyRefusal,
    SpecError,
    UsageError,
)
from agentci.deploy.artifact import Deployment, Generator, RenderedProject
from agentci.deploy.findings import as_problem, in_reading_order
from agentci.deploy.literal_secrets import refuse_literal_secrets
from agentci.deploy.lock import LOCK_FILE, DeployLock, LockEntry, dump_deploy_lock, read_deploy_lock
from agentci.deploy.render import check_deployment, render_project
from agentci.deploy.targets.registry import load_target, renders
from agentci.spec.deploy import DEPLOY_FORMAT, DEPLOY_VERSION, DeploySpec
from agentci.spec.format_header import check_format
from agentci.spec.suggestion import did_you_mean
from agentci.spec.validation import validate
from agentci.spec.yaml_document import parse_document

if TYPE_CHECKING:
    from agentci.app.project import Project
    from agentci.core.effects import Files

DEPLOY_FOLDER: Final = "deploy"
_HEADER: Final = re.compile(
    rb"^format:[ \t]*[\"']?agentci/deploy[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE
)
_ALSO: Final = (
    *("spec/deploy.py", "spec/deploy_kubernetes.py", "spec/deploy_targets.py"),
    *("spec/deploy_terraform_docker.py", "record/yaml_text.py"),
)
"""Modules outside of `agentci/deploy` that decide over rendered bytes."""


@dataclass(frozen=True, slots=True)
class DeployFile:
    """One deploy spec, and where what it becomes goes."""

    project: Project
    path: Path
    """Of the spec, as the user would type it."""
    home: Path
    """Folder of the lock."""

    @property
    def lock_path(self) -> Path:
        """The lock file."""
        return self.home / LOCK_FILE

    @property
    def source(self) -> str:
        """Path of the spec, relative to the project."""
        return _relative(self.path, self.project.root)

    @property
    def key(self) -> str:
        """Path of the spec, relative to the lock's folder."""
        return _relative(self.path, self.home)

    def place(self, artifact: str) -> Path:
        """Return where an artifact is, by its path relative to the lock's folder.

        Raises:
            SafetyRefusal: when a link on the way leads out of that folder.
        """
        path = self.home / artifact
        if not path.resolve().is_relative_to(self.home.resolve()):
            raise SafetyRefusal(
                f"`{path.as_posix()}` leads out of `{self.home.as_posix()}`",
                code="ACI-P603",
                hint="remove the symbolic link",
                location=Location(path.as_posix()),
            )
        return path


def find_specs(
    start: Path, name: str | None, *, out: Path | None, files: Files
) -> tuple[DeployFile, ...]:
    """Return the spec that is named, or all in the project's folder `deploy`, sorted.

    Raises:
        NothingMatched: when there is no such spec, or none at all.
    """
    project = open_project(start, files)
    if out is not None and not out.resolve().is_relative_to(project.root.resolve()):
        raise UsageError(
            f"`{out.as_posix()}` is outside of the project, and files name others in it",
            code="ACI-U604",
            hint="`agentci deploy diff` shows what would be written",
        )
    folder = project.root / DEPLOY_FOLDER
    if name is not None:
        for candidate in (start / name, folder / name, folder / f"{name}.yaml"):
            if candidate.suffix in {".yaml", ".yml"} and files.exists(candidate):
                return (DeployFile(project, candidate, out or candidate.parent),)
    found = [
        path
        for path in files.list(folder)
        if path.parent == folder
        and path.suffix in {".yaml", ".yml"}
        and _HEADER.search(files.read(path))
    ]
    if name is not None:
        names = [path.name for path in found]
        hint = did_you_mean(Path(name).name, names) or "`agentci deploy check` lists all"
        raise NothingMatched(f"there is no deploy spec `{name}`", code="ACI-N601", hint=hint)
    if not found:
        message = f"there is no deploy spec in `{folder.as_posix()}`"
        hint = f"a spec is a YAML file with the line `format: {DEPLOY_FORMAT}`"
        raise NothingMatched(message, code="ACI-N602", hint=hint)
    return tuple(DeployFile(project, path, out or path.parent) for path in found)


def read_deployment(
    file: DeployFile, files: Files, *, images: Mapping[str, Digest] | None = None
) -> Deployment:
    """Read and check a spec; `images` are those that were built of it.

    Raises:
        SpecError: with everything that is wrong, by spec path, file and line.
        FormatError: when it is of another format or version.
        SafetyRefusal: when it holds a secret.
    """
    document = parse_document(files.read(file.path), file.path.as_posix())
    check_format(document, DEPLOY_FORMAT, DEPLOY_VERSION)
    refuse_literal_secrets(document)
    spec = validate(document, DeploySpec)
    built = {name: each for name, each in (images or {}).items() if _is_built(spec, name)}
    deployment = Deployment(
        spec=spec,
        digest=digest_json(document.value),
        positions=document.positions,
        source=file.source,
        file=file.key,
        out=posixpath.join(_relative(file.home, file.project.root), spec.name),
        images=built,
    )
    findings = in_reading_order(check_deployment(deployment), document.positions)
    if findings:
        raise SpecError(tuple(as_problem(each, document.positions) for each in findings))
    return deployment


def _is_built(spec: DeploySpec, name: str) -> bool:
    return name in spec.services and spec.services[name].build is not None


def render_deployment(deployment: Deployment, files: Files) -> RenderedProject:
    """Return every file of a deployment, in memory."""
    generators = {
        target: Generator(load_target(target).version, _code_digest(target, files))
        for target in deployment.spec.targets.named()
    }
    return render_project(deployment, generators=generators, prefix=deployment.spec.name)


def load_deploy_lock(file: DeployFile, files: Files) -> DeployLock | None:
    """Return the lock, or None where there is none.

    Raises:
        FormatError: when it is no lock file.
    """
    path = file.lock_path
    return read_deploy_lock(files.read(path), path.as_posix()) if files.exists(path) else None


def write_entry(file: DeployFile, entry: LockEntry, files: Files) -> None:
    """Put an entry into the lock file; the others stay."""
    lock = load_deploy_lock(file, files) or DeployLock()
    refuse_edited(lock, file)
    data = dump_deploy_lock(lock.with_entry(file.key, entry))
    if not files.exists(file.lock_path) or files.read(file.lock_path) != data:
        files.write_atomic(file.lock_path, data)


def refuse_edited(lock: DeployLock, file: DeployFile) -> None:
    """Refuse to seal anew what somebody else's entry was edited to.

    Raises:
        SafetyRefusal: when an entry of another spec does not fit its seal.
    """
    others = sorted(lock.edited - {file.key})
    if others:
        raise SafetyRefusal(
            f"the entry `{others[0]}` of the lock does not fit its seal: it was edited by hand",
            code="ACI-P604",
            hint=f"render it again too, or `git checkout -- {file.lock_path.as_posix()}`",
            location=Location(file.lock_path.as_posix()),
        )


def same_names(deployments: Mapping[str, str]) -> None:
    """Refuse two specs that would be rendered into one folder; names by the spec's file.

    Raises:
        SpecError: when two have one name.
    """
    seen: dict[str, str] = {}
    for path, name in deployments.items():
        if name in seen:
            message = f"`{seen[name]}` has the name `{name}` as well"
            raise SpecError((Problem("ACI-D627", message, Location(path), "rename one of them"),))
        seen[name] = path


def _code_digest(target: str, files: Files) -> Digest:
    """Return a digest of the modules that render a target."""
    package = Path(agentci.__file__).parent
    home = package / "deploy"
    paths = [path for path in files.list(home) if path.suffix == ".py"]
    own = [path for path in paths if renders(path.relative_to(home).as_posix(), target)]
    every = [*own, *(package / name for name in _ALSO)]
    return digest_json(
        {path.relative_to(package).as_posix(): digest_bytes(files.read(path)) for path in every}
    )


def _relative(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()
