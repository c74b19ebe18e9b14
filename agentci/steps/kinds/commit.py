"""The step kind `commit`: a commit whose id is the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.core.effects import CommitRequest
from agentci.steps.commits import parents_after
from agentci.steps.results import StepResult

if TYPE_CHECKING:
    from agentci.spec.pipeline import CommitStep
    from agentci.steps.context import StepContext

VERSION = 1


async def execute(step: CommitStep, context: StepContext) -> StepResult:
    """Commit the workspace's tree on top of what the run has committed so far."""
    repository = context.services.repository
    message = context.text(step.commit.message).strip() + "\n"
    tree = context.workspace.tree
    commit = repository.commit(
        CommitRequest(
            tree=tree,
            parents=parents_after(context.commits, repository.base_commit),
            message=message,
            author=step.commit.author,
            date=repository.base_date,
        )
    )
    return StepResult("done", {"commit": commit, "message": message, "tree": tree})
