"""Which field of a row is what, which cases a sample takes, and which ids a pattern fits."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.digest import digest_json
from agentci.core.errors import SpecError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.evals.case import Case
from agentci.evals.datasets.cases import Fields, case_of, matches, sampled
from agentci.evals.datasets.rows import Row
from agentci.spec.suite import SampleSpec

FIELDS = Fields("id", "input", "expected", "group", "tags")


def case(fields: JsonObject, *, line: int = 7, names: Fields = FIELDS) -> Case:
    return case_of(Row(fields, line, digest_json(fields), "a.jsonl"), names, file="x/a.jsonl")


def cases(*names: str) -> tuple[Case, ...]:
    return tuple(case({"id": name}) for name in names)


def test_the_fields_of_a_row_go_to_their_places() -> None:
    row: JsonObject = {
        "id": "a", "input": {"q": 1}, "expected": [1], "group": "g", "tags": ["z", "b"], "more": 1
    }  # fmt: skip
    found = case(row)
    assert (found.id, found.input, found.expected) == ("a", {"q": 1}, [1])
    assert (found.group, found.tags, found.row) == ("g", ("b", "z"), row)
    assert (found.file, found.line, found.digest) == ("x/a.jsonl", 7, digest_json(row))


def test_a_suite_may_name_the_fields_otherwise() -> None:
    names = Fields("key", "question", "answer", "family", "labels")
    row: JsonObject = {"key": 3, "question": "q", "answer": "a", "family": 4, "labels": "x, y,"}
    found = case(row, names=names)
    assert (found.id, found.input, found.expected) == ("3", "q", "a")
    assert (found.group, found.tags) == ("4", ("x", "y"))


def test_without_a_field_for_the_input_it_is_what_is_left_and_never_the_expected_answer() -> None:
    row: JsonObject = {"id": "a", "question": "q", "expected": "yes", "tags": []}
    assert case(row).input == {"question": "q"}
    assert case({"input": None}).input is None


@pytest.mark.parametrize("row", [{}, {"id": None}, {"id": ""}])
def test_a_row_without_an_id_is_named_by_its_line(row: JsonObject) -> None:
    assert case(row, line=12).id == "12"


@pytest.mark.parametrize(
    ("row", "code", "says"),
    [
        ({"id": 1.5}, "ACI-D544", "not a number"),
        ({"id": True}, "ACI-D544", "not true or false"),
        ({"id": ["a"]}, "ACI-D544", "not a list"),
        ({"id": "a\nb"}, "ACI-D544", "U+000A"),
        ({"id": "  "}, "ACI-D544", "only spaces"),
        ({"id": "x" * 201}, "ACI-D544", "201 characters"),
        ({"group": {}}, "ACI-D547", "group"),
        ({"group": False}, "ACI-D547", "group"),
        ({"tags": 3}, "ACI-D547", "tags"),
        ({"tags": {"a": 1}}, "ACI-D547", "tags"),
        ({"tags": ["a", 1]}, "ACI-D547", "tag"),
    ],
)
def test_what_a_field_cannot_be_is_told_with_its_line(
    row: JsonObject, code: str, says: str
) -> None:
    with pytest.raises(SpecError) as caught:
        case(row)
    problem = caught.value.problems[0]
    assert (problem.code, problem.location.file, problem.location.line) == (code, "a.jsonl", 7)
    assert says in problem.message


def ids(found: tuple[Case, ...]) -> list[str]:
    return [each.id for each in found]


def test_a_sample_is_the_same_for_everyone_and_another_for_another_seed() -> None:
    every = cases(*(f"c{index:03}" for index in range(100)))
    first = sampled(every, SampleSpec(size=10, seed=0))
    assert len(first) == 10
    assert ids(first) == sorted(ids(first))
    assert first == sampled(every, SampleSpec(size=10, seed=0))
    assert first != sampled(every, SampleSpec(size=10, seed=1))


def test_a_sample_of_everything_or_none_leaves_all() -> None:
    every = cases("a", "b")
    assert sampled(every, None) == sampled(every, SampleSpec(size=9, seed=0)) == every


@given(st.sets(st.text("abcdef", min_size=1, max_size=3), min_size=2), st.data())
def test_a_case_that_comes_changes_at_most_one_other(names: set[str], data: st.DataObject) -> None:
    new = data.draw(st.sampled_from(sorted(names)))
    sample = SampleSpec(size=data.draw(st.integers(1, len(names))), seed=0)
    before = set(ids(sampled(cases(*sorted(names - {new})), sample)))
    after = set(ids(sampled(cases(*sorted(names)), sample)))
    assert len(before - after) <= 1
    assert after - before <= {new}


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_a_star_stands_for_any_characters(pattern: str, name: str) -> None:
    assert matches(pattern, name) == fnmatch.fnmatchcase(name, pattern)


@pytest.mark.parametrize("pattern", ["a?", "[a]", "a.", "A"])
def test_nothing_but_the_star_is_special(pattern: str) -> None:
    assert not matches(pattern, "a")
    assert matches(pattern, pattern)


def test_a_pattern_made_to_be_slow_is_not() -> None:
    assert not matches("*a" * 50 + "*b", "a" * 200)


@given(
    st.dictionaries(
        st.sampled_from(["id", "group", "tags", "input"]),
        st.none() | st.text() | st.integers() | st.lists(st.text()),
        max_size=4,
    )
)
def test_every_row_becomes_a_case_or_a_problem(fields: dict[str, JsonValue]) -> None:
    try:
        found = case(fields)
    except SpecError as error:
        problems = error.problems
    else:
        assert found.id
        return
    assert {problem.code for problem in problems} <= {"ACI-D544", "ACI-D547"}
