"""`agentci record --changed`: what no longer fits is asked again, within a limit, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agentci.core.json_types import JsonObject
from agentci.models.spending import model_of, usage_forecast
from agentci.spec.script import read_script
from tests.support.model_server import ModelServer
from tests.support.projects import Project, small

DEFINITION = "pipelines/small/pipeline.yaml"
STEPS = """
models:
  m: {provider: openai, id: m, parameters: {max_tokens: 100}, price: {input: 10, output: 100}}
agents:
  a: {model: m, tools: [read_file]}
  b: {model: m}
steps:
  - {id: ask, needs: [], agent: a, prompt: ask.md, with: {question: Read the files}}
  - {id: also, needs: [], agent: b, prompt: ask.md, with: {question: one}}
  - {id: third, needs: [], agent: b, prompt: ask.md, with: {question: two}}
"""
SCRIPT = b"""
format: agentci/script
version: 1
rules:
- when: {first_contains: Read, turn: 1}
  reply: {tool_calls: [{name: read_file, arguments: {path: stable.txt}}]}
- when: {first_contains: Read, turn: 2}
  reply: {tool_calls: [{name: read_file, arguments: {path: readme.txt}}]}
- when: {first_contains: Read}
  reply: {text: done reading}
- reply: {text: fine}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(read_script(SCRIPT, "script")) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: ModelServer) -> Project:
    made = small(tmp_path, STEPS, stable__DOTtxt="always the same\n")
    project = Project(made.folder, env=server.environment)
    project.run("small", "--mode", "record")
    server.requests.clear()
    return project


def change(project: Project, old: str, new: str) -> None:
    path = project.folder / DEFINITION
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def cassettes(project: Project) -> dict[str, bytes]:
    top = project.folder / "cassettes/small"
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in top.rglob("*.yaml")}


def test_nothing_is_asked_where_everything_is_fresh(project: Project, server: ModelServer) -> None:
    before = cassettes(project)
    report = project.report("record", "--changed")
    assert (report["runs"], report["calls"], server.requests) == ([], 0, [])
    assert cassettes(project) == before


def test_only_the_stale_lane_is_asked_again_after_an_estimate(
    project: Project, server: ModelServer
) -> None:
    before = cassettes(project)
    change(project, "question: one", "question: uno")
    done = project.call("record", "--changed", "small")
    assert done.code == 0, done.err
    assert len(server.requests) == 1
    assert done.err.index("estimate: 1 call, ") < done.err.index("done      also")
    assert "USD, going by the last recording" in done.err
    assert "1 live call, " in done.out
    after = cassettes(project)
    assert {name for name in after if after[name] != before[name]} == {"also/b.yaml"}
    assert project.report("cassette", "status")["fresh"] is True


def test_inside_a_lane_the_prefix_before_the_change_stays_to_the_byte(
    project: Project, server: ModelServer
) -> None:
    lane = "ask/a.yaml"
    before = cassettes(project)[lane].split(b"\n---\n")
    # the second tool finds another file: the third request is the first that changes
    recorded = project.folder / "cassettes/small" / lane
    text = recorded.read_text()
    assert text.count("content: |\n    hello\n") == 1
    recorded.write_text(text.replace("content: |\n    hello\n", "content: |\n    howdy\n"))
    edited = cassettes(project)[lane].split(b"\n---\n")
    report = project.report("record", "--changed")
    after = cassettes(project)[lane].split(b"\n---\n")
    assert (report["calls"], len(server.requests)) == (1, 1)
    assert after[:-1] == edited[:-1]
    assert after[:4] == before[:4]
    assert after[-1] != edited[-1]
    assert b"howdy" in after[-1]
    (lane_estimate,) = report["estimate"]["lanes"]
    assert (lane_estimate["calls"], lane_estimate["state"]) == (1, "stale")
    assert lane_estimate["reason"] == "a tool result differs"


def test_a_limit_stops_before_it_is_exceeded_and_keeps_what_is_recorded(
    project: Project, server: ModelServer
) -> None:
    before = cassettes(project)
    change(project, "question: one", "question: uno")
    change(project, "question: two", "question: due")
    once = usage_forecast(server_request(server, project))
    limit = str(once.tokens + 1)  # room for one call, whatever little it uses
    server.requests.clear()
    done = project.call("record", "--changed", "--max-tokens", limit)
    assert (done.code, "ACI-B111" in done.err) == (7, True), done.err
    assert len(server.requests) == 1
    after = cassettes(project)
    kept = [name for name in after if after[name] != before[name]]
    assert len(kept) == 1
    again = project.report("record", "--changed", "--max-cost", "5")
    assert (again["calls"], len(server.requests)) == (1, 2)
    assert 0 < again["cost"] < 5
    assert project.report("cassette", "status")["fresh"] is True


def server_request(server: ModelServer, project: Project) -> JsonObject:
    """Return a request of the changed lanes as it is asked now, without recording it."""
    project.run("small", "--mode", "live")
    found: JsonObject = next(each.json for each in server.requests if b"uno" in each.body)
    return {"body": found}


def test_a_cost_limit_of_nothing_asks_nobody(project: Project, server: ModelServer) -> None:
    change(project, "question: one", "question: uno")
    done = project.call("record", "--changed", "--max-cost", "0")
    assert (done.code, "--max-cost" in done.err, server.requests) == (7, True, [])


def test_a_cost_limit_without_prices_is_refused_before_anything(
    project: Project, server: ModelServer
) -> None:
    change(project, ", price: {input: 10, output: 100}", "")
    change(project, "question: one", "question: uno")
    done = project.call("record", "--changed", "--max-cost", "1")
    assert (done.code, "no price is declared for `m`" in done.err) == (2, True)
    assert server.requests == []
    said = project.call("record", "--changed")
    assert (said.code, "no price is declared for `m`" in said.err) == (0, True)


def test_what_is_not_asked_for_any_more_is_removed_without_a_call(
    project: Project, server: ModelServer
) -> None:
    path = project.folder / DEFINITION
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    done = project.call("record", "--changed")
    assert (done.code, server.requests) == (0, [])
    assert "third/b.yaml" not in cassettes(project)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("record",), 2),
        (("record", "--yes", "--", "true"), 2),
        (("record", "--changed", "smal"), 5),
        (("record", "--changed", "--max-cost", "x"), 2),
    ],
)
def test_wrong_calls_say_what_to_do(
    project: Project, arguments: tuple[str, ...], code: int
) -> None:
    done = project.call(*arguments)
    assert (done.code, done.out) == (code, "")
    assert "hint: " in done.err


def test_a_request_says_which_model_it_asks_and_how_much_it_may_take() -> None:
    assert model_of({"path": "/v1beta/models/gemini-x:generateContent", "body": {}}) == "gemini-x"
    assert model_of({"path": "/chat/completions", "body": {"model": "m"}}) == "m"
    limited = {"body": {"generationConfig": {"maxOutputTokens": 7}}}
    assert usage_forecast(limited).output_tokens == 7
    assert usage_forecast({"body": {"x": "y" * 300}}).input_tokens >= 100
