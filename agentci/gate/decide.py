"""From two evaluations of a suite and a policy to one decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final

from agentci.core.digest import Digest
from agentci.evals.compare.superiority import Verdict
from agentci.evals.compare.trials import false_alarm_bound, pass_at_k, pass_hat_k
from agentci.gate.cases import compare_cases
from agentci.gate.comparisons import RATE, Pair, adjusted, compare, judged_pairs
from agentci.gate.decision import (
    CaseChange,
    Comparison,
    Decision,
    Power,
    Quarantine,
    Reason,
    ReasonKind,
    SuiteDecision,
)
from agentci.gate.power import power_of
from agentci.gate.rules import case_reasons

if TYPE_CHECKING:
    from agentci.evals.results import SuiteResult
    from agentci.spec.policy import PolicySpec

_WORST_FIRST: Final = (8, 6, 7, 2, 4, 1, 0)
"""Exit codes: a refusal or an error hides what a judgement would say, and a case that cannot be
judged is never an ordinary failure."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for one suite."""

    policy: PolicySpec
    quarantine: Mapping[str, Quarantine]
    seed: int
    """For sign flips that are drawn."""


def decide_suite(
    base: SuiteResult | None, head: SuiteResult, *, rules: Rules, base_source: str
) -> SuiteDecision:
    """Judge one suite.

    Args:
        base: the suite at the base, or None where the base has no such suite.
        head: the suite as it is now.
        rules: policy and exceptions.
        base_source: where the base's results came from.

    Raises:
        EnvironmentProblem: when an interval needs scipy and it is not installed.
    """
    cases = compare_cases(base, head, quarantined=rules.quarantine)
    pairs = judged_pairs(cases)
    sampled = head.live or any(pair.case.sampled for pair in pairs)
    chance = _sampled_breaks(pairs)
    also = [each.p for each in chance]
    comparisons = compare(pairs, rules.policy, seed=rules.seed, also=also)
    power = power_of([pair.case for pair in pairs], trials=head.trials, policy=rules.policy)
    alpha = 1 - rules.policy.statistics.confidence
    doubtful = {
        case
        for each, p in zip(chance, adjusted(comparisons, also), strict=True)
        if p > alpha
        for case in each.cases
    }
    reasons = (
        *case_reasons(cases, rules.policy.cases, doubtful=doubtful),
        *_statistical(comparisons, rules.policy, sampled=sampled),
        *power_reasons(power, rules.policy, sampled=sampled),
    )
    return SuiteDecision(
        suite=head.suite,
        name=head.name,
        verdict=_suite_verdict(reasons, comparisons, sampled=sampled),
        exit_code=_worst(each.exit_code for each in reasons if each.blocks),
        reasons=tuple(sorted(reasons, key=lambda each: not each.blocks)),
        cases=cases,
        comparisons=comparisons,
        power=power,
        live=head.live,
        base_source=base_source,
        pass_at_k=_repeats(head),
        flaky=tuple(case.case for case in head.cases if case.flaky),
    )


def decide(
    suites: Sequence[SuiteDecision],
    *,
    base: str | None,
    head: str,
    policy: Digest,
    notes: tuple[str, ...] = (),
) -> Decision:
    """Put the suites together: the worst of them decides."""
    verdicts = {suite.verdict for suite in suites}
    worst = (Verdict.REGRESSION, Verdict.NOT_ENOUGH_EVIDENCE, Verdict.NO_REGRESSION)
    return Decision(
        verdict=next((each for each in worst if each in verdicts), Verdict.NOT_ENOUGH_EVIDENCE),
        exit_code=_worst(suite.exit_code for suite in suites),
        base=base,
        head=head,
        suites=tuple(sorted(suites, key=lambda each: each.suite)),
        policy=policy,
        notes=notes,
    )


@dataclass(frozen=True, slots=True)
class _Chance:
    """Cases that went from all trials passing to none, and how often chance does that."""

    cases: tuple[str, ...]
    p: float


def _sampled_breaks(pairs: Sequence[Pair]) -> tuple[_Chance, ...]:
    """Return the broken cases whose answers were drawn anew, required ones apart.

    Of n unchanged cases, chance breaks at least b with a probability of at most
    P(Bin(n, q) >= b), q being the most that it can be for one case.
    """
    sampled = [pair for pair in pairs if pair.case.sampled]
    chance = (
        _chance([pair for pair in sampled if pair.case.required is required])
        for required in (True, False)
    )
    return tuple(each for each in chance if each is not None)


def _chance(pairs: Sequence[Pair]) -> _Chance | None:
    broken = [pair.case.case for pair in pairs if pair.case.change is CaseChange.NEWLY_BROKEN]
    if not broken:
        return None
    single = max(
        false_alarm_bound(base_trials=pair.base.trials, head_trials=pair.head.trials)
        for pair in pairs
    )
    fewer = sum(
        comb(len(pairs), count) * single**count * (1 - single) ** (len(pairs) - count)
        for count in range(len(broken))
    )
    return _Chance(tuple(sorted(broken)), min(1.0, max(0.0, 1 - fewer)))


def _statistical(
    comparisons: Sequence[Comparison], policy: PolicySpec, *, sampled: bool
) -> tuple[Reason, ...]:
    """Return what the measured values mean.

    On answers that were only replayed, the list of cases decides, and the statistic blocks with a
    stated margin alone. Where answers were drawn anew, chance has a part in the list, so that the
    statistic decides.
    """
    actions = {each.metric: each.action == "block" for each in policy.metrics}
    found = []
    for each in comparisons:
        if each.name == RATE:
            blocks = sampled or each.allowance is not None
            kind: ReasonKind = "statistic" if each.slice is None else "slice"
        else:
            blocks = actions.get(each.name, False)
            kind = "metric"
        if each.verdict is Verdict.REGRESSION:
            found.append(Reason(kind, blocks=blocks, message=_worse(each)))
        elif each.verdict is Verdict.NOT_ENOUGH_EVIDENCE and each.allowance is not None:
            blocks = blocks and policy.statistics.not_enough_evidence == "block"
            found.append(Reason("not_enough_evidence", blocks=blocks, message=_unsure(each)))
    return tuple(found)


def _worse(comparison: Comparison) -> str:
    change = f"{comparison.base:.4g} to {comparison.head:.4g}"
    p = f", p = {comparison.p_adjusted:.3g}" if comparison.p_adjusted is not None else ""
    return f"{_named(comparison)} is worse: {change}{p} ({comparison.method})"


def _unsure(comparison: Comparison) -> str:
    assert comparison.allowance is not None
    return (
        f"{_named(comparison)}: {comparison.cases} cases can show neither a change for the worse "
        f"nor that it is smaller than {comparison.allowance:.4g}"
    )


def _named(comparison: Comparison) -> str:
    where = "" if comparison.slice is None else f" of `{comparison.slice}`"
    return f"{comparison.name}{where}"


def power_reasons(power: Power, policy: PolicySpec, *, sampled: bool) -> tuple[Reason, ...]:
    """Return what it means that a suite is too small: for its margin, or for anything at all.

    `sampled` says that answers are drawn anew, so that the statistic decides.
    """
    if power.enough is None and sampled and power.detectable is None:
        message = f"{power.cases} cases are too few to show anything: {power.assumption}"
    elif power.enough is False:
        message = _too_small(power)
    else:
        return ()
    refuse = policy.statistics.without_power == "refuse"
    return (Reason("no_power", blocks=refuse, message=message, exit_code=2),)


def _too_small(power: Power) -> str:
    assert power.margin is not None
    seen = "no drop at all" if power.detectable is None else f"drops from {power.detectable:.1%} on"
    return (
        f"the suite is too small for its margin: {power.cases} cases can see {seen}, and the "
        f"policy asks for {power.margin:.1%}"
    )


def _suite_verdict(
    reasons: Sequence[Reason], comparisons: Sequence[Comparison], *, sampled: bool
) -> Verdict:
    blocking = {each.exit_code for each in reasons if each.blocks and not _is_doubt(each)}
    if 1 in blocking:
        return Verdict.REGRESSION
    if blocking or any(_is_doubt(each) for each in reasons):
        return Verdict.NOT_ENOUGH_EVIDENCE
    rate = comparisons[0].verdict
    if rate is Verdict.REGRESSION:
        return Verdict.REGRESSION
    if sampled and rate is not Verdict.NO_REGRESSION:
        return Verdict.NOT_ENOUGH_EVIDENCE
    return Verdict.NO_REGRESSION


def _is_doubt(reason: Reason) -> bool:
    return reason.kind == "not_enough_evidence"


def _worst(codes: Iterable[int]) -> int:
    return min(codes, key=_WORST_FIRST.index, default=0)


def _repeats(head: SuiteResult) -> dict[str, float]:
    """Return pass@k and pass^k over the judged cases, for all numbers of trials that all have."""
    counts = [(len(case.trials), case.passes) for case in head.cases if case.judged]
    most = min((trials for trials, _passes in counts), default=0)
    if most < 2:
        return {}
    found: dict[str, float] = {}
    for name, estimate in (("pass@", pass_at_k), ("pass^", pass_hat_k)):
        for k in range(1, most + 1):
            values = [estimate(trials, passes, k) for trials, passes in counts]
            found[f"{name}{k}"] = sum(values) / len(values)
    return found
