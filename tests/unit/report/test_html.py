"""The page, as text. What a browser makes of it is in e2e/test_report_page.py."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

from agentci.report.html import TEMPLATES, decision_html
from agentci.report.transcripts import Report
from tests.support.command_line import ROOT
from tests.support.decisions import (
    broken,
    decided,
    forged_decision,
    hostile_decision,
    rich_report,
    rows,
)

PARTS = {name: (ROOT / "templates/report" / name).read_text() for name in TEMPLATES}
VOID = frozenset({"meta", "br", "col"})


class _Page(HTMLParser):
    """The elements of a page, which have to be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(report: Report) -> _Page:
    return _Page(decision_html(report, templates=PARTS))


def test_it_shows_everything_that_was_decided() -> None:
    found = page(rich_report())
    for words in (
        "Blocked",
        "88.9 %",
        "c020",
        "pipelines/demo/cases.jsonl:21",
        "agentci eval pipelines/support --case c011 --mode record",
        "-3.5 points",
        "-12.6 to +5.0",
        "0.312",
        "Holm 0.938",
        "pass rate of long",
        "57 cases show a drop of the pass rate from 14.9 points on",
        "ana: waits for the new parser",
        "Transcript at base",
        "question",
        "a note",
    ):
        assert words in found.text, words


def test_nothing_in_it_asks_for_anything() -> None:
    for report in (rich_report(), Report(hostile_decision()), Report(forged_decision())):
        found = page(report)
        assert not found.elements & {"script", "img", "link", "iframe", "object", "base", "a"}
        assert not found.attributes.keys() & {"src", "href", "style", "action", "onerror", "onload"}
        assert "url(" not in PARTS["style.css"]
        assert "@import" not in PARTS["style.css"]


def test_texts_of_others_are_shown_as_they_are() -> None:
    found = page(Report(hostile_decision()))
    assert "<script>alert(1)</script>" in found.text
    assert "\\x1b[31m" in found.text
    assert "\u202e" not in found.text


def test_an_answer_that_is_not_kept_is_told() -> None:
    decision = decided(rows(2), broken(rows(2), "c001"))
    suite = decision.suites[0]
    cases = [
        replace(each, base=replace(each.base, output=None)) if each.base is not None else each
        for each in suite.cases
    ]
    unknown = replace(decision, suites=(replace(suite, cases=tuple(cases)),))
    assert "answer at the base is not kept" in page(Report(unknown)).text
    assert "answer at the base is not kept" not in page(Report(decision)).text


def test_many_cases_are_listed_by_name_and_then_counted() -> None:
    many = rows(2_500, failing=2_500)
    found = page(Report(decided(many, many)))
    assert "c0199" not in found.text
    assert "c199" in found.text
    assert "c2100" in found.text
    assert "and 300 more, which are in the JSON" in found.text


def test_a_suite_without_cases_has_a_page() -> None:
    assert "no case was judged" in page(Report(decided(None, rows(0)))).text
