"""A decision for a terminal: the verdict first, then why, then the cases that changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from agentci.cli.render.errors import printable
from agentci.cli.render.style import paint
from agentci.cli.render.text import count
from agentci.gate.decision import CaseChange

if TYPE_CHECKING:
    from agentci.cli.render.style import Style
    from agentci.gate.decision import CaseComparison, Comparison, Decision, SuiteDecision

_SHOWN: Final = 20
"""Cases of a kind; `--all` and `--json` show them all."""
_LISTED: Final[tuple[tuple[CaseChange, Style], ...]] = (
    (CaseChange.NEWLY_BROKEN, "red"),
    (CaseChange.NOT_JUDGED, "yellow"),
    (CaseChange.LESS_OFTEN, "yellow"),
    (CaseChange.NEWLY_FIXED, "green"),
    (CaseChange.MORE_OFTEN, "green"),
    (CaseChange.NEW, "cyan"),
    (CaseChange.REMOVED, "cyan"),
    (CaseChange.TEXT_CHANGED, "dim"),
    (CaseChange.STILL_FAILING, "dim"),
    (CaseChange.STILL_PASSING, "dim"),
)
_QUIET: Final = frozenset(
    {CaseChange.TEXT_CHANGED, CaseChange.STILL_FAILING, CaseChange.STILL_PASSING}
)


def decision_text(decision: Decision, *, color: bool, everything: bool) -> str:
    """Return the text; with `everything`, cases that did not change are listed as well."""
    return "\n".join(_lines(decision, color=color, everything=everything)) + "\n"


def _lines(decision: Decision, *, color: bool, everything: bool) -> Iterator[str]:
    base = decision.base[:12] if decision.base else "nothing"
    style: Style = "red" if decision.blocks else "green"
    what = "blocks" if decision.blocks else "passes"
    yield paint(f"{what}: {decision.verdict}", style, color=color)
    yield f"head {decision.head[:12]}{'+' if decision.head.endswith('+') else ''} against {base}"
    for suite in decision.suites:
        yield ""
        yield from _suite(suite, color=color, everything=everything)
    for note in decision.notes:
        yield f"note: {printable(note)}"


def _suite(suite: SuiteDecision, *, color: bool, everything: bool) -> Iterator[str]:
    title = f"{suite.suite} ({suite.name}): {suite.verdict}, base from {suite.base_source}"
    yield paint(title, "bold", color=color)
    for reason in suite.reasons:
        mark = paint("blocks", "red", color=color) if reason.blocks else "told"
        yield f"  {mark}: {printable(reason.message)}"
    for comparison in suite.comparisons:
        yield f"  {_comparison(comparison)}"
    yield "  " + ", ".join(
        f"{number} {change}" for change, _style in _LISTED if (number := suite.counted(change))
    )
    for change, style in _LISTED:
        if everything or change not in _QUIET:
            yield from _cases(suite, change, style, color=color, everything=everything)


def _cases(
    suite: SuiteDecision, change: CaseChange, style: Style, *, color: bool, everything: bool
) -> Iterator[str]:
    found = [case for case in suite.cases if case.change is change]
    shown = found if everything else found[:_SHOWN]
    for case in shown:
        yield "  " + paint(f"{change}: {printable(case.case)}{_place(case)}", style, color=color)
        side = case.head or case.base
        if side is not None and side.explanation and change is not CaseChange.REMOVED:
            for line in side.explanation.splitlines()[:4]:
                yield f"    {printable(line)}"
    if len(shown) < len(found):
        yield f"  and {count(len(found) - len(shown), 'case')} more {change}; `--all` lists them"


def _place(case: CaseComparison) -> str:
    held = " (in quarantine)" if case.quarantine is not None else ""
    if case.file is None:
        return held
    line = f":{case.line}" if case.line is not None else ""
    return f"{held}, {printable(case.file)}{line}"


def _comparison(comparison: Comparison) -> str:
    name = (
        comparison.name if comparison.slice is None else f"{comparison.name} of {comparison.slice}"
    )
    text = f"{name}: {comparison.base:.4g} to {comparison.head:.4g}"
    text += f" over {count(comparison.cases, 'case')}"
    if comparison.interval is not None:
        low, high = comparison.interval.low, comparison.interval.high
        share = f"{comparison.interval.confidence:.0%}"
        text += f", difference {comparison.difference:+.4g} ({share}: {low:+.4g} to {high:+.4g})"
    if comparison.p_adjusted is not None:
        text += f", p {comparison.p_adjusted:.3g}"
    return text
