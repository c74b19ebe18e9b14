"""The words and numbers that every format shares, so that all of them say the same."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentci.evals.compare.superiority import Verdict
from agentci.evals.results import METRICS
from agentci.gate.decision import CaseChange
from agentci.report.characters import legible

if TYPE_CHECKING:
    from agentci.core.json_types import JsonValue
    from agentci.gate.decision import CaseComparison, Comparison, Decision, Power, SuiteDecision

CHANGES: Final = (
    CaseChange.NEWLY_BROKEN,
    CaseChange.NOT_JUDGED,
    CaseChange.LESS_OFTEN,
    CaseChange.NEWLY_FIXED,
    CaseChange.MORE_OFTEN,
    CaseChange.NEW,
    CaseChange.REMOVED,
    CaseChange.STILL_FAILING,
    CaseChange.TEXT_CHANGED,
    CaseChange.STILL_PASSING,
)
"""In the order in which a reader wants to see them."""

_EXITS: Final = {
    1: "something got worse, or a rule of the policy says no",
    2: "the suite is too small for its policy",
    4: "something could not be judged",
    6: "an error of the harness, which says nothing about the change",
    7: "a budget was exceeded",
    8: "refused for safety: a person has to look",
}


@dataclass(frozen=True, slots=True)
class Score:
    """How many judged cases of head pass, over all suites."""

    passed: float
    """Cases; one with several trials counts by the share of them that pass."""
    judged: int

    @property
    def rate(self) -> float | None:
        """Share that passes; None where nothing was judged."""
        return self.passed / self.judged if self.judged else None


def headline(decision: Decision) -> str:
    """Return the verdict in one line."""
    return f"{'blocks' if decision.blocks else 'passes'}: {verdict_words(decision)}"


def verdict_words(judged: Decision | SuiteDecision) -> str:
    """Return what was found, and where the exit code says more than the verdict, that as well."""
    regressed = judged.verdict is Verdict.REGRESSION
    if judged.exit_code == 1 and regressed:
        return str(judged.verdict)
    told = _EXITS.get(judged.exit_code)
    if judged.exit_code == 0 and regressed:
        told = "which the policy does not block"
    return str(judged.verdict) if told is None else f"{judged.verdict} ({told})"


def commits(decision: Decision) -> str:
    """Return what was compared: `head 1234 against 5678`."""
    changed = "+" if decision.head.endswith("+") else ""
    base = decision.base[:12] if decision.base else "nothing"
    return f"head {decision.head[:12].rstrip('+')}{changed} against {base}"


def score_of(decision: Decision) -> Score:
    """Return how many cases of head pass."""
    rates = [
        case.head.passes / case.head.trials
        for suite in decision.suites
        for case in suite.cases
        if case.head is not None and case.head.status == "judged" and case.head.trials
    ]
    return Score(sum(rates), len(rates))


def cost_change(decision: Decision) -> float | None:
    """Return by which share head costs more than the base, over the cases priced at both sides."""
    costs = [c for suite in decision.suites for c in suite.comparisons if c.name == "cost"]
    base = sum(each.base * each.cases for each in costs)
    head = sum(each.head * each.cases for each in costs)
    return head / base - 1 if base else None


def cases_with(suite: SuiteDecision, change: CaseChange) -> tuple[CaseComparison, ...]:
    """Return the cases that changed like this, in order of their ids."""
    return tuple(case for case in suite.cases if case.change is change)


def explanation_of(case: CaseComparison) -> str:
    """Return why a case is as it is, where anything was said."""
    side = case.head or case.base
    return side.explanation if side is not None else ""


def place_of(case: CaseComparison) -> str:
    """Return `file:line` of a case's row, as far as it is known."""
    if case.file is None:
        return ""
    return case.file if case.line is None else f"{case.file}:{case.line}"


def record_command(suite: SuiteDecision, case: CaseComparison) -> str:
    """Return the command that records what a case misses, safe to be pasted."""
    return shlex.join(["agentci", "eval", suite.suite, "--case", case.case, "--mode", "record"])


def is_rate(comparison: Comparison) -> bool:
    """Say whether this is a pass rate."""
    return comparison.name == "pass rate"


def is_metric(comparison: Comparison) -> bool:
    """Say whether this is something spent: cost, tokens, steps, time."""
    return comparison.name in METRICS


def title_of(comparison: Comparison) -> str:
    """Return the name, with the slice it is about."""
    name = comparison.name
    return name if comparison.slice is None else f"{name} of {comparison.slice}"


def amount(comparison: Comparison, value: float) -> str:
    """Return a value in the unit of `comparison`."""
    if is_rate(comparison):
        return f"{100 * value:.1f} %"
    if comparison.name == "latency":
        return f"{value:.3g} s"
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def change_of(comparison: Comparison, value: float) -> str:
    """Return a difference in the unit of `comparison`, with its sign; rates in points."""
    if is_rate(comparison):
        return f"{100 * value:+.1f}"
    unit = " s" if comparison.name == "latency" else ""
    return f"{value:+.3g}{unit}" if abs(value) < 10_000 else f"{value:+,.0f}{unit}"


def difference(comparison: Comparison) -> str:
    """Return the difference: of rates in points, of what is spent also relative to the base."""
    text = change_of(comparison, comparison.difference)
    if is_rate(comparison):
        return f"{text} points"
    if is_metric(comparison) and comparison.base:
        return f"{text} ({100 * comparison.difference / comparison.base:+.1f} %)"
    return text


def interval_words(comparison: Comparison) -> str:
    """Return the interval of the difference, as `-4.1 to +2.0`, or nothing."""
    found = comparison.interval
    if found is None:
        return ""
    return f"{change_of(comparison, found.low)} to {change_of(comparison, found.high)}"


def p_words(comparison: Comparison) -> str:
    """Return the p value with three digits, after Holm as well where that differs, or nothing."""
    if comparison.p is None:
        return ""
    text = f"{comparison.p:.3g}"
    after = comparison.p_adjusted
    return text if after is None or after == comparison.p else f"{text} (Holm {after:.3g})"


def power_words(power: Power) -> str:
    """Return what a suite of this size can see, in a sentence."""
    size = f"{power.cases} cases"
    if power.trials > 1:
        size += f" x {power.trials} trials"
    if power.groups is not None:
        size += f" in {power.groups} groups"
    if power.detectable is None:
        return f"{size} can show no drop of the pass rate: {power.assumption}."
    text = (
        f"{size} show a drop of the pass rate from {100 * power.detectable:.1f} points on, "
        f"{power.power:.0%} of the time, if {power.assumption}."
    )
    if power.enough is None or power.margin is None:
        return text
    fits = "enough" if power.enough else "not enough"
    return f"{text} That is {fits} for the margin of {100 * power.margin:.1f} points."


def counts_words(suite: SuiteDecision) -> str:
    """Return how many cases changed in which way, without the ways that none did."""
    found = ((suite.counted(change), change) for change in CHANGES)
    return ", ".join(f"{number} {change}" for number, change in found if number)


def output_text(output: JsonValue) -> str:
    """Return an output as a person reads it: a text as it is, `{text: ...}` by it, else as JSON."""
    if isinstance(output, str):
        return legible(output)
    if output is None:
        return ""
    content: Mapping[str, JsonValue] = output if isinstance(output, Mapping) else {}
    text = content.get("text")
    if set(content) == {"text"} and isinstance(text, str):
        return legible(text)
    try:
        shown = json.dumps(output, indent=2, ensure_ascii=False, sort_keys=True, default=dict)
    except RecursionError:
        return "(nested too deeply to be shown)"
    return legible(shown)


def blocking_cases(suite: SuiteDecision) -> frozenset[str]:
    """Return the ids of the cases that a reason that blocks is about."""
    return frozenset(case for each in suite.reasons if each.blocks for case in each.cases)
