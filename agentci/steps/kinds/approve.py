"""The step kind `approve`: go on only when a person approved exactly this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.core.digest import Digest, digest_json
from agentci.record.keys import interaction_key
from agentci.steps.results import StepResult

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject
    from agentci.spec.pipeline import ApproveStep
    from agentci.steps.context import StepContext

VERSION = 1


async def execute(step: ApproveStep, context: StepContext) -> StepResult:
    """Use the decision that binds to this plan, these inputs and files; else wait for one.

    A decision is an answer from outside, so it is recorded: a replay goes on without a person, and
    an edit of anything that it binds to makes it unusable.
    """
    request = approval_request(step, context)
    session = context.services.session
    address = session.reserve(context.lane, interaction_key(request))
    recorded = session.lookup(address)
    binding = digest_json(request)
    decision = recorded.response if recorded else context.services.decisions.get(binding)
    if decision is None:
        if not session.can_record and not context.services.live:
            raise session.miss(address, request, "approval")
        return _waiting(binding, request)
    if decision["approved"]:
        return StepResult("done", {"approved": True, "by": decision["by"]})
    return StepResult(
        "denied",
        {"approved": False, "by": decision["by"]},
        message=f"denied by {decision['by']}",
    )


def approval_request(step: ApproveStep, context: StepContext) -> JsonObject:
    """Return everything that a decision binds to."""
    return {
        "approve": context.text(step.approve),
        "plan": context.services.plan_digest,
        "inputs": context.services.inputs_digest,
        "lane": context.lane,
        "tree": context.workspace.tree,
    }


def _waiting(binding: Digest, request: JsonObject) -> StepResult:
    return StepResult(
        "waiting",
        None,
        message=str(request["approve"]),
        notes={"binding": binding, "request": request},
    )
