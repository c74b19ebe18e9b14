"""What results mean by themselves: lists, scores, and why an evaluation is not green."""

from __future__ import annotations

import pytest

from agentci.app.eval_outcome import day, failing_explanation, summarize, why_not_green
from agentci.app.eval_request import EvaluatedSuite
from agentci.cli.render.eval_text import suite_text
from agentci.cli.render.reasons import by_reason
from agentci.core.digest import digest_bytes
from agentci.evals.results import CaseResult, Score, SuiteResult, TrialResult, TrialStatus
from agentci.spec.suite import QuarantineSpec

DIGEST = digest_bytes(b"")
TODAY = "2026-11-23"


def _trial(number: int, what: str) -> TrialResult:
    status: TrialStatus = "judged" if what in "+-" else "error" if what == "!" else "not_judged"
    passed = what == "+"
    scores = {
        "aside": Score(0, passed=False, explanation="not it"),
        "exact": Score(float(passed), passed, "" if passed else "differs"),
    }
    return TrialResult(
        number,
        status,
        DIGEST,
        reason="" if status == "judged" else f"because\nhint: agentci {what}",
        scores=scores if status == "judged" else {},
        passed=passed,
        failing=("exact",) if what == "-" else (),
        metrics={"cost": 0.5, "tokens": 10} if status == "judged" else {},
    )


def _case(name: str, trials: str) -> CaseResult:
    found = tuple(_trial(number, what) for number, what in enumerate(trials, start=1))
    return CaseResult(name, DIGEST, found, file="cases.jsonl", line=3)


def _suite(**cases: str) -> EvaluatedSuite:
    found = tuple(_case(name, trials) for name, trials in sorted(cases.items()))
    held = QuarantineSpec(case="held", owner="o", reason="r", expires=TODAY)
    return EvaluatedSuite(SuiteResult("p/a", "a", 1, {}, found), (held,))


@pytest.mark.parametrize(
    ("cases", "code"),
    [
        ({"a": "+", "b": "+"}, None),
        ({"a": "+", "held": "-"}, None),
        ({"a": "+", "b": "-"}, 1),
        ({"a": "++-"}, 1),
        ({"a": "+", "b": "-", "c": "?"}, 4),
        ({"a": "+", "held": "?"}, 4),
        ({"a": "+?"}, 4),
        ({}, 4),
        ({"a": "+", "b": "-", "c": "?", "d": "!"}, 6),
        ({"a": "+!"}, 6),
    ],
)
def test_the_worst_that_happened_decides(cases: dict[str, str], code: int | None) -> None:
    error = why_not_green([summarize(_suite(**cases), today=TODAY)])
    assert (error.exit_code if error else None) == code


def test_a_suite_without_a_judged_case_is_no_excuse_for_another() -> None:
    green = summarize(_suite(a="+"), today=TODAY)
    assert why_not_green([green, summarize(_suite(), today=TODAY)]) is None
    assert why_not_green([]) is not None


def test_a_quarantine_holds_through_its_last_day() -> None:
    assert summarize(_suite(held="-"), today=TODAY).quarantined
    assert summarize(_suite(held="-"), today="2026-11-24").failed


def test_repeats_give_unbiased_estimates_and_the_flaky_cases() -> None:
    summary = summarize(_suite(a="+++", b="++-", c="---"), today=TODAY)
    assert summary.flaky == ("b",)
    assert summary.rate == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert summary.repeats == {"pass@3": pytest.approx(2 / 3), "pass^3": pytest.approx(1 / 3)}
    assert (summary.share.hits, summary.share.total) == (1, 3)
    assert summary.metrics == {"cost": 4.5, "tokens": 90}


def test_the_explanation_is_that_of_a_scorer_that_gates() -> None:
    assert failing_explanation(_case("a", "+-")) == "exact: differs"


def test_the_text_lists_what_needs_a_look() -> None:
    cases = {"a": "+", "b": "-", "c": "?", "d": "!", "held": "-"}
    text = suite_text(summarize(_suite(**cases), today=TODAY), color=False)
    assert (
        "p/a (a): 1 of 3 cases passed, 33.3 % (95 % interval 6.1 to 79.2 %), 2 not judged" in text
    )
    assert "failed      b  cases.jsonl:3\n    exact: differs" in text
    assert "quarantined held" in text
    assert "not judged  c  cases.jsonl:3\n    because\n    hint: agentci ?" in text
    assert "error       d" in text
    assert "passed      a" not in text
    whole = suite_text(summarize(_suite(**cases), today=TODAY), color=False, everything=True)
    assert "passed      a" in whole


def test_long_lists_are_cut_and_say_so() -> None:
    cases = {f"c{number:03}": "-" for number in range(60)}
    text = suite_text(summarize(_suite(**cases), today=TODAY), color=False)
    assert "and 10 more failed; `--all` lists them" in text


def test_a_reason_is_told_once() -> None:
    cases = {f"c{number:03}": "?" for number in range(30)}
    text = suite_text(summarize(_suite(**cases), today=TODAY), color=False)
    assert text.count("because") == 1
    assert text.count("not judged  c") == 30
    assert text.index("c029") < text.index("because"), "the reason follows all cases that have it"


def test_cases_with_another_reason_are_a_group_of_their_own() -> None:
    groups = by_reason(["a1", "b1", "a2", "", "b2", ""], lambda each: each[:1])
    assert [(group.reason, group.members) for group in groups] == [
        ("a", ["a1", "a2"]),
        ("b", ["b1", "b2"]),
        ("", [""]),
        ("", [""]),
    ]


def test_many_cases_without_a_recording_have_one_command_that_records_them() -> None:
    def reason(number: int) -> str:
        return f"no recording of {number}\n  cause: none\nhint: agentci eval p --mode record"

    trials = [
        TrialResult(1, "not_judged", DIGEST, reason=reason(number), scores={}, passed=False)
        for number in range(30)
    ]
    found = tuple(CaseResult(f"c{n:02}", DIGEST, (trial,)) for n, trial in enumerate(trials))
    summary = summarize(EvaluatedSuite(SuiteResult("p/a", "a", 1, {}, found), ()), today=TODAY)
    text = suite_text(summary, color=False)
    assert text.count("no recording of") == 30
    assert text.count("cause: none") == 3
    assert text.splitlines()[-1] == "  to record them all: agentci eval p/a --mode record"


def test_a_suite_of_which_no_case_was_asked_for_is_not_called_unjudged() -> None:
    text = suite_text(summarize(_suite(), today=TODAY), color=False)
    assert text == "p/a (a): none of its cases was asked for\n"


def test_hostile_ids_and_explanations_cannot_move_the_cursor() -> None:
    text = suite_text(summarize(_suite(**{"a\x1b[2J": "-"}), today=TODAY), color=False)
    assert "\x1b" not in text


def test_a_day_is_in_utc() -> None:
    assert day(1_767_225_599) == "2025-12-31"
