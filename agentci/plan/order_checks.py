"""Static checks of sibling steps: unique ids, needs that exist, no cycles."""

from __future__ import annotations

from collections.abc import Sequence

from agentci.plan.findings import Findings, Path, names_hint
from agentci.plan.graph import find_cycle, resolve_needs
from agentci.spec.pipeline import StepBase


def check_order(findings: Findings, steps: Sequence[StepBase], *, path: Path) -> None:
    """Check that the siblings at `path` can be put in an order."""
    ids = [step.id for step in steps]
    for index, step in enumerate(steps):
        if step.id in ids[:index]:
            findings.add(
                "ACI-D330",
                (*path, index, "id"),
                message=f"two steps side by side have the id `{step.id}`",
                hint="rename one of them; ids are part of the lane",
            )
        for position, need in enumerate(step.needs or ()):
            if need not in ids:
                findings.add(
                    "ACI-D331",
                    (*path, index, "needs", position),
                    message=f"step `{step.id}` needs `{need}`, and no step beside it has that id",
                    hint=names_hint(need, set(ids) - {step.id}, what="steps beside it"),
                )
    if len(set(ids)) == len(ids):
        _check_cycle(findings, steps, path=path)


def _check_cycle(findings: Findings, steps: Sequence[StepBase], *, path: Path) -> None:
    cycle = find_cycle(resolve_needs(steps))
    if cycle is None:
        return
    ids = [step.id for step in steps]
    explicit = [name for name in cycle if steps[ids.index(name)].needs is not None]
    index = ids.index(explicit[0] if explicit else cycle[0])
    findings.add(
        "ACI-D332",
        (*path, index, "needs"),
        message=f"steps need each other in a circle: {' -> '.join(f'`{name}`' for name in cycle)}",
        hint="remove one of these `needs`; to repeat steps, use a `loop`",
    )
