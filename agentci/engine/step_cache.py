"""Results of steps in the action cache: stored with their effect on files, served without running.

The key of a step that asks a model also covers what is recorded in its lanes, so that an edited or
refreshed cassette is never hidden by an old result.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from agentci.core.digest import Digest, digest_json
from agentci.core.effects import TreeChange
from agentci.core.lane import Lane, attempt_lane, child_lane, sample_lane
from agentci.core.messages import Usage
from agentci.engine.evidence import count_as_played
from agentci.record.action_cache import ActionResult
from agentci.record.session import is_below
from agentci.spec.pipeline import AgentStep
from agentci.steps.results import StepRecord

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject
    from agentci.plan.keys import StepKey
    from agentci.record.action_cache import ActionCache
    from agentci.spec.pipeline import StepBase
    from agentci.steps.context import StepContext
    from agentci.steps.results import Outcome


@dataclass(frozen=True, slots=True)
class StepCache:
    """The part of the action cache that one run may use."""

    actions: ActionCache | None
    """None where it is not enabled and was not opened."""
    enabled: bool

    def load(self, step: StepBase, context: StepContext, key: StepKey | None) -> StepRecord | None:
        """Return the record of an equal step and bring its files into the workspace, or None."""
        if key is None or not self._usable(step):
            return None
        assert self.actions is not None
        found = self.actions.get(_action_key(step, context, key))
        if found is None:
            return None
        content = found.value
        if found.blobs:
            before, after = str(content["before"]), str(content["after"])
            patch = self.actions.objects.get(found.blobs[0])
            context.workspace.apply(TreeChange(before, after, patch))
        interactions = tuple(cast("Iterable[JsonObject]", content["interactions"]))
        count_as_played(context.services.session, interactions)
        return StepRecord(
            lane=context.lane,
            step=step.id,
            kind=str(content["kind"]),
            outcome=cast("Outcome", content["outcome"]),
            output=content["output"],
            tree=context.workspace.tree,
            interactions=interactions,
            source="cached",
            usage=Usage(*cast("list[int]", content["usage"])),
            cost=cast("float", content["cost"]),
            notes=cast("JsonObject", content["notes"]),
        )

    def save(
        self,
        step: StepBase,
        context: StepContext,
        key: StepKey | None,
        *,
        record: StepRecord,
        before: str,
    ) -> None:
        """Keep the result of a step that is done and has no effect outside."""
        if key is None or not self._usable(step) or record.outcome != "done":
            return
        assert self.actions is not None
        blobs: tuple[Digest, ...] = ()
        if record.tree != before:
            patch = context.workspace.change_since(before).patch
            blobs = (self.actions.objects.put(patch),)
        usage = record.usage
        content: JsonObject = {
            "kind": record.kind,
            "outcome": record.outcome,
            "output": record.output,
            "interactions": list(record.interactions),
            "before": before,
            "after": record.tree,
            "usage": [usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.calls],
            "cost": record.cost,
            "notes": record.notes,
        }
        self.actions.put(_action_key(step, context, key), ActionResult(content, blobs))

    def _usable(self, step: StepBase) -> bool:
        return self.enabled and step.cache and getattr(step, "side_effects", "") != "external"


def _action_key(step: StepBase, context: StepContext, key: StepKey) -> Digest:
    session = context.services.session
    recorded: JsonObject = {lane: session.lane_digest(lane) for lane in _model_lanes(step, context)}
    return digest_json({"step": key.digest, "recorded": recorded})


def _model_lanes(step: StepBase, context: StepContext) -> list[Lane]:
    """Return the lanes in which a step may have recorded answers."""
    lane = context.lane
    if getattr(step, "proxy", False):
        recorded = context.services.session.recorded_lanes()
        return [each for each in recorded if is_below(each, lane)]
    if not isinstance(step, AgentStep):
        return []
    attempts = step.retry.attempts if step.retry is not None else 1
    lanes: list[Lane] = []
    for attempt in range(1, attempts + 1):
        own = child_lane(attempt_lane(lane, attempt), step.agent)
        lanes.append(own)
        lanes.extend(sample_lane(own, index) for index in range(step.samples))
    return lanes
