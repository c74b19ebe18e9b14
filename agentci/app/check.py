"""Checks settings and pipelines without running anything of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app import wiring
from agentci.app.definitions import checked_bundle
from agentci.app.project import open_project
from agentci.core.digest import Digest
from agentci.core.errors import Problem, SpecError
from agentci.plan.bundle import all_steps

if TYPE_CHECKING:
    from agentci.app.project import Project


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What to check."""

    start: Path
    pipelines: tuple[str, ...] = ()
    """Names or folders; empty: all of the project."""


@dataclass(frozen=True, slots=True)
class CheckedPipeline:
    """One pipeline and what was found."""

    name: str
    folder: str
    steps: int
    """Of the definition itself, those inside other steps included."""
    agents: int
    digest: Digest | None
    """Of the definition and all that it names; None where there are problems."""
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was checked, in the order of the folders' names."""

    pipelines: tuple[CheckedPipeline, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong, each place once: pipelines may share a sub-pipeline."""
        found = (problem for pipeline in self.pipelines for problem in pipeline.problems)
        return tuple(dict.fromkeys(found))


def execute(request: CheckRequest) -> CheckResult:
    """Check every pipeline that is asked for; problems of one do not hide those of another.

    Raises:
        SpecError: when the project's settings are invalid.
        NothingMatched: when there is no such pipeline, or none at all.
    """
    files = wiring.files()
    project = open_project(request.start, files)
    folders = project.find_pipelines(request.pipelines)
    return CheckResult(tuple(_check(folder, project) for folder in folders))


def _check(folder: Path, project: Project) -> CheckedPipeline:
    try:
        bundle = checked_bundle(folder, project.files, root=project.root)
    except SpecError as error:
        return CheckedPipeline(
            name=folder.resolve().name,
            folder=folder.as_posix(),
            steps=0,
            agents=0,
            digest=None,
            problems=error.problems,
        )
    return CheckedPipeline(
        name=bundle.spec.name,
        folder=folder.as_posix(),
        steps=sum(1 for _step in all_steps(bundle.spec.steps)),
        agents=len(bundle.spec.agents),
        digest=bundle.digest,
        problems=(),
    )
