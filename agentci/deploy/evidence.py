"""Evidence: whether what a decision of the gate said of a suite lets a deployment happen.

Pure: others read files, git and clocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentci.core.digest import Digest
from agentci.deploy.lock import Evidence
from agentci.spec.deploy import DeployGateSpec, DeploySpec

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Situation:
    """What is there when something is to be deployed."""

    commit: str
    """Of HEAD."""
    changed: tuple[str, ...]
    """Paths that are not as the judged commit has them, what deploying writes left out."""
    cassettes: Digest
    """Of all recordings of the suite."""
    images: Mapping[str, str]
    """By service: what would run, by digest."""
    now: float
    """Seconds since the Unix epoch."""


@dataclass(frozen=True, slots=True)
class Objection:
    """Why the evidence does not count."""

    code: str
    message: str


def running_images(spec: DeploySpec, built: Mapping[str, Digest]) -> Mapping[str, str]:
    """Return what each service runs, by digest; for a build without one, what it starts from."""
    found: dict[str, str] = {}
    for name, service in sorted(spec.services.items()):
        if service.image is not None:
            found[name] = service.image.digest or service.image.ref
        elif name in built:
            found[name] = built[name]
        elif service.build is not None:
            base = service.build.base
            found[name] = base if isinstance(base, str) else base.digest or base.ref
    return found


def objections(
    evidence: Evidence | None, gate: DeployGateSpec, situation: Situation
) -> tuple[Objection, ...]:
    """Return every reason not to deploy on `evidence`."""
    if evidence is None:
        return (Objection("ACI-P610", "no verdict of the gate was taken down for this spec"),)
    found: list[Objection] = []
    if evidence.suite != gate.suite:
        message = f"the verdict is about `{evidence.suite}`, not `{gate.suite}`"
        found.append(Objection("ACI-P611", message))
    if evidence.blocks:
        message = f"the verdict is `{evidence.verdict}`, and it blocks"
        found.append(Objection("ACI-P612", message))
    if evidence.judged == 0 or evidence.score < gate.threshold:
        message = (
            f"{evidence.score:.1%} of {evidence.judged} judged cases pass, "
            f"and {gate.threshold:.1%} have to"
        )
        found.append(Objection("ACI-P613", message))
    found += _of_state(evidence, situation)
    age = situation.now - evidence.recorded
    if not 0 <= age <= gate.max_age:
        message = (
            f"the verdict is {_time(age)} old, and counts for {_time(gate.max_age)}"
            if age > 0
            else "the verdict was taken down in the future of this machine's clock"
        )
        found.append(Objection("ACI-P614", message))
    return tuple(found)


def _of_state(evidence: Evidence, situation: Situation) -> list[Objection]:
    found: list[Objection] = []
    if evidence.commit.endswith("+"):
        message = "the verdict is about files that were in no commit"
        found.append(Objection("ACI-P615", message))
    elif situation.changed:
        more = len(situation.changed) - _SHOWN
        shown = ", ".join(f"`{path}`" for path in situation.changed[:_SHOWN])
        message = (
            f"the verdict is about commit {evidence.commit[:12]}, and since then changed: {shown}"
            f"{f' and {more} more' if more > 0 else ''}"
        )
        found.append(Objection("ACI-P615", message))
    if evidence.cassettes != situation.cassettes:
        message = "the recordings of the suite are not those that were judged"
        found.append(Objection("ACI-P616", message))
    names = sorted({*evidence.images, *situation.images})
    other = [name for name in names if evidence.images.get(name) != situation.images.get(name)]
    if other:
        shown = ", ".join(f"`{name}`" for name in other)
        found.append(Objection("ACI-P617", f"other images would run than were judged: {shown}"))
    return found


def _time(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
