"""Markdown of a decision: what it says, what it cannot be made to say, and how long it gets."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from agentci.gate.decision import Decision
from agentci.report.markdown import (
    COMMENT_LIMIT,
    MARKER,
    SUMMARY_LIMIT,
    decision_markdown,
)
from agentci.report.markdown_text import block, code, plain
from tests.support.decisions import (
    HOSTILE,
    broken,
    decided,
    forged_decision,
    hostile_decision,
    rich_decision,
    rows,
)
from tests.support.evaluations import Row

OURS = frozenset(
    {"h2", "h3", "h4", "p", "ul", "li", "strong", "em", "code", "pre", "details", "summary"}
    | {"table", "thead", "tbody", "tr", "th", "td"}
)


class _Page(HTMLParser):
    """The elements of a rendered text, and the words outside of code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.loose = ""
        self.quoted = ""
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _value in attrs}
        if tag in {"code", "pre"}:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.quoted += data
        else:
            self.loose += data


def rendered(text: str) -> _Page:
    """Read Markdown as GitHub does, HTML included."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return _Page(reader.render(text))


def test_it_names_what_matters() -> None:
    text = decision_markdown(rich_decision())
    assert text.startswith(f"{MARKER}\n## ")
    page = rendered(text)
    assert "agentci gate blocks: regression" in page.loose
    for words in ("c020", "c030", "c050", "pipelines/demo/cases.jsonl:21"):
        assert words in page.quoted
    assert "agentci eval pipelines/support --case c011 --mode record" in page.quoted
    assert "-12.6 to +5.0" in page.loose
    assert "0.312 (Holm 0.938)" in page.loose
    assert "+35.0 %" in page.loose
    assert page.elements <= OURS


def test_a_passing_decision_says_so() -> None:
    calm = rows(20, failing=2)
    page = rendered(decision_markdown(decided(calm, calm)))
    assert "agentci gate passes: no regression" in page.loose


@pytest.mark.parametrize("decision", [hostile_decision(), forged_decision()])
def test_texts_of_others_are_shown_and_obeyed_nowhere(decision: Decision) -> None:
    page = rendered(decision_markdown(decision))
    assert page.elements <= OURS
    assert page.attributes <= {"style"}  # of columns with numbers
    assert "@octocat" in page.quoted
    for mark in ("@octocat", "alert(", "javascript:", "::error"):
        assert mark not in page.loose


@example(text="__0__")
@given(st.text(max_size=80))
def test_any_text_in_a_cell_stays_in_its_cell(text: str) -> None:
    row = f"| a | b |\n| --- | --- |\n| {code(text)} | end |\n"
    page = rendered(row)
    assert page.elements <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert page.loose.split() == ["a", "b", "end"]


@given(st.text(max_size=80))
def test_any_block_is_one_block(text: str) -> None:
    page = rendered(f"before\n\n{block(text)}\n\nafter\n")
    assert page.elements == {"p", "pre"}
    assert page.loose.split() == ["before", "after"]


def test_names_in_messages_become_code() -> None:
    assert plain("pass rate of `long` is worse") == "pass rate of <code>long</code> is worse"
    assert rendered(plain("an `open <b>quote")).elements == {"p", "code"}


@pytest.mark.parametrize("limit", [COMMENT_LIMIT, 5_000, 1_200])
def test_it_never_gets_longer_than_github_takes(limit: int) -> None:
    many = rows(3_000, text="é" * 300)
    decision = decided(many, broken(many, *(f"c{i:03}" for i in range(0, 3_000, 2))))
    text = decision_markdown(decision, limit=limit)
    assert len(text.encode()) <= limit
    assert "left out" in text
    assert rendered(text).elements <= OURS
    assert text.count("<details>") == text.count("</details>")


def test_a_summary_holds_more_than_a_comment() -> None:
    many = rows(600, text="long answer " * 20)
    decision = decided(many, broken(many, *many))
    assert len(decision_markdown(decision).encode()) <= COMMENT_LIMIT
    assert len(decision_markdown(decision, limit=SUMMARY_LIMIT).encode()) > COMMENT_LIMIT


def test_comments_of_several_jobs_have_markers_of_their_own() -> None:
    decision = decided({"a": Row([True])}, {"a": Row([True])})
    assert decision_markdown(decision, key="unit --> <b>").startswith(
        "<!-- agentci-gate unitb -->\n"
    )
    assert HOSTILE not in decision_markdown(decision, key=HOSTILE)
