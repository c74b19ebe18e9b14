"""What the target of a suite did in one trial: the result of an ordinary run, and its JSON form.

Knows nothing of scorers. Keeps everything that they may ask for, so that a changed scorer asks the
target nothing.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentci.core.digest import Digest
from agentci.core.effects import TreeChange
from agentci.evals.case import ToolUse

if TYPE_CHECKING:
    from agentci.app.eval_transcript import TakingDown
    from agentci.core.effects import Repository
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.engine.executor import RunResult


@dataclass(frozen=True, slots=True)
class Execution:
    """How a target's run ended, and what it left."""

    outcome: str
    """As `Subject.outcome`."""
    output: JsonValue
    """Of the run; where it failed, of the step that failed."""
    change: TreeChange
    """Of the files, from before to after."""
    message: str = ""
    trajectory: tuple[ToolUse, ...] = ()
    messages: tuple[JsonObject, ...] = ()
    changed_paths: tuple[str, ...] = ()
    patch: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    run_digest: Digest | None = None


def execution_of(
    result: RunResult,
    talk: TakingDown,
    repository: Repository,
    *,
    metrics: Mapping[str, float],
) -> Execution:
    """Return what a finished run comes to; `metrics` are what its model calls took."""
    # whoever only reads what is known needs nothing of what a transcript is taken down from
    from agentci.app.eval_transcript import conversation_json, tool_uses  # noqa: PLC0415

    records = tuple(result.walk())
    conversations = talk.conversations(records)
    stopped = result.stopped
    before = repository.base_tree
    patch = b""
    if before != result.tree:
        with_end = repository.workspace("end", result.tree)
        try:
            patch = with_end.change_since(before).patch
        finally:
            with_end.close()
    return Execution(
        outcome=_outcome(result),
        output=result.output if stopped is None else stopped.output,
        change=TreeChange(before, result.tree, patch),
        message="" if stopped is None else f"{stopped.lane}: {stopped.message or stopped.outcome}",
        trajectory=tuple(tool_uses(conversations)),
        messages=tuple(conversation_json(each) for each in conversations),
        changed_paths=repository.changed_paths(before, result.tree),
        patch=repository.diff(before, result.tree),
        metrics=metrics,
        run_digest=result.run_digest,
    )


def failed_execution(message: str, repository: Repository) -> Execution:
    """Return what a run comes to that reached a limit of its own pipeline."""
    tree = repository.base_tree
    return Execution("failed", None, TreeChange(tree, tree, b""), message=message)


def _outcome(result: RunResult) -> str:
    stopped = result.stopped
    if stopped is not None and stopped.outcome == "timed_out":
        return "timed_out"
    return result.verdict


def execution_json(execution: Execution) -> JsonObject:
    """Return an execution as JSON."""
    change = execution.change
    return {
        "outcome": execution.outcome,
        "output": execution.output,
        "message": execution.message,
        "change": [change.before, change.after, b64encode(change.patch).decode()],
        "trajectory": [
            [use.name, use.arguments, use.lane, use.is_error] for use in execution.trajectory
        ],
        "messages": list(execution.messages),
        "changed_paths": list(execution.changed_paths),
        "patch": execution.patch,
        "metrics": dict(execution.metrics),
        "run_digest": execution.run_digest,
    }


def read_execution(data: Mapping[str, Any]) -> Execution:
    """Return the execution that `execution_json` wrote."""
    before, after, patch = data["change"]
    return Execution(
        outcome=data["outcome"],
        output=data["output"],
        change=TreeChange(before, after, b64decode(patch)),
        message=data["message"],
        trajectory=tuple(
            ToolUse(name, arguments, lane, is_error=is_error)
            for name, arguments, lane, is_error in data["trajectory"]
        ),
        messages=tuple(data["messages"]),
        changed_paths=tuple(data["changed_paths"]),
        patch=data["patch"],
        metrics=data["metrics"],
        run_digest=data["run_digest"],
    )
