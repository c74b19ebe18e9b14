"""`agentci record --sample-verify`: asks again what is recorded, compares, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    TextPart,
    Usage,
)
from tests.support.model_server import Fault, ModelServer
from tests.support.projects import Project, small

HEAD = """
models:
  m: {provider: openai, id: m, price: {input: 10, output: 100}}
  c: {provider: anthropic, id: c, stream: true, price: {input: 10, output: 100}}
agents: {a: {model: m}, b: {model: c}}
steps:
"""
WORDS = ("json", "same", "other", "more", "again", "last")
STEPS = HEAD + "".join(
    f"  - {{id: s{n}, needs: [], agent: {'ab'[n % 2]}, prompt: ask.md, "
    f"with: {{question: {word}}}}}\n"
    for n, word in enumerate(WORDS)
)


@dataclass
class Model:
    """Answers in another way once it is `later`."""

    later: bool = False

    def answer(self, request: ModelRequest, _number: int) -> ModelResponse:
        text = request.messages[-1].text.strip()
        if text == "json":
            text = '{"b": 2, "a": 1}' if self.later else '{"a":1,"b":2}'
        elif text == "other" and self.later:
            text = "changed its mind"
        message = Message("assistant", (TextPart(text),))
        return ModelResponse(message, FinishReason.STOP, Usage(30, 20), request.model)


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def server(model: Model) -> Iterator[ModelServer]:
    with ModelServer(model.answer) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: ModelServer, model: Model) -> Project:
    project = Project(small(tmp_path, STEPS).folder, env=server.environment)
    project.run("small", "--mode", "record")
    server.requests.clear()
    model.later = True
    return project


def recordings(project: Project) -> dict[str, bytes]:
    top = project.folder / "cassettes"
    return {str(path): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def test_answers_are_compared_and_nothing_changes(project: Project, server: ModelServer) -> None:
    before = recordings(project)
    report = project.report("record", "--sample-verify", "6", "small")
    assert (report["asked"], len(server.requests)) == (6, 6)
    versions = [each.headers.get("anthropic-version") for each in server.requests]
    assert len(list(filter(None, versions))) == 3
    assert report["counts"] == {
        "exact": 4, "same_tool_calls": 0, "same_json": 1, "differs": 1, "failed": 0, "unasked": 0,
    }  # fmt: skip
    assert (report["agreement"]["hits"], report["agreement"]["total"]) == (5, 6)
    assert report["agreement"]["low"] == pytest.approx(0.4365, abs=1e-4)
    (differs,) = [call for call in report["calls"] if call["verdict"] == "differs"]
    assert (differs["recorded"], differs["live"]) == ("other", "changed its mind")
    assert recordings(project) == before


def test_the_seed_chooses_the_sample(project: Project, server: ModelServer) -> None:
    def keys(*options: str) -> list[str]:
        report = project.report("record", "--sample-verify", "3", *options)
        return [call["key"] for call in report["calls"]]

    first = keys()
    assert len(first) == 3
    assert keys() == first
    assert any(keys("--seed", str(seed)) != first for seed in (1, 2, 3))
    assert len(server.requests) >= 9


def test_text_says_how_sure_it_is(project: Project) -> None:
    done = project.call("record", "--sample-verify", "6")
    assert done.code == 0
    assert "5 of 6 (83 %; 95 % interval 44 to 97 %)" in done.out
    assert "recorded `other`, live `changed its mind`" in done.out
    assert "asks 6 of 6 recorded calls again" in done.err
    assert "USD" in done.err


def test_a_call_without_an_answer_is_in_no_share(project: Project, server: ModelServer) -> None:
    server.faults.extend([Fault(status=400)])
    report = project.report("record", "--sample-verify", "6")
    assert report["counts"]["failed"] == 1
    assert report["agreement"]["total"] == 5


def test_a_cap_leaves_the_rest_unasked(project: Project, server: ModelServer) -> None:
    report = project.report("record", "--sample-verify", "6", "--max-tokens", "16100", code=7)
    assert report["counts"]["unasked"] >= 1
    assert report["asked"] == len(server.requests) <= 5
    assert report["input_tokens"] + report["output_tokens"] <= 16_100


@pytest.mark.parametrize(
    ("arguments", "env", "code"),
    [
        (("--sample-verify", "0"), {}, 2),
        (("--sample-verify", "2", "--changed"), {}, 2),
        (("--sample-verify", "2", "nothing"), {}, 5),
        (("--sample-verify", "6"), {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": ""}, 6),
    ],
)
def test_wrong_calls_say_what_to_do(
    project: Project, arguments: tuple[str, ...], env: dict[str, str], code: int
) -> None:
    done = project.call("record", *arguments, env=env)
    assert (done.code, done.out) == (code, "")
    assert "hint: " in done.err


def test_scripted_answers_cannot_be_asked_again(tmp_path: Path) -> None:
    project = small(tmp_path, "steps: [{id: s, agent: a, prompt: ask.md, with: {question: x}}]")
    project.run("small")
    done = project.call("record", "--sample-verify", "1")
    assert (done.code, "1 are scripted" in done.err) == (5, True)
