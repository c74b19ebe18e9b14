"""What a suite's target must not do, because an evaluation repeats it: reach out, or wait.

A trial is carried out for every case, every repeat and every change, on any machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentci.core.errors import Problem
from agentci.plan.places import located_steps
from agentci.spec.pipeline import ApproveStep

if TYPE_CHECKING:
    from agentci.plan.bundle import Bundle


def check_effects(bundle: Bundle) -> Iterator[Problem]:
    """Yield the steps of a target, and of pipelines inside it, that cannot be evaluated."""
    for placed in located_steps(bundle.spec.steps, ("steps",)):
        step, path = placed.step, placed.path
        locate = bundle.positions.locate
        if getattr(step, "side_effects", "pure") == "external":
            yield Problem(
                "ACI-D515",
                f"step `{step.id}` has effects elsewhere, and an evaluation repeats its target: "
                "they would be sent again for every trial",
                locate((*path, "side_effects")),
                "evaluate a part of the pipeline without it (`target: {agent: ...}`), or a "
                "pipeline that ends before it",
            )
        elif isinstance(step, ApproveStep):
            yield Problem(
                "ACI-D516",
                f"step `{step.id}` waits for a person, and nobody answers in an evaluation",
                locate((*path, "approve")),
                "evaluate a part of the pipeline without it, or a pipeline that ends before it",
            )
    for name in sorted(bundle.children):
        yield from check_effects(bundle.children[name])
