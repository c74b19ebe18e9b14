"""An evaluation as text: the score of each suite, what failed and why, and what was not judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from agentci.app.eval_outcome import failing_explanation, reason_of
from agentci.cli.render.errors import printable
from agentci.cli.render.reasons import by_reason
from agentci.cli.render.style import paint
from agentci.cli.render.text import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.app.eval_outcome import SuiteSummary
    from agentci.cli.render.style import Style
    from agentci.evals.keys import KeyChange
    from agentci.evals.results import CaseResult

_LONGEST_LIST: Final = 50
"""Cases of a kind; `--all` and `--json` show them all."""
_LONGEST_REASON: Final = 6
"""Lines of a reason."""
_TOLD_WHOLE: Final = 3
"""Reasons of a kind that are told in full; of others the first line."""
_RECORD: Final = "--mode record"


def suite_text(
    summary: SuiteSummary,
    *,
    color: bool,
    everything: bool = False,
    changes: Mapping[str, Sequence[KeyChange]] | None = None,
) -> str:
    """Return a suite for a person; with `everything`, cases that passed are listed as well."""
    return "\n".join(_lines(summary, everything=everything, color=color, changes=changes)) + "\n"


def _lines(
    summary: SuiteSummary,
    *,
    everything: bool,
    color: bool,
    changes: Mapping[str, Sequence[KeyChange]] | None,
) -> Iterator[str]:
    yield paint(_headline(summary), "bold", color=color)
    if summary.repeats:
        yield "  " + ", ".join(f"{name} {value:.3f}" for name, value in summary.repeats.items())
    if summary.metrics:
        yield "  " + ", ".join(_metric(name, value) for name, value in summary.metrics.items())
    lists: tuple[tuple[str, Style, Sequence[CaseResult]], ...] = (
        ("failed", "red", summary.failed),
        ("quarantined", "yellow", summary.quarantined),
        ("not judged", "yellow", summary.not_judged),
        ("error", "red", summary.errors),
        ("passed", "green", summary.passed if everything else ()),
    )
    for title, style, cases in lists:
        shown = cases if everything else cases[:_LONGEST_LIST]
        for number, group in enumerate(by_reason(shown, partial(_explanation, title))):
            for case in group.members:
                yield paint(_case_line(title, case), style, color=color)
                for change in (changes or {}).get(case.case, ()):
                    yield f"    {printable(str(change))}"
            yield from _details(group.reason, brief=number >= _TOLD_WHOLE and not everything)
        if len(shown) < len(cases):
            yield f"  and {len(cases) - len(shown)} more {title}; `--all` lists them"
    if sum(_RECORD in reason_of(case) for case in summary.not_judged) > 1:
        yield f"  to record them all: agentci eval {printable(summary.suite)} {_RECORD}"
    if summary.flaky:
        named = ", ".join(f"`{printable(case)}`" for case in summary.flaky[:_LONGEST_LIST])
        yield f"  flaky: {named}"


def _headline(summary: SuiteSummary) -> str:
    head = f"{summary.suite} ({summary.name})"
    if not (summary.judged or summary.not_judged or summary.errors):
        return f"{head}: none of its cases was asked for"
    if not summary.judged:
        return f"{head}: no case was judged"
    share = summary.share
    rest = len(summary.not_judged) + len(summary.errors)
    left = f", {rest} not judged" if rest else ""
    return (
        f"{head}: {share.hits} of {count(share.total, 'case')} passed, "
        f"{100 * share.hits / share.total:.1f} % (95 % interval {100 * share.low:.1f} to "
        f"{100 * share.high:.1f} %){left}"
    )


def _metric(name: str, value: float) -> str:
    return f"{name} {value:.4f}" if name == "cost" else f"{name} {value:g}"


def _case_line(title: str, case: CaseResult) -> str:
    place = f"  {case.file}:{case.line}" if case.file and case.line else ""
    trials = f" {case.passes}/{len(case.trials)}" if len(case.trials) > 1 else ""
    return printable(f"  {title:<11} {case.case}{trials}{place}")


def _explanation(title: str, case: CaseResult) -> str:
    if title == "passed":
        return ""
    return failing_explanation(case) if title in {"failed", "quarantined"} else reason_of(case)


def _details(text: str, *, brief: bool) -> Iterator[str]:
    """Yield the lines of an explanation."""
    lines = text.splitlines()
    if brief:
        yield from (f"    {printable(line)}" for line in lines[:1])
        return
    for line in lines[:_LONGEST_REASON]:
        yield f"    {printable(line)}"
    hints = [line for line in lines[_LONGEST_REASON:] if line.startswith("hint: ")]
    if len(lines) > _LONGEST_REASON + len(hints):
        yield "    ..."
    yield from (f"    {printable(hint)}" for hint in hints)
