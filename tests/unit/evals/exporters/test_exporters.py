"""Results in formats of other tools: complete, and the same bytes for the same results."""

from __future__ import annotations

import io
import json
import zipfile

from agentci.evals.exporters.inspect import CaseSource, inspect_log
from agentci.evals.exporters.jsonl import trials_jsonl
from agentci.evals.importers.findings import Notes
from agentci.evals.importers.inspect_log import log_results, read_log
from tests.support.evaluations import Row, suite_result

SUITE = suite_result(
    {
        "a/b \u00fc": Row([True, False], group="g", tags=("x",), metrics={"latency": 0.5}),
        "..": Row([False, True]),
        "gone": Row([False], status="not_judged"),
    }
)
SOURCES = {"..": CaseSource({"q": 1}, ["one", 2]), "gone": CaseSource("ask", None)}


def test_an_archive_is_read_by_others_and_back() -> None:
    data = inspect_log(SUITE, SOURCES, form="eval")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_DEFLATED}
        assert "samples/a/b \u00fc_epoch_2.json" in archive.namelist()
    for form in (data, inspect_log(SUITE, SOURCES, form="json")):
        back = log_results(read_log(form, "x"), suite="s", threshold=1.0, notes=Notes())
        verdicts = {case.case: [trial.passed for trial in case.trials] for case in back.cases}
        assert verdicts == {"a/b \u00fc": [True, False], "..": [False, True], "gone": [False]}
        assert {case.case for case in back.cases if not case.judged} == {"gone"}


def test_inputs_and_targets_are_in_the_log() -> None:
    log = json.loads(inspect_log(SUITE, SOURCES, form="json"))
    found = {each["id"]: (each["input"], each["target"]) for each in log["samples"]}
    assert found == {"a/b \u00fc": ("", ""), "..": ('{"q":1}', ["one", "2"]), "gone": ("ask", "")}


def test_equal_results_are_equal_bytes() -> None:
    assert inspect_log(SUITE, SOURCES, form="eval") == inspect_log(SUITE, SOURCES, form="eval")
    assert b"1970-01-01" in inspect_log(SUITE, {}, form="json")


def test_a_trial_is_a_line() -> None:
    lines = [json.loads(line) for line in trials_jsonl([SUITE]).splitlines()]
    assert len(lines) == 5
    assert lines[0]["suite"] == "pipelines/demo"
    assert {"case", "trial", "status", "passed", "scores", "group", "tags"} <= set(lines[0])
