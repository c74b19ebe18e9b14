"""Measured values, paired over the cases that both sides judged.

Whether the list of cases blocks is decided in `rules`; here is what it says beyond these cases.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import fsum

from agentci.core.intervals import Interval
from agentci.evals.compare.multiplicity import holm
from agentci.evals.compare.paired_binary import mcnemar, newcombe
from agentci.evals.compare.paired_means import paired_means
from agentci.evals.compare.sign_flip import sign_flip
from agentci.evals.compare.superiority import Verdict, judge
from agentci.evals.results import METRICS
from agentci.gate.decision import CaseComparison, Comparison, Side
from agentci.spec.policy import MetricPolicy, PolicySpec

RATE = "pass rate"


@dataclass(frozen=True, slots=True)
class Pair:
    """A case that both sides judged."""

    case: CaseComparison
    base: Side
    head: Side


def judged_pairs(cases: Sequence[CaseComparison]) -> tuple[Pair, ...]:
    """Return the cases that both sides judged, without those in quarantine."""
    return tuple(
        Pair(case, case.base, case.head)
        for case in cases
        if case.base is not None
        and case.head is not None
        and case.base.status == case.head.status == "judged"
        and (case.quarantine is None or case.quarantine.expired)
    )


def compare(
    pairs: Sequence[Pair], policy: PolicySpec, *, seed: int, also: Sequence[float] = ()
) -> tuple[Comparison, ...]:
    """Compare the pass rate, each slice and each measured value; p values are Holm's.

    Args:
        pairs: what to compare.
        policy: gives confidence, margin, allowances and slices.
        seed: for sign flips that are drawn because there are too many to count.
        also: p values of other tests of the same suite, to be corrected for as well.

    Raises:
        EnvironmentProblem: when an interval needs scipy and it is not installed.
    """
    found = [_rate(pairs, policy, slice_=None, seed=seed)]
    for tag in policy.slices:
        tagged = [pair for pair in pairs if tag in pair.case.tags]
        found.append(_rate(tagged, policy, slice_=tag, seed=seed))
    allowances = {each.metric: each for each in policy.metrics}
    for name in _measured(pairs, allowances):
        compared = _metric(pairs, name, allowance=allowances.get(name), policy=policy, seed=seed)
        found.append(compared)
    return _judged(found, policy, also=also)


def adjusted(comparisons: Sequence[Comparison], also: Sequence[float]) -> tuple[float, ...]:
    """Return Holm's p values of `also`, tested together with what the comparisons test."""
    tested = [each.p for each in comparisons if each.p is not None]
    return holm([*tested, *also])[len(tested) :]


def _judged(
    comparisons: Sequence[Comparison], policy: PolicySpec, *, also: Sequence[float]
) -> tuple[Comparison, ...]:
    tested = [index for index, each in enumerate(comparisons) if each.p is not None]
    p_values = [each.p for each in comparisons if each.p is not None]
    corrected = dict(zip(tested, holm([*p_values, *also]), strict=False))
    alpha = 1 - policy.statistics.confidence
    return tuple(
        replace(each, p_adjusted=corrected[index], verdict=_verdict(each, corrected[index], alpha))
        if index in corrected
        else each
        for index, each in enumerate(comparisons)
    )


def _verdict(comparison: Comparison, p: float, alpha: float) -> Verdict | None:
    verdict = judge(
        interval=comparison.interval,
        p_worse=p,
        margin=comparison.allowance,
        alpha=alpha,
        higher_is_better=comparison.higher_is_better,
    )
    unknown = verdict is Verdict.NOT_ENOUGH_EVIDENCE and comparison.allowance is None
    return None if unknown else verdict


def _rate(
    pairs: Sequence[Pair], policy: PolicySpec, *, slice_: str | None, seed: int
) -> Comparison:
    single = all(pair.base.trials == pair.head.trials == 1 for pair in pairs)
    confidence = policy.statistics.confidence
    if single and _groups(pairs) is None:
        compared = _single_trials(pairs, confidence)
    else:
        compared = _means(pairs, _pass_rate, confidence=confidence, seed=seed)
        if compared.interval is not None and compared.interval.low == compared.interval.high:
            # no spread was seen, which with few cases is no proof that there is none
            units = compared.groups or compared.cases
            bound = newcombe(both=units, base_only=0, head_only=0, neither=0, confidence=confidence)
            low, high = compared.difference + bound.low, compared.difference + bound.high
            compared = replace(
                compared, interval=replace(bound, low=max(-1.0, low), high=min(1.0, high))
            )
    broken = sum(pair.base.passes > pair.head.passes for pair in pairs) if single else None
    fixed = sum(pair.base.passes < pair.head.passes for pair in pairs) if single else None
    return replace(
        compared,
        name=RATE,
        slice=slice_,
        allowance=policy.statistics.margin,
        broken=broken,
        fixed=fixed,
    )


def _single_trials(pairs: Sequence[Pair], confidence: float) -> Comparison:
    outcomes = [(pair.base.passes, pair.head.passes) for pair in pairs]
    counts = {pair: outcomes.count(pair) for pair in ((1, 1), (1, 0), (0, 1), (0, 0))}
    interval = newcombe(
        both=counts[1, 1],
        base_only=counts[1, 0],
        head_only=counts[0, 1],
        neither=counts[0, 0],
        confidence=confidence,
    )
    total = len(pairs) or 1
    return Comparison(
        name=RATE,
        slice=None,
        cases=len(pairs),
        groups=None,
        base=(counts[1, 1] + counts[1, 0]) / total,
        head=(counts[1, 1] + counts[0, 1]) / total,
        difference=interval.estimate,
        interval=interval,
        p=mcnemar(broken=counts[1, 0], fixed=counts[0, 1]),
        p_adjusted=None,
        method="exact McNemar, Newcombe's interval",
        verdict=None,
    )


def _metric(
    pairs: Sequence[Pair],
    name: str,
    *,
    allowance: MetricPolicy | None,
    policy: PolicySpec,
    seed: int,
) -> Comparison:
    is_metric = name in METRICS
    having = [pair for pair in pairs if _has(pair, name)]
    size: float | None = None
    if allowance is not None:
        relative = _mean([_value(pair.base, name) for pair in having]) if is_metric else 1.0
        size = allowance.allowance * relative
    compared = _means(
        having,
        lambda side: _value(side, name),
        # what no policy speaks of is shown as it is: its interval would take scipy
        confidence=policy.statistics.confidence if allowance is not None else None,
        seed=seed,
        higher_is_better=not is_metric,
        allowance=size,
    )
    # what no policy speaks of is shown, not tested
    p = compared.p if allowance is not None else None
    return replace(compared, name=name, allowance=size, p=p)


def _means(
    pairs: Sequence[Pair],
    value: Callable[[Side], float],
    *,
    confidence: float | None,
    seed: int,
    higher_is_better: bool = True,
    allowance: float | None = None,
) -> Comparison:
    groups = _groups(pairs)
    differences = [value(pair.head) - value(pair.base) for pair in pairs]
    flips = sign_flip(
        differences,
        groups=groups,
        higher_is_better=higher_is_better,
        allowance=allowance or 0.0,
        seed=seed,
    )
    unit = "cases" if groups is None else "groups"
    return Comparison(
        name="",
        slice=None,
        cases=len(pairs),
        groups=len(set(groups)) if groups is not None else None,
        base=_mean([value(pair.base) for pair in pairs]),
        head=_mean([value(pair.head) for pair in pairs]),
        difference=_mean(differences),
        interval=None if confidence is None else _interval(differences, groups, confidence),
        p=flips.p_worse,
        p_adjusted=None,
        method=f"sign flips over {unit}{'' if flips.draws is None else ' (drawn)'}, t interval",
        verdict=None,
        higher_is_better=higher_is_better,
    )


def _interval(
    differences: Sequence[float], groups: Sequence[str] | None, confidence: float
) -> Interval | None:
    if not any(differences):  # nothing differs, and t, which takes long to import, has no say
        return Interval(0.0, 0.0, 0.0, confidence) if differences else None
    return paired_means(differences, groups=groups, confidence=confidence).interval


def _measured(pairs: Sequence[Pair], allowances: dict[str, MetricPolicy]) -> tuple[str, ...]:
    """Return what was measured at both sides: metrics always, scorers where a policy asks."""
    found = [name for name in METRICS if any(_has(pair, name) for pair in pairs)]
    return (*found, *sorted(name for name in allowances if name not in METRICS))


def _has(pair: Pair, name: str) -> bool:
    return _find(pair.base, name) is not None and _find(pair.head, name) is not None


def _find(side: Side, name: str) -> float | None:
    return side.metrics.get(name) if name in METRICS else side.scores.get(name)


def _value(side: Side, name: str) -> float:
    return _find(side, name) or 0.0


def _pass_rate(side: Side) -> float:
    return side.passes / side.trials


def _groups(pairs: Sequence[Pair]) -> list[str] | None:
    """Return the group of each case, by itself where it has none; None where none has one."""
    if all(pair.case.group is None for pair in pairs):
        return None
    # the prefixes keep a group apart from a case of the same name
    return [
        f"case:{pair.case.case}" if pair.case.group is None else f"group:{pair.case.group}"
        for pair in pairs
    ]


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values) if values else 0.0
