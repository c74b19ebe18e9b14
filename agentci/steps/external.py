"""External effects: sent at most once, recorded, and never sent again by replay or resume."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from agentci.core.digest import digest_json, hex_of
from agentci.core.errors import Location, StepFailed
from agentci.record.interaction import Interaction
from agentci.record.keys import interaction_key

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject
    from agentci.steps.context import StepContext


class Halted(StepFailed):
    """An external effect may have happened, and only a person can find out."""

    default_code = "ACI-S150"


async def send_once(
    request: JsonObject,
    context: StepContext,
    send: Callable[[Mapping[str, str]], Awaitable[JsonObject]],
) -> JsonObject:
    """Return the recorded answer to `request`, or send it now and record the answer.

    `send` gets environment variables with the idempotency key to pass on.

    Raises:
        CassetteMiss: when nothing is recorded and this run may not go outside.
        Halted: when an earlier part of this run sent it and did not learn the result.
    """
    services = context.services
    session = services.session
    placed = session.as_recorded({**request, "tree": context.workspace.tree}, context.lane)
    address = session.reserve(context.lane, interaction_key(placed))
    recorded = session.lookup(address)
    if recorded is not None:
        return recorded.response
    if not session.can_record and not services.live:
        raise session.miss(address, placed, "command")
    _guard(context)
    answer = await send({"AGENTCI_IDEMPOTENCY_KEY": _idempotency_key(context)})
    if session.can_record:
        return session.append(Interaction(address, "command", placed, answer)).response
    return answer


def _idempotency_key(context: StepContext) -> str:
    """Return a key that is the same when a run is resumed, and another in every new run."""
    digest = digest_json({"run": context.services.run_id, "lane": context.lane})
    return hex_of(digest)[:32]


def _guard(context: StepContext) -> None:
    services = context.services
    if context.lane in services.dispatched:
        raise Halted(
            f"external step `{context.lane}` was sent before the run stopped, and its result is "
            "not known",
            location=Location(lane=context.lane),
            hint="look whether it took effect; then "
            f"`agentci resume {services.run_id} --resend {context.lane}`, or start a new run",
        )
    services.on_dispatch(context.lane)
