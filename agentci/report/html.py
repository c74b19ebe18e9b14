"""A decision as one HTML file that needs nothing else: no script, no font, no request.

The templates are given as texts. Everything that stands in them is escaped, and the policy of the
page lets a browser use its one style sheet, which it names by digest, and nothing else.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from agentci.gate.decision import CaseChange
from agentci.report import wording
from agentci.report.characters import legible, one_line
from agentci.report.interval_chart import WIDTH, IntervalChart, charts
from agentci.report.side_by_side import Piece, SideBySide, side_by_side

if TYPE_CHECKING:
    from agentci.gate.decision import CaseComparison, Comparison, Decision, Side, SuiteDecision
    from agentci.report.transcripts import Report, Transcript

TEMPLATES: Final = ("decision.html.j2", "suite.html.j2", "case.html.j2", "style.css")
"""The files that `decision_html` takes, below `templates/report`."""

_MOST_CASES: Final = 200
"""Of one kind with all that is known of them; the rest is listed by name."""
_MOST_NAMES: Final = 2_000
_LONGEST: Final = 40_000
"""Characters of one answer."""
_FLIPS: Final = (
    CaseChange.NEWLY_BROKEN,
    CaseChange.LESS_OFTEN,
    CaseChange.NEWLY_FIXED,
    CaseChange.MORE_OFTEN,
    CaseChange.TEXT_CHANGED,
)
_OPEN: Final = frozenset({CaseChange.NEWLY_BROKEN, CaseChange.NOT_JUDGED})
_TONES: Final[Mapping[CaseChange, str]] = {
    CaseChange.NEWLY_BROKEN: "bad",
    CaseChange.NOT_JUDGED: "warn",
    CaseChange.LESS_OFTEN: "warn",
    CaseChange.NEWLY_FIXED: "good",
    CaseChange.MORE_OFTEN: "good",
    CaseChange.NEW: "info",
    CaseChange.REMOVED: "info",
    CaseChange.STILL_FAILING: "quiet",
    CaseChange.TEXT_CHANGED: "mild",
    CaseChange.STILL_PASSING: "calm",
}


_COUNTED: Final = (
    CaseChange.NEWLY_BROKEN,
    CaseChange.NEWLY_FIXED,
    CaseChange.NOT_JUDGED,
    CaseChange.STILL_FAILING,
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A number at the top of the page."""

    name: str
    value: str
    tone: str


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A measured value as the table shows it."""

    name: str
    cases: str
    base: str
    head: str
    difference: str
    interval: str
    p: str
    holm: str
    """The p value after Holm, where it differs."""
    verdict: str
    method: str
    chart: IntervalChart


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case with its answers."""

    id: str
    anchor: str
    place: str
    explanation: str
    badges: tuple[str, ...]
    base: str
    """How often it passed, in words."""
    head: str
    scores: tuple[tuple[str, str, str], ...]
    """Name, base, head."""
    answers: SideBySide | None
    base_unknown: bool
    transcript: SideBySide | None
    command: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """All cases of a suite that changed in the same way."""

    change: str
    tone: str
    count: int
    open: bool
    cases: tuple[CaseView, ...]
    names: tuple[str, ...]
    """Of those that are only listed."""
    share: str
    """Of all cases, in percent of the bar."""
    offset: str
    """Where it begins in the bar, in percent."""


@dataclass(frozen=True, slots=True)
class SuiteView:
    """One suite."""

    suite: SuiteDecision
    anchor: str
    verdict: str
    tone: str
    confidence: str
    scores: tuple[ScoreRow, ...]
    changes: tuple[ChangeView, ...]
    power: str
    repeats: str
    methods: str


def decision_html(report: Report, *, templates: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        report: what to show.
        templates: the texts of the files that `TEMPLATES` names.
    """
    from jinja2 import DictLoader, StrictUndefined  # noqa: PLC0415 - only this format needs it
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415

    environment = SandboxedEnvironment(
        loader=DictLoader(dict(templates)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["legible"] = _legible
    environment.filters["line"] = one_line
    environment.filters["quoted"] = _quoted
    decision = report.decision
    style = templates["style.css"].strip()
    text = environment.get_template("decision.html.j2").render(
        decision=decision,
        style=style,
        style_digest=b64encode(sha256(style.encode()).digest()).decode(),
        says="Blocked" if decision.blocks else "Passed",
        tone=_tone(decision),
        verdict=wording.verdict_words(decision),
        compared=wording.commits(decision),
        tiles=_tiles(decision),
        suites=[_suite(each, report, f"s{i}") for i, each in enumerate(decision.suites, start=1)],
        chart_width=WIDTH,
    )
    return text.rstrip("\n") + "\n"


def _legible(text: object) -> str:
    return legible(str(text))


def _tone(judged: Decision | SuiteDecision) -> str:
    if judged.exit_code in {1, 2}:
        return "bad"
    return "warn" if judged.exit_code else "good"


def _tiles(decision: Decision) -> list[Tile]:
    """Return the numbers that a reader looks for first."""
    score = wording.score_of(decision)
    rate = "none" if score.rate is None else f"{100 * score.rate:.1f} %"
    found = [Tile(f"of {score.judged} cases pass", rate, "plain")]
    for each in _COUNTED:
        count = sum(suite.counted(each) for suite in decision.suites)
        found.append(Tile(str(each), str(count), _TONES[each] if count else "quiet"))
    cost = wording.cost_change(decision)
    if cost is not None:
        found.append(Tile("cost", f"{100 * cost:+.1f} %", "plain"))
    return found


def _quoted(text: str) -> list[Piece]:
    """Return a message in pieces, those that stand between backticks marked."""
    parts = legible(text).split("`")
    if len(parts) % 2 == 0:
        return [Piece(legible(text))]
    return [Piece(part, changed=index % 2 == 1) for index, part in enumerate(parts)]


def _suite(suite: SuiteDecision, report: Report, anchor: str) -> SuiteView:
    rates = [each for each in suite.comparisons if wording.is_rate(each)]
    others = [each for each in suite.comparisons if not wording.is_rate(each)]
    rows = (*rates, *others)
    shares = [f"{c.interval.confidence:.0%}" for c in rates if c.interval is not None]
    return SuiteView(
        suite=suite,
        anchor=anchor,
        verdict=wording.verdict_words(suite),
        tone=_tone(suite),
        confidence=shares[0] if shares else "",
        scores=tuple(_score(*each) for each in zip(rows, charts(rows), strict=True)),
        changes=_changes(suite, report, anchor),
        power=wording.power_words(suite.power),
        repeats=", ".join(f"{name} {value:.3f}" for name, value in suite.pass_at_k.items()),
        methods="; ".join(dict.fromkeys(each.method for each in suite.comparisons)),
    )


def _score(each: Comparison, chart: IntervalChart) -> ScoreRow:
    cases = str(each.cases) if each.groups is None else f"{each.cases} in {each.groups} groups"
    return ScoreRow(
        name=wording.title_of(each),
        cases=cases,
        base=wording.amount(each, each.base),
        head=wording.amount(each, each.head),
        difference=wording.difference(each),
        interval=wording.interval_words(each),
        p=wording.p_words(each).partition(" (")[0],
        holm=wording.p_words(each).partition(" (")[2].rstrip(")"),
        verdict=str(each.verdict or ""),
        method=each.method,
        chart=chart,
    )


def _changes(suite: SuiteDecision, report: Report, anchor: str) -> tuple[ChangeView, ...]:
    found: list[ChangeView] = []
    done = 0
    for number, change in enumerate(wording.CHANGES, start=1):
        cases = wording.cases_with(suite, change)
        if not cases:
            continue
        told: Sequence[CaseComparison] = cases[:_MOST_CASES]
        if change is CaseChange.STILL_PASSING:
            told = ()
        views = [
            _case(suite, case, report, f"{anchor}-{number}-{i}") for i, case in enumerate(told)
        ]
        rest = cases[len(told) :]
        found.append(
            ChangeView(
                change=str(change),
                tone=_TONES[change],
                count=len(cases),
                open=change in _OPEN,
                cases=tuple(views),
                names=tuple(one_line(each.case) for each in rest[:_MOST_NAMES]),
                share=f"{100 * len(cases) / len(suite.cases):.3f}",
                offset=f"{100 * done / len(suite.cases):.3f}",
            )
        )
        done += len(cases)
    return tuple(found)


def _case(suite: SuiteDecision, case: CaseComparison, report: Report, anchor: str) -> CaseView:
    flipped = case.change in _FLIPS
    transcript = report.transcripts.get((suite.suite, case.case))
    missing = case.change is CaseChange.NOT_JUDGED
    return CaseView(
        id=one_line(case.case),
        anchor=anchor,
        place=wording.place_of(case),
        explanation=wording.explanation_of(case),
        badges=tuple(_badges(case)),
        base=_passes(case.base),
        head=_passes(case.head),
        scores=_scores(case),
        answers=None if missing else _answers(case),
        base_unknown=flipped and case.base is not None and case.base.output is None,
        transcript=None if transcript is None else _said(transcript),
        command=wording.record_command(suite, case) if missing else "",
    )


def _badges(case: CaseComparison) -> list[str]:
    found = ["required"] if case.required else []
    if case.quarantine is not None:
        held = case.quarantine
        until = "expired" if held.expired else "until"
        found.append(f"quarantine, {until} {held.expires}, {held.owner}: {held.reason}")
    if case.group is not None:
        found.append(f"group {case.group}")
    return [one_line(each) for each in (*found, *case.tags)]


def _passes(side: Side | None) -> str:
    if side is None:
        return "not there"
    if side.status != "judged":
        return side.status.replace("_", " ")
    if side.trials == 1:
        return "passes" if side.passes else "fails"
    return f"{side.passes} of {side.trials} pass"


def _scores(case: CaseComparison) -> tuple[tuple[str, str, str], ...]:
    base: Mapping[str, Any] = case.base.scores if case.base is not None else {}
    head: Mapping[str, Any] = case.head.scores if case.head is not None else {}
    return tuple(
        (name, _number(base.get(name)), _number(head.get(name))) for name in sorted({*base, *head})
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _answers(case: CaseComparison) -> SideBySide | None:
    base = wording.output_text(case.base.output) if case.base is not None else ""
    head = wording.output_text(case.head.output) if case.head is not None else ""
    if not base and not head:
        return None
    return side_by_side(base[:_LONGEST], head[:_LONGEST])


def _said(transcript: Transcript) -> SideBySide:
    return side_by_side(legible(transcript.base or ""), legible(transcript.head or ""))
