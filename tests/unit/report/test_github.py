"""Annotations and outputs, read as GitHub's runner reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.digest import digest_json
from agentci.gate.decision import Decision
from agentci.report.characters import legible
from agentci.report.github import (
    MOST_ANNOTATIONS,
    decision_annotations,
    output_file,
    step_outputs,
)
from tests.support.decisions import (
    broken,
    decided,
    forged_decision,
    hostile_decision,
    rich_decision,
    rows,
)


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands: name, properties and text, their escapes undone."""
    found = []
    for line in text.splitlines():
        assert line.startswith("::")
        head, _, data = line[2:].partition("::")
        name, _, rest = head.partition(" ")
        pairs = dict(each.split("=", 1) for each in rest.split(","))
        found.append((name, {k: _plain(v) for k, v in pairs.items()}, _plain(data)))
    return found


def _plain(text: str) -> str:
    for mark, character in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(mark, character)
    return text


def read_outputs(text: str) -> dict[str, str]:
    """Read the file of outputs: `name<<DELIMITER`, lines, `DELIMITER`."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if line:
            name, _, delimiter = line.partition("<<")
            value = []
            for each in lines:
                if each == delimiter:
                    break
                value.append(each)
            assert name not in found
            found[name] = "\n".join(value)
    return found


def test_one_sums_up_and_one_stands_at_each_broken_case() -> None:
    first, *rest = commands(decision_annotations(rich_decision()))
    assert first[0] == "error"
    assert "pipelines/support: regression" in first[2]
    assert [(name, p.get("line"), p["title"]) for name, p, _text in rest] == [
        ("error", "21", "newly broken: c020"),
        ("error", "31", "newly broken: c030"),
        ("error", "51", "newly broken: c050"),
        ("error", "12", "not judged: c011"),
        ("warning", "13", "newly broken: c012"),
    ]
    assert {p["file"] for _name, p, _text in rest} == {"pipelines/demo/cases.jsonl"}
    assert "agentci eval pipelines/support --case c011 --mode record" in rest[3][2]


def test_there_are_never_more_than_github_shows() -> None:
    many = rows(50)
    found = commands(decision_annotations(decided(many, broken(many, *many))))
    assert len(found) == MOST_ANNOTATIONS == 10
    assert "41 more cases are in the summary of the job" in found[0][2]


def test_a_passing_decision_is_a_notice() -> None:
    ((name, properties, _text),) = commands(decision_annotations(decided(rows(9), rows(9))))
    assert (name, properties["title"]) == ("notice", "agentci gate passes: no regression")


@pytest.mark.parametrize("decision", [hostile_decision(), forged_decision()])
def test_hostile_texts_make_no_command_of_their_own(decision: Decision) -> None:
    found = commands(decision_annotations(decision))
    assert [name for name, _properties, _text in found] == ["error"] * 3
    assert all(set(properties) <= {"file", "line", "title"} for _name, properties, _text in found)
    assert "\n::error::injected\n" in found[1][2]


def test_a_step_hands_on_what_was_decided() -> None:
    digest = digest_json("answers")
    values = step_outputs(rich_decision(), report_path="/w/report.html", run_digest=digest)
    assert values["verdict"] == "regression"
    assert values["blocks"] == "true"
    assert values["exit-code"] == "4"
    assert values["score"] == "0.8889"
    assert values["newly-broken"] == "4"
    assert json.loads(values["newly-broken-cases"])[0] == "pipelines/support::c012"
    assert values["not-judged"] == "1"
    assert values["report-path"] == "/w/report.html"
    assert values["run-digest"] == digest


def test_nothing_judged_has_no_score() -> None:
    decision = decided(None, rows(0))
    assert step_outputs(decision, report_path=None, run_digest=None)["score"] == ""


@given(st.dictionaries(st.sampled_from(["verdict", "score", "report-path"]), st.text()))
def test_no_value_can_set_another_output(values: Mapping[str, str]) -> None:
    assert read_outputs(output_file(values)) == {k: legible(v) for k, v in values.items()}


def test_a_value_that_holds_the_delimiter_of_another_is_still_one_value() -> None:
    first = output_file({"verdict": "x"}).splitlines()[0].partition("<<")[2]
    evil = f"x\n{first}\nverdict<<{first}\nno regression\n{first}"
    assert read_outputs(output_file({"verdict": evil})) == {"verdict": evil}
