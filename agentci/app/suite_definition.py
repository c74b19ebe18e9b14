"""Finding suites and reading their definitions. Runs nothing and reads no dataset."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app.project import SUITE_FILE, SUITES_FOLDER
from agentci.core.digest import Digest, digest_json
from agentci.core.errors import (
    AgentciError,
    NothingMatched,
    Problem,
    SpecError,
    UsageError,
)
from agentci.plan.bundle import model_json
from agentci.spec.format_header import check_format
from agentci.spec.loader import PIPELINE_FILE
from agentci.spec.policy import PolicyFile, PolicySpec
from agentci.spec.suggestion import did_you_mean
from agentci.spec.suite import SuiteSpec
from agentci.spec.validation import validate
from agentci.spec.yaml_document import parse_document

if TYPE_CHECKING:
    from agentci.app.project import Project
    from agentci.core.effects import Files
    from agentci.spec.yaml_document import Positions

POLICY_FILE: Final = "policy.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSuite:
    """A suite's definition with the policy that holds for it."""

    spec: SuiteSpec
    path: str
    """The folder, relative to the project, with `/`: the suite's identity."""
    folder: Path
    """As the user would type it."""
    positions: Positions
    """Of `suite.yaml`."""
    policy: PolicySpec
    policy_path: str | None
    """The policy's file, relative to the project; None where it is inline, or the defaults."""
    policy_positions: Positions
    """Of the fields of `policy`, wherever it stands."""
    digest: Digest
    """Of what the definition and the policy mean, whatever the order of their keys."""

    @property
    def file(self) -> Path:
        """The definition's file."""
        return self.folder / SUITE_FILE


@dataclass(frozen=True, slots=True)
class _Policy:
    spec: PolicySpec
    path: str | None
    positions: Positions


def find_suites(project: Project, names: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the folders of the suites that a user typed, or of all suites; sorted, each once.

    A name is a path, of a suite or of a folder around some; `<pipeline>` for all of its suites;
    `<pipeline>/<suite>`; or what stands in the suite's `name`.

    Raises:
        NothingMatched: when there is no such suite, or none at all.
    """
    known = project.suite_folders()
    if not known and not names:
        raise NothingMatched(
            f"there is no suite below `{project.pipelines.as_posix()}`",
            code="ACI-N322",
            hint=f"write a `{SUITE_FILE}` into a pipeline's folder; docs/suites.md has a first one",
        )
    if not names:
        return known
    found: dict[Path, None] = {}
    for name in names:
        found.update(dict.fromkeys(_find(name, known, project)))
    return tuple(sorted(found))


def _find(name: str, known: tuple[Path, ...], project: Project) -> tuple[Path, ...]:
    for base in (project.start, project.pipelines):
        place = _absolute(base / name)
        if place.name == SUITE_FILE:
            found = tuple(folder for folder in known if _absolute(folder) == place.parent)
        else:
            found = tuple(folder for folder in known if _absolute(folder).is_relative_to(place))
        if found:
            return found
    labels = {_label(folder, project): folder for folder in known}
    if name in labels:
        return (labels[name],)
    named = _by_name(known, project.files)
    if name in named:
        return named[name]
    hint = did_you_mean(name, [*labels, *named]) or _listed(labels)
    raise NothingMatched(f"there is no suite `{name}`", code="ACI-N321", hint=hint)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - lexical: a link is no other suite


def _label(folder: Path, project: Project) -> str:
    """Return `<pipeline>` or `<pipeline>/<suite>`."""
    parts = folder.relative_to(project.pipelines).parts
    return "/".join(part for index, part in enumerate(parts) if index != 1)


def _by_name(folders: Iterable[Path], files: Files) -> Mapping[str, tuple[Path, ...]]:
    """Return the suites by what stands in `name`, those that cannot be read left out."""
    found: dict[str, tuple[Path, ...]] = {}
    for folder in folders:
        try:
            file = folder / SUITE_FILE
            value = parse_document(files.read(file), file.as_posix()).value
        except AgentciError:
            continue  # reported when it is asked for
        name = value.get("name") if isinstance(value, Mapping) else None
        if isinstance(name, str):
            found[name] = (*found.get(name, ()), folder)
    return found


def _listed(labels: Iterable[str]) -> str:
    shown = [f"`{label}`" for label in labels]
    more = f" and {len(shown) - 10} more" if len(shown) > 10 else ""
    return f"there are {', '.join(shown[:10])}{more}" if shown else f"there is no `{SUITE_FILE}`"


def load_suite(folder: Path, files: Files, *, root: Path) -> LoadedSuite:
    """Read the suite in `folder` and the policy that holds for it.

    Raises:
        SpecError: when one of them is invalid; carries every problem with its place.
        FormatError: when one is of another format, or of a version that this release cannot read.
        UsageError: when there is no such suite, or it is outside of the project.
        StorageError: when a file cannot be read.
    """
    file = folder / SUITE_FILE
    path = project_path(folder, root)
    if path is None or project_path(file, root) is None:
        message = f"the suite `{folder.as_posix()}` is outside of the project"
        raise UsageError(message, code="ACI-U451")
    if not files.exists(file):
        message = f"there is no suite at `{folder.as_posix()}`"
        raise UsageError(message, code="ACI-U450", hint=f"give a folder with a `{SUITE_FILE}`")
    document = parse_document(files.read(file), file.as_posix())
    check_format(document, "agentci/suite", 1)
    spec = validate(document, SuiteSpec)
    policy = _policy(spec, document.positions, folder=folder, files=files, root=root)
    return LoadedSuite(
        spec=spec,
        path=path,
        folder=folder,
        positions=document.positions,
        policy=policy.spec,
        policy_path=policy.path,
        policy_positions=policy.positions,
        digest=digest_json({"suite": model_json(spec), "policy": model_json(policy.spec)}),
    )


def _policy(
    spec: SuiteSpec, positions: Positions, *, folder: Path, files: Files, root: Path
) -> _Policy:
    inline = positions.inside(("policy",))
    if isinstance(spec.policy, PolicySpec):
        return _Policy(spec.policy, None, inline)
    if isinstance(spec.policy, str):
        file = Path(os.path.normpath(folder / spec.policy))
        if project_path(file, root) is None:
            _refuse("ACI-D541", f"the policy `{spec.policy}` is outside of the project", inline)
        if not files.exists(file):
            hint = f"looked for `{file.as_posix()}`"
            _refuse("ACI-D538", f"there is no policy `{spec.policy}`", inline, hint=hint)
        return _read_policy(file, files, root=root)
    for file in (folder / POLICY_FILE, root / POLICY_FILE):
        if files.exists(file):
            return _read_policy(file, files, root=root)
    return _Policy(PolicySpec(), None, inline)


def read_policy(file: Path, files: Files, *, root: Path) -> PolicySpec:
    """Read a policy from a file that somebody names instead of what the suites say.

    Raises:
        SpecError: when it is invalid.
        StorageError: when it cannot be read.
    """
    return _read_policy(file, files, root=root).spec


def _read_policy(file: Path, files: Files, *, root: Path) -> _Policy:
    path = project_path(file, root)
    if path is None:
        message = f"the policy `{file.as_posix()}` leads out of the project"
        raise UsageError(message, code="ACI-U453", hint="copy the file to where the link is")
    document = parse_document(files.read(file), file.as_posix())
    check_format(document, "agentci/policy", 1)
    policy = validate(document, PolicyFile)
    values = {name: getattr(policy, name) for name in PolicySpec.model_fields}
    spec = PolicySpec.model_construct(_fields_set=set(values), **values)
    return _Policy(spec, path, document.positions)


def _refuse(code: str, message: str, place: Positions, *, hint: str | None = None) -> None:
    raise SpecError((Problem(code, message, place.locate(()), hint),))


def pipeline_folder(suite: LoadedSuite, files: Files) -> Path | None:
    """Return the folder of the pipeline that a suite belongs to; None where there is none.

    One that the suite names is returned whether it is there or not.
    """
    named = suite.spec.target.pipeline
    if named is not None:
        return Path(os.path.normpath(suite.folder / named))
    around = [suite.folder]
    if suite.folder.parent.name == SUITES_FOLDER:
        around.append(suite.folder.parent.parent)
    return next((each for each in around if files.exists(each / PIPELINE_FILE)), None)


def project_path(path: Path, root: Path) -> str | None:
    """Return a path relative to the project, with `/`; None where it is, or leads, outside."""
    if not path.resolve().is_relative_to(root.resolve()):
        return None
    for place, around in ((_absolute(path), _absolute(root)), (path.resolve(), root.resolve())):
        if place.is_relative_to(around):
            return place.relative_to(around).as_posix()
    return None
