"""Checks settings, pipelines and suites without running anything of them."""

from __future__ import annotations

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
    folders = project.find_pipelines(request.pipelines)
    suites = _suites_of(folders, project) if request.pipelines else project.suite_folders()
    result = CheckResult(
        tuple(_check(folder, project) for folder in folders),
        tuple(_check_suite(folder, project) for folder in suites),
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


def _suites_of(pipelines: tuple[Path, ...], project: Project) -> tuple[Path, ...]:
    asked = {folder.resolve() for folder in pipelines}
    return tuple(
        suite
        for suite in project.suite_folders()
        if not asked.isdisjoint({suite.resolve(), suite.parent.parent.resolve()})
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
