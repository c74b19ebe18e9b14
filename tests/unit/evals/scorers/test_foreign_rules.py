"""What promptfoo's assertions say, where an answer is odd; the whole is held against promptfoo."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agentci.core.errors import AgentciError, StepFailed
from agentci.evals.scorers.foreign_json import json_parts
from agentci.evals.scorers.foreign_rules import Answer, Judged, Rule, judge_all


def judged(*rules: Rule, text: str, threshold: float | None = None, **metrics: float) -> Judged:
    return asyncio.run(judge_all(rules, Answer(text, metrics), threshold=threshold))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('a {"x": 1} b {"y": {}}', [{"x": 1.0}, {"y": {}}]),
        ("{x} and {y: 'it', z: don't}", [{"x": None}, {"y": "it", "z": "don't"}]),
        ("{a: 1 // note\n}", [{"a": 1.0}]),
        ("{u: http://a.b//c}", [{"u": "http://a.b//c"}]),
        ('{"open": [1]', [{"open": [1.0]}]),
        ("} none {]", []),
    ],
)
def test_objects_are_found_in_other_text(text: str, parts: list[object]) -> None:
    assert list(json_parts(text)) == parts


@pytest.mark.parametrize("text", ["{a: 007}", "{{ x }}", "{a: 1, <<: {b: 1}}", "{a: !x 1}"])
def test_yaml_that_readers_disagree_about_gives_no_verdict(text: str) -> None:
    with pytest.raises(StepFailed, match="readers disagree"):
        judged(Rule(type="contains-json"), text=text)


@pytest.mark.parametrize("text", ["{" * 50_000, "{}" * 50_000, "{a: " * 20_000, '{"a":1}' * 9_999])
def test_an_answer_full_of_braces_ends_soon(text: str) -> None:
    rule = Rule(
        type="contains-json", value={"required": ["z"], "properties": {"a": {"multipleOf": 2}}}
    )
    start = time.monotonic()
    with pytest.raises(StepFailed, match=r"too many braces|readers disagree"):
        judged(rule, text=text)
    assert time.monotonic() - start < 10


def test_a_weighted_mean_is_held_against_a_threshold() -> None:
    yes, no = Rule(type="contains", value="a", weight=3), Rule(type="contains", value="z")
    assert judged(yes, no, text="a", threshold=0.75) == Judged(passed=True, score=0.75)
    assert not judged(yes, no, text="a", threshold=0.76).passed
    assert not judged(yes, no, text="a").passed
    assert judged(text="a") == Judged(passed=True, score=1.0)


def test_without_weight_an_assertion_cannot_fail_but_a_set_can() -> None:
    no = Rule(type="contains", value="z", weight=0)
    assert judged(no, text="a").passed
    inner = (Rule(type="contains", value="z"),)
    assert not judged(Rule(type="assert-set", weight=0, rules=inner), text="a").passed


def test_cost_and_time_are_held_against_what_was_recorded() -> None:
    cost, latency = Rule(type="cost", threshold=0.1), Rule(type="latency", threshold=1500)
    assert judged(cost, latency, text="", cost=0.1, latency=1.5).passed
    assert not judged(latency, text="", latency=1.6).passed
    with pytest.raises(AgentciError, match="not known"):
        judged(cost, text="")


@pytest.mark.parametrize(
    "rule",
    [{"type": "javascript"}, {"type": "contains", "weight": -1},
     {"type": "assert-set", "rules": [{"type": "assert-set"}]}],
)  # fmt: skip
def test_what_is_not_judged_here_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate(rule)


@given(st.text(alphabet="{}[]:,\"'/a1 \n#-&*!<.\ud800", max_size=40))
def test_any_answer_is_judged_or_refused(text: str) -> None:
    for kind in ("contains-json", "is-json", "not-contains-json"):
        try:
            judged(Rule(type=kind), text=text)
        except StepFailed:
            continue
