"""All rules, and the waivers that let findings stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agentci.deploy.findings import Finding
from agentci.deploy.rules import hardening, images, network, operation
from agentci.deploy.rules.rule import Rule
from agentci.spec.deploy import DeploySpec, WaiverSpec
from agentci.spec.suggestion import did_you_mean

RULES: Final[tuple[Rule, ...]] = (
    *images.RULES,
    *hardening.RULES,
    *network.RULES,
    *operation.RULES,
)


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding that may stay for now."""

    finding: Finding
    reason: str
    expires: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules say of a spec."""

    findings: tuple[Finding, ...]
    """That may not stay; a waiver that has run out, or waives nothing, is one as well."""
    waived: tuple[Waived, ...]


def judge_spec(spec: DeploySpec, *, today: str) -> Judged:
    """Hold `spec` against all rules; `today` is a day as `2026-11-23`, when a waiver may end."""
    found = [
        Finding(rule.id, each.path, f"{each.message}: {rule.reason}", each.hint)
        for rule in RULES
        for each in rule.find(spec)
    ]
    return apply_waivers(spec.policy.waivers, found, today=today)


def apply_waivers(waivers: tuple[WaiverSpec, ...], found: list[Finding], *, today: str) -> Judged:
    """Tell findings that may stay from those that may not."""
    waived: list[Waived] = []
    left: list[Finding] = []
    used: set[int] = set()
    for finding in found:
        match = _match(waivers, finding, used=used, today=today)
        if match is None:
            left.append(finding)
        else:
            waived.append(Waived(finding, match.reason, match.expires))
    bad = (
        _bad_waiver(waiver, index, used=index in used, today=today)
        for index, waiver in enumerate(waivers)
    )
    left += [finding for finding in bad if finding is not None]
    return Judged(tuple(left), tuple(waived))


def _match(
    waivers: tuple[WaiverSpec, ...], finding: Finding, *, used: set[int], today: str
) -> WaiverSpec | None:
    for index, waiver in enumerate(waivers):
        if waiver.rule == finding.code and waiver.path == finding.place:
            used.add(index)
            return waiver if today <= waiver.expires else None
    return None


def _bad_waiver(waiver: WaiverSpec, index: int, *, used: bool, today: str) -> Finding | None:
    path = ("policy", "waivers", index)
    known = [rule.id for rule in RULES]
    if waiver.rule not in known:
        message = f"there is no rule `{waiver.rule}` that can be waived"
        return Finding("waiver-rule", (*path, "rule"), message, did_you_mean(waiver.rule, known))
    if not used:
        message = f"nothing at `{waiver.path}` breaks the rule `{waiver.rule}`"
        return Finding("waiver-unused", path, message, "remove it, or correct its `path`")
    if today > waiver.expires:
        message = f"it ended on {waiver.expires}"
        return Finding("waiver-expired", (*path, "expires"), message, "repair what it waives")
    return None
