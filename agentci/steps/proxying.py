"""Model calls of a step's own program: through the run's proxy, in the lane of the step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from agentci.core.errors import Location, UsageError

if TYPE_CHECKING:
    from agentci.core.lane import Lane
    from agentci.record.surroundings import Surroundings
    from agentci.spec.pipeline import CommandStep, PythonStep
    from agentci.steps.context import StepContext

PROXY_URL = "AGENTCI_PROXY_URL"
"""The variable with the address of the step's lane."""


class ProxyPort(Protocol):
    """The run's proxy. It listens while somebody is attached."""

    def attached(
        self, lane: Lane, around: Surroundings, *, rules: tuple[str, ...] = ()
    ) -> AbstractAsyncContextManager[Mapping[str, str]]:
        """Give a program the lane; yields the variables that point its clients to it.

        Raises:
            CassetteMiss: at the end, when the program asked for something that is not recorded.
        """


@asynccontextmanager
async def proxied(
    step: CommandStep | PythonStep, context: StepContext, folder: str = "."
) -> AsyncIterator[Mapping[str, str]]:
    """Yield the variables for a step's program: none, unless the step declares `proxy`.

    Raises:
        UsageError: when the step cannot have a proxy.
        CassetteMiss: at the end, when the program asked for something that is not recorded.
    """
    proxy = context.services.proxy
    if not step.proxy:
        yield {}
        return
    sandbox = context.services.sandbox_override or getattr(step, "sandbox", None) or "process"
    if step.side_effects == "external":
        raise _cannot(context, "a step with `side_effects: external` is not run by a replay")
    if sandbox != "process" or proxy is None:
        raise _cannot(context, f"there is no way out of the sandbox `{sandbox}`")
    from agentci.record.surroundings import surroundings  # noqa: PLC0415 - few steps have a proxy

    root = context.workspace.folder()
    around = surroundings(root / folder, context.services.home, root=root)
    rules = tuple(getattr(step, "mask", ()))
    async with proxy.attached(context.lane, around, rules=rules) as variables:
        yield variables


def _cannot(context: StepContext, reason: str) -> UsageError:
    return UsageError(
        f"`proxy` does not work here: {reason}",
        code="ACI-U174",
        hint="take `proxy` out of the step, or change what is in its way",
        location=Location(lane=context.lane),
    )
