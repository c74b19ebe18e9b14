"""The verdicts of an imported promptfoo config are those of promptfoo itself."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from agentci.core.digest import digest_json
from agentci.core.errors import AgentciError
from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    TextPart,
    Usage,
)
from agentci.evals.case import Case, Subject
from agentci.evals.importers.findings import ImportedSuite
from agentci.evals.importers.promptfoo import import_promptfoo
from agentci.evals.scorers.registry import parse_options, scorer
from tests.e2e.test_eval_imports import CHAT, CONFIG, echo
from tests.support.model_server import ModelServer
from tests.support.projects import Project, environment
from tests.support.promptfoo_matrix import (
    ANSWERS,
    ASSERTIONS,
    UNCLEAR,
    Verdict,
    config,
    matrix,
    run_promptfoo,
)
from tests.support.scorer_services import Services

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("promptfoo")]


def _answer(request: ModelRequest, _count: int) -> ModelResponse:
    part = request.messages[-1].parts[0]
    assert isinstance(part, TextPart)
    number, _, rest = part.text.partition("|")
    assert rest == "end"
    return ModelResponse(
        Message("assistant", (TextPart(ANSWERS[int(number)]),)),
        FinishReason.STOP,
        Usage(1, 1),
        "echo",
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("promptfoo")
    (path / "promptfooconfig.json").write_text(json.dumps(config(matrix())))
    return path


@pytest.fixture(scope="module")
def theirs(folder: Path) -> list[Verdict]:
    with ModelServer(_answer) as server:
        return run_promptfoo(folder, f"{server.origin}/v1")


@pytest.fixture(scope="module")
def ours(folder: Path) -> ImportedSuite:
    data = (folder / "promptfooconfig.json").read_bytes()
    return import_promptfoo(data, "promptfooconfig.json", read=lambda _: b"", name="matrix")


def _judge(row: dict[str, object], answer: str) -> bool | str:
    case = Case(str(row["id"]), None, None, {}, digest_json(0))
    subject = Subject(case, {"text": answer}, "passed", metrics={"latency": 0.1})
    options = parse_options("promptfoo", {"rules": row["rules"], "threshold": row["threshold"]})
    try:
        score = asyncio.run(scorer("promptfoo").score(subject, options, Services(Path("/"))))
    except AgentciError as error:
        return error.message
    assert score.passed == (score.value >= 1)
    return score.passed


def test_every_verdict_is_the_same(theirs: list[Verdict], ours: ImportedSuite) -> None:
    data = ours.files["cases.jsonl"]
    assert isinstance(data, bytes)
    rows = [json.loads(line) for line in data.splitlines()]
    tests = matrix()
    assert len(theirs) == len(rows) == len(tests)
    assert not ours.notes
    different, unclear = [], 0
    for test, row, verdict in zip(tests, rows, theirs, strict=True):
        answer = ANSWERS[int(test["vars"]["answer"])]
        mine = _judge(row, answer)
        if isinstance(mine, str):
            assert "readers disagree" in mine
            assert answer in UNCLEAR
            unclear += 1
        elif mine is not verdict.passed:
            different.append((test["assert"], answer, verdict, mine))
    assert not different, (len(different), different[:10])
    assert 0 < unclear <= len(UNCLEAR) * sum("contains-json" in str(each) for each in ASSERTIONS)
    assert len(tests) - unclear > 1900


def _bodies(server: ModelServer) -> list[str]:
    """Return the requests; newer models call the limit on tokens otherwise, and so do we."""
    found = []
    for request in server.requests:
        if request.body:
            body = dict(request.json)
            limit = body.pop("max_completion_tokens", None)
            found.append(
                json.dumps(body | ({"max_tokens": limit} if limit else {}), sort_keys=True)
            )
    return sorted(found)


def test_the_same_is_asked_of_the_model(tmp_path: Path) -> None:
    project = Project(tmp_path / "p", environment(tmp_path))
    config = yaml.safe_load(CONFIG)
    del config["tests"][0]["assert"][1]  # a program of Python, which promptfoo would run
    project.write("given/promptfooconfig.json", json.dumps(config))
    project.write("given/chat.json", json.dumps(CHAT))
    project.git("init", "-q")
    project.git("add", ".")
    project.git("commit", "-qm", "x")
    with ModelServer(echo) as theirs:
        verdicts = run_promptfoo(project.folder / "given", f"{theirs.origin}/v1")
    with ModelServer(echo) as ours:
        project.report("eval", "import", "given/promptfooconfig.json")
        arguments = ("eval", "given", "--mode", "record")
        results = project.report(*arguments, code=1, env=ours.environment)
    assert len(_bodies(ours)) == 12
    assert _bodies(ours) == _bodies(theirs)
    cases = [case for suite in results["suites"] for case in suite["cases"]]
    passed = sorted(case["trials"][0]["passed"] for case in cases)
    assert passed == sorted(verdict.passed for verdict in verdicts)
