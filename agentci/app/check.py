"""Checks settings, pipelines and suites without running anything of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from agentci.app import wiring
from agentci.app.check_result import CheckedPipeline, CheckedSuite, CheckRequest, CheckResult
from agentci.app.check_stamp import Watch, remember
from agentci.app.definitions import checked_bundle
from agentci.app.project import open_project
from agentci.core.errors import NothingMatched, SpecError
from agentci.plan.bundle import all_steps

if TYPE_CHECKING:
    from agentci.app.project import Project
    from agentci.core.effects import Files


def execute(request: CheckRequest) -> CheckResult:
    """Check every pipeline that is asked for, with its suites; no problem hides another.

    Raises:
        SpecError: when the project's settings are invalid.
        NothingMatched: when there is no such pipeline, or none at all.
    """
    watch = Watch(wiring.files())
    files = cast("Files", watch)  # reading is all that a check does
    project = open_project(request.start, files)
    asked = _asked_for(request.pipelines, project) if request.pipelines else _everything(project)
    result = CheckResult(
        tuple(_check(folder, project) for folder in asked.pipelines),
        tuple(_check_suite(folder, project) for folder in asked.suites),
    )
    remember(request, result, root=project.root, watch=watch)
    return result


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
    )


@dataclass(frozen=True, slots=True)
class _Folders:
    pipelines: tuple[Path, ...]
    suites: tuple[Path, ...]


def _everything(project: Project) -> _Folders:
    suites = project.suite_folders()
    pipelines = project.pipeline_folders() if suites else project.find_pipelines(())
    return _Folders(pipelines, suites)


def _asked_for(names: tuple[str, ...], project: Project) -> _Folders:
    """Return the pipelines that are named, with all of their suites, and the suites that are."""
    pipelines: list[Path] = []
    suites: set[Path] = set()
    for name in names:
        try:
            folder = project.find_pipeline(name)
        except NothingMatched as error:
            suites.update(_named_suites(name, project, error))
        else:
            pipelines.append(folder)
            suites.update(_suites_of(folder, project))
    return _Folders(tuple(pipelines), tuple(sorted(suites)))


def _named_suites(name: str, project: Project, error: NothingMatched) -> tuple[Path, ...]:
    from agentci.app.suites import find_suites  # noqa: PLC0415 - as below

    try:
        return find_suites(project, (name,))
    except NothingMatched:
        raise error from None  # its names are the pipelines, which are asked for first


def _suites_of(pipeline: Path, project: Project) -> tuple[Path, ...]:
    home = pipeline.resolve()
    return tuple(
        suite
        for suite in project.suite_folders()
        if home in {suite.resolve(), suite.parent.parent.resolve()}
    )


def _check_suite(folder: Path, project: Project) -> CheckedSuite:
    # models of suites and scorers take time to build, and many projects have none
    from agentci.app.suites import checked_suite, load_suite, no_cases  # noqa: PLC0415

    name, shown = folder.resolve().name, folder.as_posix()
    try:
        suite = load_suite(folder, project.files, root=project.root)
        try:
            ready = checked_suite(suite, project.files, root=project.root)
        except NothingMatched as error:
            raise SpecError((no_cases(suite, error),)) from error
    except SpecError as error:
        return CheckedSuite(name, shown, cases=0, scorers=0, problems=error.problems)
    return CheckedSuite(
        suite.spec.name, shown, cases=len(ready.cases), scorers=len(suite.spec.scorers)
    )
