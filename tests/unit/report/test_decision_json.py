"""A kept decision is read as it was written, and what is no decision is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentci.cli.render.decision_text import decision_text
from agentci.core.errors import FormatError
from agentci.report.decision_json import (
    decision_json,
    decision_schema,
    read_decision,
    read_report,
    report_json,
)
from agentci.report.github import decision_annotations
from agentci.report.html import TEMPLATES, decision_html
from agentci.report.junit import decision_junit
from agentci.report.markdown import decision_markdown
from agentci.report.sarif import decision_sarif
from agentci.report.transcripts import Report
from tests.support.command_line import ROOT
from tests.support.decisions import decided, hostile_decision, rich_report, rows

KEPT = report_json(rich_report())


def test_what_was_written_is_read() -> None:
    assert read_report(KEPT.encode()) == rich_report()
    hostile = Report(hostile_decision())
    assert read_report(report_json(hostile).encode()) == hostile


def test_what_the_gate_prints_is_read_as_well() -> None:
    decision = rich_report().decision
    printed = json.dumps({**decision_json(decision), "base_from": "GitHub"})
    assert read_decision(printed.encode()) == decision


def test_characters_that_utf8_cannot_carry_are_kept() -> None:
    decision = replace(rich_report().decision, notes=("\ud800",))
    assert read_decision(report_json(Report(decision)).encode()) == decision


def test_fields_of_a_newer_minor_revision_are_left_out() -> None:
    data = json.loads(KEPT)
    data["suites"][0]["cases"][0]["mood"] = "fine"
    data["weather"] = None
    assert read_report(json.dumps(data).encode()) == rich_report()


def test_a_newer_version_is_refused() -> None:
    data = json.loads(KEPT) | {"version": 2}
    with pytest.raises(FormatError) as caught:
        read_decision(json.dumps(data).encode(), name="d.json")
    assert caught.value.code == "ACI-F481"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "format"),
        (b'{"format": "agentci/decision"}', "no version"),
        (b'{"format": "agentci/decision", "version": 1}', "has no `base`"),
    ],
)
def test_what_is_no_decision_is_told(data: bytes, says: str) -> None:
    with pytest.raises(FormatError, match=says) as caught:
        read_decision(data, name="d.json")
    assert caught.value.code == "ACI-F480"
    assert "`d.json`" in caught.value.message


@pytest.mark.parametrize("number", [10**400, -(10**30), float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["exit_code", "base"])
def test_numbers_that_nobody_can_calculate_with_are_refused(number: float, field: str) -> None:
    data = json.loads(KEPT)
    suite = data["suites"][0]
    (suite if field == "exit_code" else suite["comparisons"][0])[field] = number
    with pytest.raises(FormatError, match=field):
        read_decision(json.dumps(data).encode())


def test_a_wrong_value_is_told_with_its_place() -> None:
    data = json.loads(KEPT)
    data["suites"][0]["cases"][3]["head"]["passes"] = "many"
    with pytest.raises(FormatError, match=r"`suites\[0\]\.cases\[3\]\.head\.passes`"):
        read_decision(json.dumps(data).encode())


SMALL = json.loads(report_json(Report(decided(rows(2), rows(2, failing=1)))))


PARTS = {name: (ROOT / "templates/report" / name).read_text() for name in TEMPLATES}
FORMATS: tuple[Callable[[Report], str], ...] = (
    report_json,
    lambda kept: decision_html(kept, templates=PARTS),
    lambda kept: decision_annotations(kept.decision),
    lambda kept: decision_junit(kept.decision),
    lambda kept: decision_markdown(kept.decision),
    lambda kept: decision_sarif(kept.decision),
    lambda kept: decision_text(kept.decision, color=False, everything=True),
)


def _places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything in a document."""
    if not isinstance(node, dict | list):
        return [at]
    found = [at]
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        found += _places(value, (*at, key))
    return found


@settings(deadline=None)
@given(
    st.sampled_from([place for place in _places(SMALL) if place]),
    st.sampled_from([None, True, -1, 0, 0.5, "x", [], {}, [None], {"a": 1}, 2**53]),
)
def test_damage_is_read_or_refused_and_never_a_crash(place: tuple[Any, ...], value: Any) -> None:
    data = json.loads(json.dumps(SMALL))
    node = data
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    with suppress(FormatError):
        kept = read_report(json.dumps(data).encode())
        for render in FORMATS:
            render(kept)


def test_the_schema_takes_what_is_written_and_refuses_what_is_not() -> None:
    schema: Any = decision_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    checker: Any = jsonschema.Draft202012Validator(schema)
    data = json.loads(KEPT)
    assert checker.is_valid(data)
    assert checker.is_valid(json.loads(report_json(Report(hostile_decision()))))
    data["suites"][0]["cases"][0]["change"] = "fine"
    assert not checker.is_valid(data)
    assert "in order of their paths" in json.dumps(schema).lower()
