"""A decision as Markdown, for the summary of a job and for a comment on a pull request.

It begins with a marker that nobody sees, by which the comment of an earlier run is found again.
What is longer than GitHub takes is left out from the end, case by case, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentci.gate.decision import CaseChange
from agentci.report.markdown_text import block, code, plain, table_head, table_row
from agentci.report.wording import (
    CHANGES,
    amount,
    cases_with,
    commits,
    counts_words,
    difference,
    explanation_of,
    interval_words,
    is_rate,
    output_text,
    p_words,
    place_of,
    power_words,
    record_command,
    score_of,
    title_of,
    verdict_words,
)

if TYPE_CHECKING:
    from agentci.gate.decision import CaseComparison, Comparison, Decision, SuiteDecision

MARKER: Final = "<!-- agentci-gate -->"
"""The first line; `decision_markdown(key=...)` makes one for each of several comments."""
COMMENT_LIMIT: Final = 65_536
"""Characters of a comment, counted here as bytes of UTF-8, which is never less."""
SUMMARY_LIMIT: Final = 1_048_576
"""Bytes of the summary of a step."""

_RESERVE: Final = 400
"""Bytes for saying that something was left out, and for closing what is open."""
_TITLES: Final = {
    CaseChange.NEWLY_BROKEN: "Newly broken",
    CaseChange.NOT_JUDGED: "Not judged",
    CaseChange.LESS_OFTEN: "Pass less often",
    CaseChange.NEWLY_FIXED: "Newly fixed",
    CaseChange.MORE_OFTEN: "Pass more often",
    CaseChange.NEW: "New",
    CaseChange.REMOVED: "Removed",
    CaseChange.STILL_FAILING: "Still failing",
    CaseChange.TEXT_CHANGED: "Changed text only",
}


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the report: whole, or with its rows counted."""

    head: str
    rows: Sequence[str] = ()
    end: str = ""


def decision_markdown(decision: Decision, *, limit: int = COMMENT_LIMIT, key: str = "") -> str:
    """Return a decision as Markdown.

    Args:
        decision: what to show.
        limit: bytes of UTF-8 that the text may have at most.
        key: tells comments apart where a pull request gets several, for example a job's name.
    """
    marker = MARKER if not key else f"<!-- agentci-gate {_safe_key(key)} -->"
    out = [f"{marker}\n"]
    room = limit - _RESERVE - len(out[0])
    for part in _parts(decision):
        taken, room, whole = _fitted(part, room)
        out.append(taken)
        if not whole:
            out.append("\n_The rest is left out here: GitHub takes no more text._\n")
            break
    return "".join(out)


def _safe_key(key: str) -> str:
    return "".join(c for c in key if c.isalnum() or c in "._")[:80]


def _fitted(part: _Part, room: int) -> tuple[str, int, bool]:
    """Return as much of `part` as fits, the room that is left, and whether that is all."""
    size = len(part.head.encode()) + len(part.end.encode())
    if size > room:
        return "", room, False
    taken: list[str] = []
    for row in part.rows:
        size += len(row.encode())
        if size > room:
            left = f"\n_{len(part.rows) - len(taken)} more are left out here._\n"
            return "".join((part.head, *taken, part.end, left)), 0, False
        taken.append(row)
    return "".join((part.head, *taken, part.end)), room - size, True


def _parts(decision: Decision) -> Iterator[_Part]:
    yield _Part(_top(decision))
    for suite in decision.suites:
        yield _Part(_reasons(suite))
        yield from _urgent(suite)
        yield _scores(suite)
    for suite in decision.suites:
        yield from _details(suite)
    for note in decision.notes:
        yield _Part(f"\nNote: {plain(note)}\n")


def _top(decision: Decision) -> str:
    sign = "❌" if decision.exit_code in {1, 2} else "⚠️" if decision.blocks else "✅"
    score = score_of(decision)
    rate = "nothing was judged" if score.rate is None else f"{100 * score.rate:.1f} % pass"
    says = "blocks" if decision.blocks else "passes"
    return (
        f"## {sign} agentci gate {says}: {verdict_words(decision)}\n\n"
        f"{rate} of {score.judged} judged cases; {plain(commits(decision))}.\n"
    )


def _reasons(suite: SuiteDecision) -> str:
    lines = [f"\n### {code(suite.suite)}: {verdict_words(suite)}\n\n"]
    lines += [
        f"- {'**blocks**' if reason.blocks else 'note'}: {plain(reason.message)}\n"
        for reason in suite.reasons
    ]
    return "".join([*lines, "\n" if suite.reasons else "", f"{counts_words(suite)}.\n"])


def _urgent(suite: SuiteDecision) -> Iterator[_Part]:
    broken = cases_with(suite, CaseChange.NEWLY_BROKEN)
    if broken:
        head = f"\n#### Newly broken\n\n{table_head(('case', 'where', 'why'))}"
        yield _Part(head, [_row(case) for case in broken])
    missing = cases_with(suite, CaseChange.NOT_JUDGED)
    if missing:
        titles = ("case", "where", "why", "to record")
        rows = [_row(case, code(record_command(suite, case), 400)) for case in missing]
        yield _Part(f"\n#### Not judged\n\n{table_head(titles)}", rows)


def _row(case: CaseComparison, *more: str) -> str:
    held = " (in quarantine)" if case.quarantine is not None else ""
    held += " (required)" if case.required else ""
    why = code(explanation_of(case), 300)
    return table_row((code(case.case) + held, code(place_of(case)), why, *more))


def _scores(suite: SuiteDecision) -> _Part:
    rates = [each for each in suite.comparisons if is_rate(each)]
    others = [each for each in suite.comparisons if not is_rate(each)]
    share = next((f"{c.interval.confidence:.0%} interval" for c in rates if c.interval), "interval")
    titles = ("", "cases", "base", "head", "difference", share, "p", "verdict")
    head = f"\n{table_head(titles, right=range(1, 7))}"
    return _Part(head, [_score(each) for each in (*rates, *others)])


def _score(each: Comparison) -> str:
    name = each.name if each.slice is None else f"{each.name} of {code(each.slice)}"
    return table_row(
        (
            name if is_rate(each) else code(title_of(each)),
            str(each.cases),
            amount(each, each.base),
            amount(each, each.head),
            difference(each),
            interval_words(each),
            p_words(each),
            str(each.verdict or ""),
        )
    )


def _details(suite: SuiteDecision) -> Iterator[_Part]:
    for change in CHANGES:
        cases = cases_with(suite, change)
        if not cases or change not in _TITLES:
            continue
        if change is CaseChange.NEWLY_BROKEN:
            yield _folded(suite, "Answers of the newly broken cases", [_answers(c) for c in cases])
        elif change is not CaseChange.NOT_JUDGED:
            table = table_head(("case", "where", "why"))
            title = f"{_TITLES[change]} ({len(cases)})"
            yield _folded(suite, title, [_row(case) for case in cases], table=table)
    yield _folded(suite, "What this can show", [f"{_statistics(suite)}\n"])


def _folded(suite: SuiteDecision, title: str, rows: Sequence[str], *, table: str = "") -> _Part:
    summary = f"<summary>{title}, {code(suite.suite)}</summary>"
    return _Part(f"\n<details>{summary}\n\n{table}", rows, "\n</details>\n")


def _answers(case: CaseComparison) -> str:
    lines = [f"\n{code(case.case)}\n\n"]
    for name, side in (("base", case.base), ("head", case.head)):
        text = output_text(side.output) if side is not None else ""
        if text:
            lines.append(f"{name}\n\n{block(text)}\n\n")
    return "".join(lines)


def _statistics(suite: SuiteDecision) -> str:
    repeats = ", ".join(f"{name} {value:.3f}" for name, value in suite.pass_at_k.items())
    sentences = [
        plain(power_words(suite.power)),
        *(f"{plain(each)}." for each in (repeats,) if each),
    ]
    if suite.flaky:
        names = ", ".join(code(each) for each in suite.flaky[:20])
        sentences.append(f"{len(suite.flaky)} flaky: {names}.")
    methods = dict.fromkeys(each.method for each in suite.comparisons)
    sentences.append(f"Methods: {plain('; '.join(methods))}.")
    sentences.append(f"Base results: {plain(suite.base_source)}.")
    return " ".join(sentences)
