"""Scorers of texts and numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from agentci.core.errors import StepFailed, UsageError
from agentci.core.json_types import JsonValue
from agentci.evals.scorers.patterns import matches
from tests.support.scorer_services import score, subject


@pytest.mark.parametrize(
    ("kind", "options", "answer", "expected", "value"),
    [
        ("exact", {}, "a", "a", 1),
        ("exact", {}, {"text": "a"}, "a", 1),
        ("exact", {}, " a\n", "a", 0),
        ("exact", {"strip": True}, " a\n", "a", 1),
        ("exact", {}, {"b": 1, "a": 2.0}, {"a": 2, "b": 1}, 1),
        ("exact", {"answer": "b"}, "a", "b", 1),
        ("exact", {"value": None}, None, "b", 1),
        ("normalised", {}, "  The\tCAT\n", "the cat", 1),
        ("normalised", {"case": True}, "The", "the", 0),
        ("normalised", {}, "the, cat!", "the cat", 0),
        ("normalised", {"punctuation": False}, "the, cat!", "the cat", 1),
        ("normalised", {"whitespace": "remove"}, "the cat", "thecat", 1),
        ("normalised", {"whitespace": "keep"}, "the  cat", "the cat", 0),
        ("normalised", {}, "e\u0301", "\u00e9", 1),
        ("normalised", {"unicode": "keep"}, "e\u0301", "\u00e9", 0),
        ("normalised", {"unicode": "NFKC"}, "\ufb01x", "fix", 1),
        ("normalised", {}, "STRASSE", "stra\u00dfe", 1),
        ("contains", {}, "one two three", ["one", "three"], 1),
        ("contains", {}, "one two", ["one", "three"], 0.5),
        ("contains", {}, "one two", "two", 1),
        ("contains", {"any": ["x", "two"]}, "one two", None, 1),
        ("contains", {"any": ["x", "y"]}, "one two", None, 0),
        ("contains", {"none": ["TWO"]}, "one two", None, 1),
        ("contains", {"none": ["TWO"], "case": False}, "one two", None, 0),
        ("contains", {"all": ["ONE"], "none": ["x"], "case": False}, "one two", None, 1),
        ("regex", {"pattern": "t.o"}, "one two", None, 1),
        ("regex", {"pattern": "t.o", "mode": "fullmatch"}, "one two", None, 0),
        ("regex", {"pattern": "a|ab", "mode": "fullmatch"}, "ab", None, 1),
        ("regex", {"pattern": "(?x)a b # both", "mode": "fullmatch"}, "ab", None, 1),
        ("regex", {"pattern": "(?is)A.B", "mode": "fullmatch"}, "a\nb", None, 1),
        ("regex", {"pattern": "ONE", "ignore_case": True}, "one", None, 1),
        ("regex", {"pattern": "one", "absent": True}, "one", None, 0),
        ("regex", {"pattern": "(o+n+e+)+", "mode": "fullmatch"}, "one", None, 1),
        ("numeric", {}, "3", 3, 1),
        ("numeric", {}, 3.0, "3", 1),
        ("numeric", {}, " -1,234.5e1 ", -12345, 1),
        ("numeric", {}, "\u22123", -3, 1),
        ("numeric", {}, "3 apples", 3, 0),
        ("numeric", {}, True, 1, 0),
        ("numeric", {"extract": "last"}, "1 then 2.", 2, 1),
        ("numeric", {"extract": "first"}, "from 3-5", 3, 1),
        ("numeric", {"extract": "last"}, "from 3-5", 5, 1),
        ("numeric", {"extract": "only"}, "3 or 4", 3, 0),
        ("numeric", {"extract": "only"}, "v2 gives $.5", 0.5, 1),
        ("numeric", {"extract": "first"}, "none", 3, 0),
        ("numeric", {"absolute": 0.1}, "3.1", 3.05, 1),
        ("numeric", {"absolute": 0.01}, "3.1", 3.05, 0),
        ("numeric", {"relative": 0.1}, "109", 100, 1),
        ("numeric", {"relative": 0.1}, "111", 100, 0),
        ("numeric", {"relative": 0.1}, "-91", -100, 1),
        ("numeric", {"absolute": 1e308}, "-1e308", 1e308, 0),
        ("numeric", {}, "1e999", 3, 0),
        ("edit_distance", {}, "kitten", "sitting", 1 - 3 / 7),
        ("edit_distance", {}, "", "", 1),
    ],
)  # fmt: skip
def test_value(
    kind: str,
    options: Mapping[str, Any],
    answer: JsonValue,
    expected: JsonValue,
    value: float,
) -> None:
    found = score(kind, options, subject(answer, expected))
    assert found.value == pytest.approx(value)
    assert found.passed is (value == 1)


def test_a_long_text_is_shown_around_the_first_difference() -> None:
    found = score("exact", {}, subject("a" * 500 + "X" + "b" * 500, "a" * 500 + "Y" + "b" * 500))
    assert 'expected ..."aaaaaaaaaaaaaaaaaaaaYbbb' in found.explanation
    assert 'got ..."aaaaaaaaaaaaaaaaaaaaXbbb' in found.explanation
    assert "(from character 501)" in found.explanation
    assert len(found.explanation) < 300


def test_a_shorter_answer_is_told_from_where_it_ends() -> None:
    found = score("exact", {}, subject("abc", "abcdef"))
    assert found.explanation == 'expected "abcdef", got "abc"'


def test_an_edit_distance_is_told_in_edits() -> None:
    near = score("edit_distance", {}, subject("kitten", "sitting"))
    assert near.explanation == '3 edits: expected "sitting", got "kitten"'
    assert near.details == {"edits": 3, "length": 7}


def test_a_case_without_an_expected_answer_is_no_failed_case() -> None:
    for kind in ("exact", "normalised", "numeric", "edit_distance", "json_equal"):
        with pytest.raises(UsageError, match="has no expected answer"):
            score(kind, {}, subject("a"))
    with pytest.raises(UsageError, match="does not say what"):
        score("contains", {}, subject("a"))
    with pytest.raises(UsageError, match="is no number"):
        score("numeric", {}, subject("3", "three"))


def test_an_expression_that_never_ends_is_an_error_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentci.evals.scorers.patterns.SECONDS", 0.5)
    with pytest.raises(StepFailed, match="did not end") as caught:
        score("regex", {"pattern": "^(a+)+$"}, subject("a" * 40 + "b"))
    assert caught.value.code == "ACI-S501"


def test_optional_parts_and_counted_ones_are_repetitions_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agentci.evals.scorers.patterns.SECONDS", 0.5)
    with pytest.raises(StepFailed):
        score("regex", {"pattern": "a?" * 30 + "a" * 30 + "$"}, subject("a" * 30))
    with pytest.raises(StepFailed):
        score("regex", {"pattern": "^(a{1,9}){1,99}$"}, subject("a" * 60 + "b"))


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a|aa)+$",
        "^(?:a|a)*$",
        "^(a|aa) +$",
        r"^(a|aa){1,99}$",
        "^(a|aa)(?#c)+$",
        "^" + "(a|aa)" * 40 + "$",
    ],
)
def test_one_repetition_of_a_choice_may_never_end_either(
    pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentci.evals.scorers.patterns.SECONDS", 0.5)
    flags = "(?x)" if " " in pattern else ""
    with pytest.raises(StepFailed):
        score("regex", {"pattern": flags + pattern}, subject("a" * 60 + "b"))


def test_a_wrong_expression_is_told_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="not a regular expression"):
        score("regex", {"pattern": "("}, subject("a"))


@pytest.mark.parametrize("pattern", ["b", "b+.*c*"])
def test_many_texts_are_matched_at_once(pattern: str) -> None:
    assert asyncio.run(matches(pattern, ["abc", "none", "b"])) == {0, 2}
