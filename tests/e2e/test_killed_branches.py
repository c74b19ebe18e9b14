"""`kill -9` of concurrent branches that ask the same: real processes, git and HTTP."""

from __future__ import annotations

import re
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
from tests.support.model_server import ModelServer
from tests.support.projects import Project, small

MODELS = """
models: {m: {provider: openai, id: a-model, parameters: {max_tokens: 9}}}
agents: {a: {model: m}}
"""
SUB = f"""
format: agentci/pipeline
version: 1
name: sub
{MODELS}
steps:
  - {{id: one, agent: a, prompt: ../ask.md, with: {{question: same}}}}
  - {{id: two, agent: a, prompt: ../ask.md, with: {{question: same}}}}
output: {{said: "${{{{ steps.one.output.text }}}} ${{{{ steps.two.output.text }}}}"}}
"""
BRANCH = """[{id: sub, pipeline: sub}, {id: count, run: [sh, -c, "echo NAME >> COUNTS; cat"],
  stdin: "${{ steps.sub.output.said }}"}]"""


def project_of(folder: Path) -> Project:
    counts = folder / "counts"
    left, right = (
        BRANCH.replace("NAME", name).replace("COUNTS", str(counts)) for name in ("left", "right")
    )
    steps = f"steps: [{{id: both, parallel: {{branches: {{left: {left}, right: {right}}}}}}}]"
    return small(folder / "project", steps, pipelines__small__sub__pipeline__DOTyaml=SUB)


def once_only(request: ModelRequest, number: int) -> ModelResponse:
    del request
    message = Message("assistant", (TextPart(f"<answer-{number}>"),))
    return ModelResponse(message, FinishReason.STOP, Usage(1, 1, 0, 1), "a-model")


def kill_and_resume(tmp_path: Path, write: int, moment: str) -> None:
    project = project_of(tmp_path)
    with ModelServer(once_only) as server:
        death = project.die(write, moment, "run", "small", env=server.environment)
        assert death.code == -9, death.err
        report = project.report("resume", env=server.environment)
        asked = len(server.requests)
    assert asked <= 4 + 2, "more than the two calls in flight were asked again"
    (both,) = report["steps"]
    said = [text for name in ("left", "right") for text in answers(both["output"][name])]
    assert len(set(said)) == 4
    for name, numbers in (("left", said[:2]), ("right", said[2:])):
        for step, number in zip(("one", "two"), numbers, strict=True):
            path = project.folder / f"cassettes/small/both/{name}/sub/{step}/a.yaml"
            assert set(re.findall(r"<answer-\d+>", path.read_text())) == {number}
    ran = (tmp_path / "counts").read_text().split()
    assert sorted(set(ran)) == ["left", "right"]
    assert len(ran) <= 4
    project.forget()
    again = project.run("small", "--mode", "replay")
    assert again["run_digest"] == report["run_digest"]


def answers(output: dict[str, dict[str, str]]) -> list[str]:
    found = re.findall(r"<answer-\d+>", output["count"]["stdout"])
    assert " ".join(found) == output["sub"]["said"]
    return found


@pytest.mark.parametrize(("write", "moment"), [(5, "after"), (8, "torn"), (11, "before")])
def test_branches_killed_at_some_writes_keep_their_answers(
    tmp_path: Path, write: int, moment: str
) -> None:
    kill_and_resume(tmp_path, write, moment)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "torn", "after"])
@pytest.mark.parametrize("write", range(2, 19))
def test_branches_killed_at_any_write_keep_their_answers(
    tmp_path: Path, write: int, moment: str
) -> None:
    kill_and_resume(tmp_path, write, moment)
