"""What all scorers promise, and what no answer can make them do."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import AgentciError, StepFailed, UsageError
from agentci.core.json_types import JsonValue
from agentci.evals.case import Subject, ToolUse
from agentci.evals.results import Score
from agentci.evals.scorers.registry import built_in_scorers, parse_options, scorer
from agentci.spec.pipeline import ModelSpec
from tests.support.scorer_services import (
    Services,
    changed,
    score,
    services_for,
    subject,
    verdict,
)

BEFORE = {"a.py": "x = 1\n", "test_a.py": "from a import x\n\ndef test_x():\n    assert x == 2\n"}
PATCH = "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
CHECK = "def check(subject):\n    return subject['text'] == 'yes'\n"
JUDGES = {"m": ModelSpec(provider="scripted", id="m1")}


@dataclass(frozen=True)
class Row:
    """One scorer, with an answer that passes and one that does not."""

    options: Mapping[str, Any]
    good: JsonValue = "yes"
    bad: JsonValue = "no"
    more_good: Mapping[str, Any] = field(default_factory=dict)
    more_bad: Mapping[str, Any] = field(default_factory=dict)
    on_files: bool = False


USED = (ToolUse("search", {}, "agent"),)
ROWS: Mapping[str, Row] = {
    "command": Row({"run": ["grep", "-q", "x = 2", "a.py"]}, on_files=True),
    "contains": Row({"all": ["es"]}),
    "cost": Row(
        {"max": 1}, more_good={"metrics": {"cost": 1.0}}, more_bad={"metrics": {"cost": 2}}
    ),
    "edit_distance": Row({"value": "yes"}),
    "exact": Row({"value": "yes"}),
    "files": Row({"required": ["a.py"]}, on_files=True),
    "json_equal": Row({"value": {"a": 1}}, '{"a": 1}', '{"a": 2}'),
    "json_schema": Row({"schema": {"type": "object"}}, "{}", "[]"),
    "judge": Row({"rubric": "Says yes?"}),
    "latency": Row(
        {"max": 1}, more_good={"metrics": {"latency": 0.5}}, more_bad={"metrics": {"latency": 4}}
    ),
    "normalised": Row({"value": "YES"}),
    "numeric": Row({"value": 3}, "3", "4"),
    "patch": Row({}, PATCH, PATCH.replace("x = 1", "x = 5"), on_files=True),
    "promptfoo": Row({"rules": [{"type": "equals", "value": "yes"}]}),
    "pydantic_evals": Row({"evaluators": [{"type": "Equals", "value": "yes"}]}),
    "pytest": Row({}, on_files=True),
    "python": Row({"function": "check.py:check"}),
    "regex": Row({"pattern": "^y"}),
    "steps": Row(
        {"max": 3}, more_good={"metrics": {"steps": 3}}, more_bad={"metrics": {"steps": 4}}
    ),
    "tokens": Row(
        {"max": 9}, more_good={"metrics": {"tokens": 0}}, more_bad={"metrics": {"tokens": 10}}
    ),
    "trajectory": Row({"required": ["search"]}, more_good={"trajectory": USED}),
}
"""For scorers of files, the good work changes `a.py`, and the bad one changes nothing."""

OUTPUT_SCORERS = sorted(
    set(ROWS) - {"command", "files", "pytest", "cost", "latency", "steps", "tokens", "trajectory"}
)


def _world(tmp_path: Path, row: Row, *, good: bool) -> Services:
    files: dict[str, Any] = {"suite": {"check.py": CHECK}}
    if row.on_files:
        files["before"] = BEFORE
        files["after"] = {"a.py": "x = 2\n"} if good else {}
    services = services_for(tmp_path, **files)
    services.models = JUDGES
    services.answers = [verdict("pass" if good else "fail")]
    return services


def _judged(kind: str, tmp_path: Path, *, good: bool) -> Score:
    row = ROWS[kind]
    services = _world(tmp_path, row, good=good)
    output = row.good if good else row.bad
    more = dict(row.more_good if good else row.more_bad)
    what = changed(services, output, **more) if row.on_files else subject(output, **more)
    return score(kind, row.options, what, services)


def test_the_table_has_every_scorer() -> None:
    assert set(ROWS) == set(built_in_scorers())


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_a_good_answer_passes_with_the_full_value(kind: str, tmp_path: Path) -> None:
    found = _judged(kind, tmp_path, good=True)
    assert (found.value, found.passed) == (1.0, True), found
    canonical_bytes(dict(found.details))


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_a_bad_answer_fails_with_a_reason_in_one_line(kind: str, tmp_path: Path) -> None:
    found = _judged(kind, tmp_path, good=False)
    assert not found.passed
    assert 0 <= found.value < 1
    assert found.explanation.strip()
    assert "\n" not in found.explanation
    assert len(found.explanation) <= 1500
    canonical_bytes(dict(found.details))


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_equal_answers_have_equal_scores(kind: str, tmp_path: Path) -> None:
    first = _judged(kind, tmp_path / "first", good=False)
    assert _judged(kind, tmp_path / "second-with-another-name", good=False) == first


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_unknown_options_are_refused(kind: str) -> None:
    with pytest.raises(UsageError, match="unknown key `not_an_option`"):
        parse_options(kind, {**ROWS[kind].options, "not_an_option": 1})


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_every_option_is_described(kind: str) -> None:
    model = scorer(kind).options
    assert model.__doc__
    schema = model.model_json_schema()
    for name, field_schema in schema["properties"].items():
        assert field_schema.get("description"), f"{kind}.{name}"


def _deep(depth: int) -> JsonValue:
    value: JsonValue = 1
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: Mapping[str, JsonValue] = {
    "empty": "",
    "nothing": None,
    "half a character": "a\ud800b",
    "half a character inside": {"\udc00": ["\ud83d"]},
    "not a number": math.nan,
    "infinite": [math.inf],
    "deep text": "[" * 100_000,
    "deep value": _deep(5000),
    "deep closed text": "[" * 900 + "]" * 900,
    "nul": "\0" * 1000,
    "a long number": "9" * 1_000_000,
    "a huge whole number": 10**5000,
    "many numbers": "1,111" * 200_000,
    "many lines": "+++ \n--- \n" * 100_000,
    "fences": "```\n" * 50_000,
    "templates": "${{ case.id }} {{ 7 * 7 }}",
}


def _score_or_code(
    kind: str, options: Mapping[str, Any], what: Subject, services: Services
) -> Score | str:
    try:
        return score(kind, options, what, services)
    except StepFailed as error:
        return error.code


@pytest.mark.parametrize("name", sorted(HOSTILE))
@pytest.mark.parametrize("kind", OUTPUT_SCORERS)
def test_no_answer_crashes_or_hangs_a_scorer(kind: str, name: str, tmp_path: Path) -> None:
    row = ROWS[kind]
    services = _world(tmp_path, row, good=False)
    what = subject(HOSTILE[name], "yes")
    if row.on_files:
        what = changed(services, HOSTILE[name])
    start = time.monotonic()
    found = _score_or_code(kind, row.options, what, services)
    assert time.monotonic() - start < 20
    if isinstance(found, str):
        assert (found, name in {"deep value", "a huge whole number"}) == ("ACI-S509", True)
        return
    assert 0 <= found.value <= 1
    assert not found.passed
    json.dumps(found.explanation).encode()
    canonical_bytes({"explanation": found.explanation, "details": dict(found.details)})


@pytest.mark.slow
@pytest.mark.parametrize("kind", OUTPUT_SCORERS)
def test_a_hundred_megabytes_are_judged_or_refused(kind: str, tmp_path: Path) -> None:
    row = ROWS[kind]
    services = _world(tmp_path, row, good=False)
    text = "lorem ipsum " * 8_400_000
    what: Subject = changed(services, text) if row.on_files else subject(text)
    try:
        found = score(kind, row.options, what, services)
    except AgentciError:
        return
    assert not found.passed
    assert len(found.explanation) <= 1500
