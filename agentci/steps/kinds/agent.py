"""The step kind `agent`: an agent works on a prompt, with its tools, in the workspace."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from agentci.core.errors import Location, StepFailed
from agentci.core.lane import child_lane, sample_lane
from agentci.core.seed import derive_seed
from agentci.steps.agent_work import AgentWork, Sample
from agentci.steps.commands import DEFAULT_TIMEOUT, StepCommand, run_command
from agentci.steps.results import StepResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentci.agents.sampling import Selection
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.spec.pipeline import AgentStep, SelectSpec
    from agentci.steps.context import StepContext

VERSION = 1


def inputs(step: AgentStep, context: StepContext) -> JsonObject:
    """Return what the step's prompt sees."""
    return {name: context.resolve(value) for name, value in step.with_.items()}


async def execute(step: AgentStep, context: StepContext) -> StepResult:
    """Let the agent work; with several samples, pick one, whose files the step then has."""
    work = AgentWork(step, context, inputs(step, context))
    lane = child_lane(context.lane, step.agent)
    if step.samples == 1:
        return (await work.run(lane, context.workspace)).result
    calls = [partial(_draw, work, context, index) for index in range(step.samples)]
    samples: list[Sample] = await context.blocks.gather(calls, limit=None)
    try:
        return await _select(step, context, samples)
    finally:
        for sample in samples:
            sample.workspace.close()


async def _draw(work: AgentWork, context: StepContext, index: int) -> Sample:
    lane = sample_lane(child_lane(context.lane, work.step.agent), index)
    return await work.run(lane, context.workspace.fork(lane))


async def _select(step: AgentStep, context: StepContext, samples: Sequence[Sample]) -> StepResult:
    """Pick among the samples that came to an answer."""
    usable = [sample for sample in samples if sample.result.outcome == "done"]
    if not usable:
        first = samples[0].result
        message = f"none of {len(samples)} samples came to an answer: {first.message}"
        return _total(samples, StepResult(first.outcome, None, message=message))
    assert step.select is not None
    selection = await _pick(step.select, context, usable)
    if selection is None:
        message = f"none of {len(usable)} samples passed `{step.select.first_passing}`"
        return _total(samples, StepResult("failed", None, message=message))
    chosen = usable[selection.index]
    context.workspace.reset(chosen.workspace.tree)
    notes: JsonObject = {
        **chosen.result.notes,
        "selected": {
            "sample": samples.index(chosen),
            "votes": selection.votes,
            "tied": selection.tied,
        },
    }
    return _total(samples, StepResult("done", chosen.result.output, notes=notes))


async def _pick(
    select: SelectSpec, context: StepContext, samples: Sequence[Sample]
) -> Selection | None:
    # most steps draw one sample and need none of this
    from agentci.agents import sampling  # noqa: PLC0415
    from agentci.steps.python_call import PythonCall, call_function  # noqa: PLC0415

    seed = derive_seed(context.services.seed, context.lane, "select")
    outputs: list[JsonValue] = [sample.result.output for sample in samples]
    if select.first_passing is not None:
        passed = [await _passes(select.first_passing, context, sample) for sample in samples]
        return sampling.select_first_passing(passed)
    if select.best is not None:
        call = PythonCall(select.best, {"outputs": outputs})
        reply = await call_function(call, context)
        scores = reply.value if isinstance(reply.value, list) else []
        if reply.error is not None or len(scores) != len(samples):
            raise _bad_scores(context, reply.error, len(samples))
        return sampling.select_best(scores, seed=seed)
    return sampling.select_majority(outputs, seed=seed)


async def _passes(argv: tuple[str, ...], context: StepContext, sample: Sample) -> bool:
    """Run a check in the files of one sample; what it changes there is dropped."""
    command = StepCommand(argv=tuple(context.text(word) for word in argv), timeout=DEFAULT_TIMEOUT)
    before = sample.workspace.tree
    result = await run_command(command, context.at(context.lane, workspace=sample.workspace))
    sample.workspace.snapshot()
    sample.workspace.reset(before)
    return result.exit_code == 0


def _bad_scores(context: StepContext, error: str | None, count: int) -> Exception:
    return StepFailed(
        error or f"the scorer must return a list of {count} numbers",
        code="ACI-S153",
        location=Location(lane=context.lane),
        hint="`select.best` gets `outputs` and returns one number for each",
    )


def _total(samples: Sequence[Sample], result: StepResult) -> StepResult:
    """Add up what all samples used, the ones that were not picked included."""
    usage = result.usage
    for sample in samples:
        usage += sample.result.usage
    return replace(result, usage=usage, cost=sum(sample.result.cost for sample in samples))
