"""Rules for how a deployment is watched, and for what has to be shown before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agentci.deploy.rules.rule import Broken, Rule
from agentci.spec.deploy import DeploySpec

_LONGEST: Final = 7 * 86_400


def _health(spec: DeploySpec) -> Iterator[Broken]:
    for name, service in spec.services.items():
        ends = service.schedule is not None or service.restart == "never"
        loosened = any(each.what == "no_health" for each in service.loosen)
        if service.health is None and not ends and not loosened:
            hint = "add `health`, or `loosen: [{what: no_health, reason: ...}]`"
            yield Broken(("services", name), "nothing looks whether it works", hint)


def _age(spec: DeploySpec) -> Iterator[Broken]:
    if spec.gate.max_age > _LONGEST:
        yield Broken(("gate", "max_age"), "a verdict counts for more than a week")


def _threshold(spec: DeploySpec) -> Iterator[Broken]:
    if spec.gate.suite is not None and spec.gate.threshold < 0.5:
        yield Broken(("gate", "threshold"), "more cases may fail than pass")


RULES: Final = (
    Rule("health", "what is broken goes on taking work until somebody notices", _health),
    Rule("old-evidence", "models and data behind a verdict change in the meantime", _age),
    Rule("low-threshold", "a gate that hardly anything fails shows nothing", _threshold),
)
