"""Where steps stand in a definition, and the files that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from agentci.plan.bundle import blocks_of, python_target
from agentci.plan.findings import Path
from agentci.spec.pipeline import (
    AgentStep,
    ForeachStep,
    LoopStep,
    PipelineStep,
    PythonStep,
    StepBase,
)


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A step and its place."""

    step: StepBase
    path: Path


def block_path(step: StepBase, path: Path, *, branch: str) -> Path:
    """Return the place of a block of steps inside `step`, which itself stands at `path`."""
    if isinstance(step, LoopStep):
        return (*path, "loop", "steps")
    if isinstance(step, ForeachStep):
        return (*path, "foreach", "steps")
    return (*path, "parallel", "branches", branch)


def located_steps(steps: Sequence[StepBase], path: Path) -> Iterator[PlacedStep]:
    """Yield all `steps` and those inside them with their places."""
    for index, step in enumerate(steps):
        place = (*path, index)
        yield PlacedStep(step, place)
        for branch, block in blocks_of(step).items():
            yield from located_steps(block, block_path(step, place, branch=branch))


def named_files(step: StepBase) -> Mapping[Path, str]:
    """Return the files of the definition that a step names, by the field that does so."""
    if isinstance(step, AgentStep):
        best = step.select.best if step.select is not None else None
        scorer: dict[Path, str] = {}
        if best is not None:
            scorer[("select", "best")] = python_target(best).file
        return {("prompt",): step.prompt, **scorer}
    if isinstance(step, PythonStep):
        return {("python",): python_target(step.python).file}
    if isinstance(step, PipelineStep):
        return {("pipeline",): step.pipeline}
    return {}
