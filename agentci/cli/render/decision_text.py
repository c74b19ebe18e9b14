"""A decision for a terminal: the verdict, the cases that failed, what blocks, then the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentci.cli.render.errors import printable
from agentci.cli.render.reasons import by_reason
from agentci.cli.render.style import paint
from agentci.cli.render.text import count, table
from agentci.gate.decision import CaseChange
from agentci.report.characters import one_line
from agentci.report.wording import (
    CHANGES,
    amount,
    cases_with,
    commits,
    counts_words,
    difference,
    explanation_of,
    headline,
    interval_words,
    p_words,
    place_of,
    power_words,
    title_of,
    verdict_words,
)

if TYPE_CHECKING:
    from agentci.cli.render.style import Style
    from agentci.gate.decision import CaseComparison, Comparison, Decision, SuiteDecision

_SHOWN: Final = 20
"""Cases of a kind; `--all` and `--json` show them all."""
_WHY: Final = 3
"""Lines of an explanation, unless all are asked for."""
_TOLD_WHOLE: Final = 3
"""Cases of a kind that get these lines; the others get one."""
_WIDEST: Final = 40
"""Characters of an id that others are aligned with."""
_STYLES: Final[dict[CaseChange, Style]] = {
    CaseChange.NEWLY_BROKEN: "red",
    CaseChange.NOT_JUDGED: "yellow",
    CaseChange.LESS_OFTEN: "yellow",
    CaseChange.NEWLY_FIXED: "green",
    CaseChange.MORE_OFTEN: "green",
    CaseChange.NEW: "cyan",
    CaseChange.REMOVED: "cyan",
}
"""Changes that are always listed; the others with `--all` alone."""
_EXPLAINED: Final = frozenset(
    {CaseChange.NEWLY_BROKEN, CaseChange.NOT_JUDGED, CaseChange.LESS_OFTEN, CaseChange.NEW}
)


@dataclass(frozen=True, slots=True)
class _Widths:
    """Of the columns of a suite's list of cases."""

    change: int
    case: int


def decision_text(decision: Decision, *, color: bool, everything: bool) -> str:
    """Return the text; with `everything`, cases that did not change are listed as well.

    No line begins with a text of others, because CI systems take some lines for commands.
    """
    return "\n".join(_lines(decision, color=color, everything=everything)) + "\n"


def _lines(decision: Decision, *, color: bool, everything: bool) -> Iterator[str]:
    yield paint(headline(decision), "red" if decision.blocks else "green", color=color)
    yield _text(commits(decision))
    for suite in decision.suites:
        yield ""
        yield from _suite(suite, color=color, everything=everything)
    if decision.notes:
        yield ""
    for note in decision.notes:
        yield f"note: {_text(note)}"


def _suite(suite: SuiteDecision, *, color: bool, everything: bool) -> Iterator[str]:
    title = (
        f"{_text(suite.suite)}: {verdict_words(suite)}, base results: {_text(suite.base_source)}"
    )
    yield paint(title, "bold", color=color)
    listed = [each for each in CHANGES if everything or each in _STYLES]
    found = {each: cases for each in listed if (cases := cases_with(suite, each))}
    shown = {each: cases if everything else cases[:_SHOWN] for each, cases in found.items()}
    names = [len(_text(case.case)) for cases in shown.values() for case in cases]
    widths = _Widths(max(map(len, shown), default=0), min(_WIDEST, max(names, default=0)))
    for change, cases in shown.items():
        told = everything or change in _EXPLAINED
        for number, group in enumerate(by_reason(cases, _reason if told else _no_reason)):
            for case in group.members:
                yield paint(_case(case, widths), _STYLES.get(change, "dim"), color=color)
            most = None if everything else _WHY if number < _TOLD_WHOLE else 1
            yield from _why(group.reason, most=most)
        left = len(found[change]) - len(cases)
        if left:
            yield f"  and {count(left, 'case')} more {change}; `--all` lists them"
    unjudged = cases_with(suite, CaseChange.NOT_JUDGED)
    if any(case.head is not None and case.head.status == "not_judged" for case in unjudged):
        yield f"  to record: agentci eval {_text(suite.suite)} --mode record"
    for reason in suite.reasons:
        mark = paint("blocks", "red", color=color) if reason.blocks else "note  "
        yield f"  {mark}  {_text(reason.message)}"
    yield f"  cases   {counts_words(suite)}"
    yield from _scores(suite.comparisons)
    if everything or suite.live:
        yield f"  {_text(power_words(suite.power))}"
    if suite.flaky:
        named = suite.flaky if everything else suite.flaky[:_SHOWN]
        more = ", ..." if len(named) < len(suite.flaky) else ""
        yield f"  flaky   {', '.join(map(_text, named))}{more}"


def _case(case: CaseComparison, widths: _Widths) -> str:
    name = f"{case.change:<{widths.change}}  {_text(case.case):<{widths.case}}"
    return f"  {name}  {_text(place_of(case))}{_held(case)}".rstrip()


def _reason(case: CaseComparison) -> str:
    return "" if case.head is None else explanation_of(case)


def _no_reason(_case: CaseComparison) -> str:
    return ""


def _why(reason: str, *, most: int | None) -> Iterator[str]:
    for line in reason.splitlines()[:most]:
        yield f"    | {_defused(printable(line))}"


def _held(case: CaseComparison) -> str:
    if case.quarantine is not None:
        return "  (quarantine expired)" if case.quarantine.expired else "  (in quarantine)"
    return "  (required)" if case.required else ""


def _scores(comparisons: Sequence[Comparison]) -> Iterator[str]:
    headers = ("measured", "cases", "base", "head", "difference", "interval", "p")
    rows = [
        (
            _text(title_of(each)),
            str(each.cases),
            amount(each, each.base),
            amount(each, each.head),
            difference(each),
            interval_words(each),
            p_words(each),
        )
        for each in comparisons
    ]
    yield ""
    for line in table(headers, rows).splitlines():
        yield f"  {line}"


def _text(text: str) -> str:
    return _defused(printable(one_line(text, 400)))


def _defused(text: str) -> str:
    """Return `text` without the marks of commands for GitHub's runner.

    It takes one of them anywhere in a line, the other after blanks at the start.
    """
    text = text.replace("##[", "# #[")
    return text.replace("::", ": :", 1) if text.lstrip().startswith("::") else text
