"""Logs of the real Inspect are imported, and it reads what is exported; as does pydantic-evals."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agentci.core.digest import digest_json
from agentci.evals.case import Case, Subject
from agentci.evals.exporters.inspect import CaseSource, inspect_log
from agentci.evals.importers.findings import Notes
from agentci.evals.importers.inspect_log import dataset_rows, log_results, read_log
from agentci.evals.importers.pydantic_evals import evaluator_of
from agentci.evals.results import SuiteResult
from agentci.evals.scorers.registry import parse_options, scorer
from tests.support.client_installs import install
from tests.support.evaluations import Row, suite_result
from tests.support.scorer_services import Services

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("inspect-ai")]

_TASK = """
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, accuracy, includes, mean, scorer
from inspect_ai.solver import solver

@solver
def fixed():
    async def solve(state, generate):
        if state.sample_id == "boom" and state.epoch == 2:
            raise ValueError("boom")
        state.output = ModelOutput.from_content("mockllm/model", "Default %d" % state.epoch)
        return state
    return solve

@scorer(metrics={"a": [mean()], "b": [mean()]})
def two():
    async def score(state, target):
        return Score(value={"a": 1, "b": 0.5})
    return score

samples = [
    Sample(id="a/b \u00fc", input="hi", target="Default 1"),
    Sample(input="x" * 5000, target=["nope", "Default"], metadata={"k": 1}),
    Sample(id="boom", input="x", target="D"),
]
task = Task(dataset=samples, solver=fixed(), scorer=[includes(), two()], epochs=2,
            fail_on_error=False)
for form in ("eval", "json"):
    eval(task, model="mockllm/model", log_dir=form, log_format=form, display="none")
"""

_READ = """
import json, sys
from inspect_ai.log import read_eval_log, read_eval_log_sample, read_eval_log_sample_summaries
found = []
for name in sys.argv[1:]:
    log = read_eval_log(name)
    one = read_eval_log_sample(name, log.samples[0].id, 1)
    found.append({
        "status": log.status, "task": log.eval.task, "one": one.id,
        "header": len(read_eval_log(name, header_only=True).eval.dataset.sample_ids),
        "summaries": len(read_eval_log_sample_summaries(name)),
        "means": {s.name: s.metrics["mean"].value for s in log.results.scores},
        "samples": [[s.id, s.epoch, s.input, s.target, s.output.completion,
                     {n: v.value for n, v in s.scores.items()}, s.error and s.error.message]
                    for s in log.samples],
    })
print(json.dumps(found))
"""

_EVALUATE = """
import json, sys
from pydantic_evals.evaluators import Contains, Equals, EqualsExpected, EvaluatorContext, IsInstance
from pydantic_evals.otel import SpanTree
kinds = {"Contains": Contains, "Equals": Equals, "EqualsExpected": EqualsExpected,
         "IsInstance": IsInstance}
found = []
for name, arguments, output, expected in json.load(sys.stdin):
    context = EvaluatorContext(
        name="x", inputs=None, metadata=None, expected_output=expected, output=output,
        duration=0.0, _span_tree=SpanTree(), attributes={}, metrics={})
    value = kinds[name](**arguments).evaluate(context)
    found.append(value if isinstance(value, bool) else getattr(value, "value", True))
print(json.dumps(found))
"""


def _run(program: str, *arguments: str, folder: Path, text: str = "") -> str:
    python = install("inspect-ai") / "bin/python"
    done = subprocess.run(
        [str(python), "-c", program, *arguments],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_logs_of_inspect_are_read(tmp_path: Path) -> None:
    _run(_TASK, folder=tmp_path)
    found: list[tuple[list[Any], SuiteResult]] = []
    for form in ("eval", "json"):
        (path,) = (tmp_path / form).glob(f"*.{form}")
        log = read_log(path.read_bytes(), path.name)
        notes = Notes()
        suite = log_results(log, suite="imported/t", threshold=0.5, notes=notes)
        assert not notes.found
        found.append((list(dataset_rows(log)), suite))
        verdicts = {case.case: [trial.passed for trial in case.trials] for case in suite.cases}
        assert verdicts == {"2": [True, True], "a/b \u00fc": [True, False], "boom": [True, False]}
        assert [case.case for case in suite.cases if not case.judged] == ["boom"]
        assert "boom" in suite.cases[2].trials[1].reason
        (row,) = [row for row in dataset_rows(log) if row["id"] == "2"]
        assert (row["input"], row["expected"]) == ("x" * 5000, ["nope", "Default"])
    assert found[0][0] == found[1][0]
    assert found[0][1].digests == found[1][1].digests


def test_inspect_reads_what_is_exported(tmp_path: Path) -> None:
    suite = suite_result(
        {
            "a/b \u00fc": Row([True, False], score=None, metrics={"latency": 0.5}),
            "b": Row([True, True]),
            "gone": Row([False], status="not_judged"),
        }
    )
    sources = {"b": CaseSource({"q": 1}, ["one"])}
    for form in ("eval", "json"):
        log = inspect_log(suite, sources, form="eval" if form == "eval" else "json")
        (tmp_path / f"log.{form}").write_bytes(log)
    archive, plain = json.loads(_run(_READ, "log.eval", "log.json", folder=tmp_path))
    assert archive | {"samples": sorted(archive["samples"])} == plain
    assert (plain["status"], plain["task"], plain["header"]) == ("success", "demo", 3)
    assert plain["summaries"] == 5
    assert plain["means"] == {"right": 0.75}
    samples = {(each[0], each[1]): each[2:] for each in plain["samples"]}
    assert samples["b", 1] == ['{"q":1}', ["one"], "answer", {"right": 1.0}, None]
    assert samples["a/b \u00fc", 2][3] == {"right": 0.0}
    assert samples["gone", 1][4] == "not_judged: no recording fits"


OUTPUTS: tuple[Any, ...] = (
    "Paris", "paris, France", "", 1, 1.0, True, None, ["a", "b"], {"a": 1, "b": [1]}, [], {}, "1",
)  # fmt: skip
EVALUATORS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Equals", {"value": "Paris"}),
    ("Equals", {"value": 1}),
    ("Equals", {"value": {"b": [1.0], "a": True}}),
    ("EqualsExpected", {}),
    ("Contains", {"value": "paris"}),
    ("Contains", {"value": "PARIS", "case_sensitive": False}),
    ("Contains", {"value": "a"}),
    ("Contains", {"value": {"a": 1}}),
    ("Contains", {"value": 1}),
    ("Contains", {"value": [1]}),
    ("Contains", {"value": None}),
    ("IsInstance", {"type_name": "str"}),
    ("IsInstance", {"type_name": "int"}),
    ("IsInstance", {"type_name": "object"}),
)


def test_evaluators_judge_as_those_of_pydantic_evals(tmp_path: Path) -> None:
    asked = [
        (name, arguments, output, expected)
        for name, arguments in EVALUATORS
        for output in OUTPUTS
        for expected in ("Paris", None)
    ]
    theirs = json.loads(_run(_EVALUATE, folder=tmp_path, text=json.dumps(asked)))
    different = []
    for (name, arguments, output, expected), verdict in zip(asked, theirs, strict=True):
        evaluators = evaluator_of({name: arguments}, expected)
        options = parse_options("pydantic_evals", {"evaluators": evaluators})
        subject = Subject(Case("c", None, None, {}, digest_json(0)), output, "passed")
        kind = scorer("pydantic_evals")
        score = asyncio.run(kind.score(subject, options, Services(Path("/"))))
        if score.passed is not verdict:
            different.append((name, arguments, output, expected, verdict))
    assert len(asked) == 336
    assert not different
