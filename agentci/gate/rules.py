"""What a policy says of the list of cases, rule by rule.

Each rule returns the reasons that it finds. A case in quarantine is in no reason that blocks until
its quarantine has expired.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from agentci.gate.decision import CaseChange, CaseComparison, Reason, ReasonKind

if TYPE_CHECKING:
    from agentci.spec.policy import CasesPolicy

NOT_JUDGED = 4
HARNESS_ERROR = 6


def case_reasons(
    cases: Sequence[CaseComparison], policy: CasesPolicy, *, doubtful: Collection[str] = ()
) -> tuple[Reason, ...]:
    """Return what the list of cases means under `policy`.

    `doubtful` are broken cases whose answers were drawn anew, so many of which chance may break:
    they are named, and do not block.
    """
    return (
        *_errors(cases),
        *_nothing_judged(cases),
        *_not_judged(cases, policy),
        *_broken(cases, policy, doubtful),
        *_new_failing(cases, policy),
        *_removed(cases, policy),
        *_expired(cases),
    )


def _errors(cases: Sequence[CaseComparison]) -> Iterator[Reason]:
    """An error of the harness says nothing about a case, so not even a quarantine excuses it."""
    found = [each for each in cases if each.head is not None and each.head.status == "error"]
    if found:
        assert found[0].head is not None
        yield Reason(
            "harness_error",
            blocks=True,
            message=f"{_count(found)} could not be judged because of an error: "
            f"{found[0].head.explanation}",
            cases=_ids(found),
            exit_code=HARNESS_ERROR,
        )


def _nothing_judged(cases: Sequence[CaseComparison]) -> Iterator[Reason]:
    if not any(each.head is not None and each.head.status == "judged" for each in cases):
        yield Reason(
            "nothing_judged",
            blocks=True,
            message="no case was judged, so nothing is known",
            exit_code=NOT_JUDGED,
        )


def _not_judged(cases: Sequence[CaseComparison], policy: CasesPolicy) -> Iterator[Reason]:
    found = [each for each in cases if each.head is not None and each.head.status == "not_judged"]
    blocking = [
        each for each in found if each.required or (policy.not_judged == "block" and _counts(each))
    ]
    yield from _reason(
        "not_judged",
        blocking,
        blocks=True,
        message="{count} could not be judged: no recording fits",
        exit_code=NOT_JUDGED,
    )
    rest = [each for each in found if each not in blocking]
    yield from _reason(
        "not_judged", rest, blocks=False, message="{count} could not be judged, which is accepted"
    )


def _broken(
    cases: Sequence[CaseComparison], policy: CasesPolicy, doubtful: Collection[str]
) -> Iterator[Reason]:
    broken = [each for each in cases if each.change is CaseChange.NEWLY_BROKEN]
    unsure = [each for each in broken if _counts(each) and each.case in doubtful]
    counted = [each for each in broken if _counts(each) and each.case not in doubtful]
    required = [each for each in counted if each.required]
    others = [each for each in counted if not each.required]
    held = [each for each in broken if not _counts(each)]
    yield from _reason(
        "required_broken", required, blocks=True, message="{count} that may never break broke"
    )
    blocks = len(others) > policy.newly_broken
    limit = f"; {policy.newly_broken} accepted" if policy.newly_broken else ""
    yield from _reason(
        "newly_broken", others, blocks=blocks, message="{count} newly broken" + limit
    )
    yield from _reason(
        "newly_broken",
        unsure,
        blocks=False,
        message="{count} newly broken, which chance may have done",
    )
    yield from _reason(
        "newly_broken", held, blocks=False, message="{count} newly broken, in quarantine"
    )


def _new_failing(cases: Sequence[CaseComparison], policy: CasesPolicy) -> Iterator[Reason]:
    found = [
        each
        for each in cases
        if each.change is CaseChange.NEW
        and each.head is not None
        and each.head.passes < each.head.trials
        and _counts(each)
    ]
    required = [each for each in found if each.required]
    others = [each for each in found if not each.required]
    yield from _reason(
        "required_broken", required, blocks=True, message="{count} required and new, and failing"
    )
    yield from _reason(
        "new_failing",
        others,
        blocks=policy.new_failing == "block",
        message="{count} new and failing",
    )


def _removed(cases: Sequence[CaseComparison], policy: CasesPolicy) -> Iterator[Reason]:
    found = [each for each in cases if each.change is CaseChange.REMOVED]
    required = [each for each in found if each.required]
    others = [each for each in found if not each.required]
    yield from _reason("removed", required, blocks=True, message="{count} required, and removed")
    yield from _reason(
        "removed", others, blocks=policy.removed == "block", message="{count} removed"
    )


def _expired(cases: Sequence[CaseComparison]) -> Iterator[Reason]:
    found = [each for each in cases if each.quarantine is not None and each.quarantine.expired]
    yield from _reason(
        "quarantine_expired",
        found,
        blocks=False,
        message="the quarantine of {count} has expired, so they count again",
    )


def _reason(
    kind: ReasonKind,
    found: Sequence[CaseComparison],
    *,
    blocks: bool,
    message: str,
    exit_code: int = 1,
) -> Iterator[Reason]:
    if found:
        yield Reason(
            kind,
            blocks=blocks,
            message=message.format(count=_count(found)),
            cases=_ids(found),
            exit_code=exit_code,
        )


def _counts(case: CaseComparison) -> bool:
    return case.quarantine is None or case.quarantine.expired


def _ids(cases: Sequence[CaseComparison]) -> tuple[str, ...]:
    return tuple(sorted(each.case for each in cases))


def _count(cases: Sequence[CaseComparison]) -> str:
    return "1 case" if len(cases) == 1 else f"{len(cases)} cases"
