"""How each case of head compares with the same case of the base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.gate.decision import CaseChange, CaseComparison, Quarantine, Side
from agentci.gate.sides import same_recordings, side_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.evals.results import CaseResult, SuiteResult


def compare_cases(
    base: SuiteResult | None, head: SuiteResult, *, quarantined: Mapping[str, Quarantine]
) -> tuple[CaseComparison, ...]:
    """Pair the cases of both sides by id, and return them in order of their ids."""
    before = {case.case: case for case in base.cases} if base is not None else {}
    after = {case.case: case for case in head.cases}
    exact = not head.live and not (base is not None and base.live)
    return tuple(
        _compare(before.get(name), after.get(name), exact=exact, quarantine=quarantined.get(name))
        for name in sorted(before.keys() | after.keys())
    )


def _compare(
    base: CaseResult | None,
    head: CaseResult | None,
    *,
    exact: bool,
    quarantine: Quarantine | None,
) -> CaseComparison:
    shown = head or base
    assert shown is not None
    before = side_of(base) if base is not None else None
    after = side_of(head) if head is not None else None
    sampled = base is not None and head is not None and not (exact and _is_exact(base, head))
    return CaseComparison(
        case=shown.case,
        change=_change(before, after, sampled=sampled),
        sampled=sampled,
        base=before,
        head=after,
        required=shown.required,
        quarantine=quarantine,
        group=shown.group,
        tags=shown.tags,
        file=shown.file,
        line=shown.line,
    )


def _is_exact(base: CaseResult, head: CaseResult) -> bool:
    """Return whether no chance lies between the sides, or no repeats that could tell."""
    return max(len(base.trials), len(head.trials)) == 1 or same_recordings(base, head)


def _change(before: Side | None, after: Side | None, *, sampled: bool) -> CaseChange:
    if after is None:
        return CaseChange.REMOVED
    if after.status != "judged":
        return CaseChange.NOT_JUDGED
    if before is None or before.status != "judged":
        return CaseChange.NEW
    return _sampled_change(before, after) if sampled else _exact_change(before, after)


def _exact_change(before: Side, after: Side) -> CaseChange:
    """Compare where nothing was drawn anew: every difference is one."""
    passed, passes = before.passes == before.trials, after.passes == after.trials
    if passed != passes:
        return CaseChange.NEWLY_BROKEN if passed else CaseChange.NEWLY_FIXED
    return _same_verdict(before, after, passes=passes)


def _sampled_change(before: Side, after: Side) -> CaseChange:
    """Compare where answers were drawn anew: a single case counts from all to none, or back.

    With `k` trials of a case that passes with probability `p` at both sides, that happens by
    chance with a probability of at most `p^k (1-p)^k`.
    """
    old, new = before.passes / before.trials, after.passes / after.trials
    if (old, new) == (1, 0):
        return CaseChange.NEWLY_BROKEN
    if (old, new) == (0, 1):
        return CaseChange.NEWLY_FIXED
    if old == new:
        return _same_verdict(before, after, passes=new == 1)
    return CaseChange.LESS_OFTEN if new < old else CaseChange.MORE_OFTEN


def _same_verdict(before: Side, after: Side, *, passes: bool) -> CaseChange:
    if not passes:
        return CaseChange.STILL_FAILING
    changed = before.output_digest != after.output_digest
    return CaseChange.TEXT_CHANGED if changed else CaseChange.STILL_PASSING
