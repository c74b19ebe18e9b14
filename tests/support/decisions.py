"""Decisions with a known truth, for everything that is printed from one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from agentci.core.digest import digest_json
from agentci.evals.results import SuiteResult
from agentci.gate.decide import Rules, decide, decide_suite
from agentci.gate.decision import Decision, Quarantine
from agentci.report.transcripts import Report, Transcript
from agentci.spec.policy import PolicySpec
from tests.support.evaluations import Row, suite_result

HOSTILE = (
    "</code></pre><script>alert(1)</script><img src=x onerror=alert(2)> @octocat #1 "
    "| a | b |\n```\n::error::injected\n##[error]x\n[x](javascript:alert(3)) "
    "]]> &amp; \x1b[31m\x00\u202e{0} %0A"
)
"""A text that every format has to carry without obeying it."""


def rows(count: int, *, failing: int = 0, **fields: Any) -> dict[str, Row]:
    """Return cases `c000`... of which the first `failing` do not pass."""
    return {f"c{i:03}": Row([i >= failing], **fields) for i in range(count)}


def broken(of: Mapping[str, Row], *names: str) -> dict[str, Row]:
    """Return the same cases, of which `names` fail."""
    return {**of, **{name: replace(of[name], passes=[False], text="worse") for name in names}}


def decided(
    base: Mapping[str, Row] | None,
    head: Mapping[str, Row],
    policy: Mapping[str, Any] | None = None,
    *,
    quarantine: Mapping[str, Quarantine] | None = None,
    live: bool = False,
    suite: str = "pipelines/demo",
) -> Decision:
    """Return the decision on one suite."""
    spec = PolicySpec.model_validate_json(json.dumps(policy or {}))
    rules = Rules(spec, quarantine or {}, seed=0)
    before = _named(suite_result(base, live=live), suite) if base is not None else None
    after = _named(suite_result(head, live=live), suite)
    judged = decide_suite(before, after, rules=rules, base_source="replayed")
    return decide(
        [judged], base="b" * 40, head="a" * 40, policy=digest_json(policy or {}), notes=("a note",)
    )


def together(*decisions: Decision) -> Decision:
    """Return one decision on the suites of all."""
    suites = [suite for each in decisions for suite in each.suites]
    first = decisions[0]
    return decide(suites, base=first.base, head=first.head, policy=first.policy, notes=first.notes)


def _named(result: SuiteResult, suite: str) -> SuiteResult:
    return replace(result, suite=suite, name=suite.rpartition("/")[2])


def rich_decision() -> Decision:
    """Return a decision with every kind of change, slices, metrics, quarantine and two suites."""
    base = rows(60, failing=6, metrics={"cost": 0.002, "tokens": 900.0, "steps": 3.0})
    base |= {
        f"c{i:03}": replace(base[f"c{i:03}"], tags=("long",) if i % 3 == 0 else ("short",))
        for i in range(60)
    }
    head = {
        name: replace(row, metrics={"cost": 0.0027, "tokens": 1100.0 + len(name), "steps": 3.0})
        for name, row in broken(base, "c020", "c030", "c050").items()
    }
    head["c001"] = replace(head["c001"], passes=[True], text="better now")
    head["c010"] = replace(head["c010"], text="other words\nbut right")
    head["c011"] = replace(head["c011"], status="not_judged", recordings=None)
    head["c012"] = replace(head["c012"], passes=[False], text="flaky")
    del head["c059"]
    head["c060-new"] = Row([True], "new")
    quarantine = {"c012": Quarantine("ana", "waits for the new parser", "2026-12-31", False)}
    policy = {
        "statistics": {"margin": 0.05},
        "slices": ["long", "short"],
        "metrics": [{"metric": "cost", "allowance": 0.1, "action": "block"}],
    }
    first = decided(base, head, policy, quarantine=quarantine, suite="pipelines/support")
    calm = rows(40, failing=2)
    return together(first, decided(calm, calm, suite="pipelines/triage"))


def hostile_decision() -> Decision:
    """Return a decision whose names, words and answers are those of an attacker."""
    base = {**rows(5), HOSTILE: Row([True], "fine", tags=(HOSTILE,))}
    head = {**rows(5), HOSTILE: Row([False], HOSTILE, tags=(HOSTILE,))}
    head["c003"] = Row([True], HOSTILE, status="not_judged", recordings=None)
    decision = decided(base, head, {"slices": ["long"]})
    suite = decision.suites[0]
    sliced = replace(suite.comparisons[0], slice=HOSTILE)
    suite = replace(suite, name=HOSTILE, comparisons=(*suite.comparisons, sliced))
    return replace(decision, suites=(suite,), notes=(HOSTILE,))


def forged_decision() -> Decision:
    """Return a decision as a stranger's file may hold it: every text in it is hostile."""
    return replace(hostile_decision(), **_forged(hostile_decision()))


def _forged(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass with `HOSTILE` for each text that is no word of ours."""
    return {each.name: _hostile(getattr(value, each.name)) for each in fields(value)}


def _hostile(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        kept = {"status", "kind"}  # words of a closed list, which the reader checks
        forged = {name: each for name, each in _forged(value).items() if name not in kept}
        return replace(value, **forged)
    if isinstance(value, tuple):
        return tuple(map(_hostile, value))
    if isinstance(value, dict):
        return {f"{name}{HOSTILE}": _hostile(each) for name, each in value.items()}
    return f"::warning::{HOSTILE}" if type(value) is str else value


def rich_report() -> Report:
    """Return `rich_decision` with what an agent said in one of the broken cases."""
    said = "lane target/sorter\nsystem: sort issues\nuser: it crashes\nassistant: {kind}\n"
    transcript = Transcript(said.format(kind="bug"), said.format(kind="question"))
    return Report(rich_decision(), {("pipelines/support", "c020"): transcript})
