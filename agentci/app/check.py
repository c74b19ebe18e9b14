"""Checks settings and pipelines without running anything of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from agentci.app import wiring
from agentci.app.check_result import CheckedPipeline, CheckRequest, CheckResult
from agentci.app.check_stamp import Watch, remember
from agentci.app.definitions import checked_bundle
from agentci.app.project import open_project
from agentci.core.errors import SpecError
from agentci.plan.bundle import all_steps

if TYPE_CHECKING:
    from agentci.app.project import Project
    from agentci.core.effects import Files


def execute(request: CheckRequest) -> CheckResult:
    """Check every pipeline that is asked for; problems of one do not hide those of another.

    Raises:
        SpecError: when the project's settings are invalid.
        NothingMatched: when there is no such pipeline, or none at all.
    """
    watch = Watch(wiring.files())
    files = cast("Files", watch)  # reading is all that a check does
    project = open_project(request.start, files)
    folders = project.find_pipelines(request.pipelines)
    result = CheckResult(tuple(_check(folder, project) for folder in folders))
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
