"""Evidence: what a decision of the gate says of a suite, and whether it lets a deployment happen.

Pure: others read files, git and clocks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agentci.core.digest import Digest, digest_bytes
from agentci.core.errors import FormatError, Location, NothingMatched
from agentci.deploy.lock import Evidence
from agentci.spec.deploy import DeployGateSpec, DeploySpec

DECISION_FORMAT: Final = "agentci/decision"
DECISION_VERSION: Final = 1
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


def read_decision(data: bytes, name: str, *, suite: str, situation: Situation) -> Evidence:
    """Return what the decision in `data` says of `suite`; `name` is the file's in messages.

    Raises:
        FormatError: when it is no decision, or of a version that this release cannot read.
        NothingMatched: when it is about other suites.
    """
    content = _parse(data, name)
    try:
        suites = {str(each["suite"]): each for each in content["suites"]}
        if suite not in suites:
            listed = ", ".join(f"`{each}`" for each in sorted(suites)) or "none"
            raise NothingMatched(
                f"the decision is not about the suite `{suite}`",
                code="ACI-N603",
                hint=f"it is about {listed}",
                location=Location(name),
            )
        found = suites[suite]
        judged = [each["head"] for each in found["cases"] if _is_judged(each["head"])]
        passed = sum(int(each["passes"]) == int(each["trials"]) > 0 for each in judged)
        return Evidence(
            decision=digest_bytes(data),
            suite=suite,
            verdict=str(found["verdict"]),
            blocks=bool(content["blocks"]) or int(found["exit_code"]) != 0,
            score=round(passed / len(judged), 6) if judged else 0.0,
            judged=len(judged),
            commit=str(content["head"]),
            cassettes=situation.cassettes,
            images=dict(situation.images),
            recorded=int(situation.now),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"`{name}` is a decision with something missing: {error}",
            code="ACI-F612",
            hint="write it with `agentci gate --json`",
            location=Location(name),
        ) from None


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


def _is_judged(side: Any) -> bool:
    return side is not None and side["status"] == "judged"


def _parse(data: bytes, name: str) -> Mapping[str, Any]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, Mapping) or content.get("format") != DECISION_FORMAT:
        raise FormatError(
            f"`{name}` is not a file of format `{DECISION_FORMAT}`",
            code="ACI-F610",
            hint="write it with `agentci gate --json`",
            location=Location(name),
        )
    if content.get("version") != DECISION_VERSION or not isinstance(
        content.get("suites"), Sequence
    ):
        raise FormatError(
            f"`{name}` has a version of `{DECISION_FORMAT}` that this release does not read",
            code="ACI-F611",
            hint=f"it reads version {DECISION_VERSION}; upgrade agentci",
            location=Location(name),
        )
    return content


def _time(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
