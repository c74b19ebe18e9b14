"""What is imported can be checked, recorded, replayed and exported with the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from tests.support.projects import Project, environment

CONFIG = """\
prompts:
- |-
  Say {{ what }} to {{ user.name }}.
- file://chat.json
providers:
- openai:chat:gpt-4o-mini
- {id: openai:gpt-4.1, config: {temperature: 0.5, max_tokens: 9}}
defaultTest:
  vars: {user: {name: Bob}}
tests:
- description: holds
  vars: {what: Hello}
  assert: [{type: contains, value: "{{ what }}"}, {type: python, value: "True"}]
- description: fails
  vars: {what: Bye}
  assert: [{type: equals, value: never}]
- description: half of it
  vars: {what: "{}"}
  threshold: 0.5
  assert: [{type: contains-json}, {type: is-json}]
"""
CHAT = [
    {"role": "system", "content": "Be brief, {{user.name}}."},
    {"role": "user", "content": '"{{ what }}"'},
]


def echo(request: ModelRequest, _count: int) -> ModelResponse:
    """Answer with what was asked."""
    part = request.messages[-1].parts[0]
    assert isinstance(part, TextPart)
    return ModelResponse(
        Message("assistant", (TextPart(part.text),)), FinishReason.STOP, Usage(1, 1), "echo"
    )


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(echo) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: ModelServer) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(folder, {**environment(tmp_path), **server.environment})
    made.write("given/promptfooconfig.yaml", CONFIG)
    made.write("given/chat.json", json.dumps(CHAT))
    made.git("init", "-q")
    made.git("add", ".")
    made.git("commit", "-qm", "x")
    return made


def test_a_config_is_imported_recorded_and_replayed(project: Project, server: ModelServer) -> None:
    done = project.report("eval", "import", "given/promptfooconfig.yaml")
    (made,) = done["imports"]
    assert (made["suites"], made["cases"], made["expectations"]) == (4, 3, 4)
    assert [note["place"] for note in made["notes"]] == ["promptfooconfig.yaml:13"]
    assert "never executed" in (project.folder / "pipelines/given/import-notes.md").read_text()
    assert project.call("check", "given").code == 0

    recorded = project.report("eval", "given", "--mode", "record", code=1)
    verdicts = {
        suite["name"]: {case["case"]: case["trials"][0]["passed"] for case in suite["cases"]}
        for suite in recorded["suites"]
    }
    assert set(verdicts) == {f"model-{m}-prompt-{p}" for m in (1, 2) for p in (1, 2)}
    assert {tuple(sorted(each.items())) for each in verdicts.values()} == {
        (("fails", False), ("half of it", True), ("holds", True))
    }
    bodies = [request.json for request in server.requests]
    assert [body["messages"] for body in bodies if body["model"] == "gpt-4.1"].count(
        [
            {"role": "system", "content": "Be brief, Bob."},
            {"role": "user", "content": '"Hello"'},
        ]
    ) == 1
    assert all("seed" not in body for body in bodies)
    assert {body["temperature"] for body in bodies if body["model"] == "gpt-4o-mini"} == {0}
    assert len(bodies) == 12

    replayed = project.report("eval", "given", "--mode", "replay", code=1)
    assert replayed["suites"] == recorded["suites"]
    assert len(server.requests) == 12

    exported = project.report("eval", "export", "given", "--jsonl", "all.jsonl", "--mode", "replay")
    assert exported["trials"] == len((project.folder / "all.jsonl").read_text().splitlines()) == 12
    name = "given/model-1-prompt-2"
    project.report("eval", "export", name, "--inspect", "one.json", "--mode", "replay")
    log = json.loads((project.folder / "one.json").read_text())
    assert {each["id"] for each in log["samples"]} == {"fails", "half of it", "holds"}
    assert '"what":"Bye"' in log["samples"][0]["input"]

    back = ("eval", "import", "one.json", "--results", "r.json", "--dataset", "d.jsonl")
    assert project.report(*back)["imports"][0]["trials"] == 3
    again = project.report("eval", "export", "--results", "r.json", "--jsonl", "again.jsonl")
    assert again["suites"] == ["imported/model-1-prompt-2"]
    assert project.call(*back).code == 8
    assert project.call(*back, "--replace").code == 0


def test_what_is_there_already_stays(project: Project) -> None:
    command = ("eval", "import", "given/promptfooconfig.yaml", "--to", "qa")
    assert project.call(*command, "--dry-run").code == 0
    assert not (project.folder / "pipelines/qa").exists()
    assert project.call(*command).code == 0
    first = (project.folder / "pipelines/qa/cases.jsonl").read_bytes()
    assert project.call(*command).code == 8
    assert project.call(*command, "--replace").code == 0
    assert (project.folder / "pipelines/qa/cases.jsonl").read_bytes() == first


def test_another_model_is_evaluated_instead(project: Project) -> None:
    project.write("p.yaml", "prompts: ['{{ q }}']\nproviders: [echo]\ntests: [{vars: {q: a}}]\n")
    refused = project.call("eval", "import", "p.yaml")
    assert (refused.code, "--model" in refused.err) == (2, True)
    assert project.call("eval", "import", "p.yaml", "--model", "ollama:qwen3").code == 0
    assert "ollama" in (project.folder / "pipelines/p/pipeline.yaml").read_text()
    assert project.call("check", "p").code == 0


def test_links_do_not_lead_out_of_the_folder(project: Project, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (project.folder / "given/link.txt").symlink_to(tmp_path / "secret.txt")
    project.write(
        "given/c.yaml", "prompts: [file://link.txt]\nproviders: [openai:x]\ntests: [{vars: {}}]\n"
    )
    done = project.call("eval", "import", "given/c.yaml")
    assert done.code == 2
    assert "ACI-U502" in done.err


def test_a_dataset_of_pydantic_evals_is_checked_once_its_task_is_there(project: Project) -> None:
    text = "cases: [{name: a, inputs: {x: 2}, expected_output: 4, evaluators: [EqualsExpected]}]\n"
    project.write("square.yaml", text)
    assert project.call("eval", "import", "square.yaml").code == 0
    assert project.call("check", "square").code != 0
    project.write("pipelines/square/task.py", "def task(x):\n    return x * x\n")
    assert project.call("check", "square").code == 0
    assert project.call("eval", "square").code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("given/chat.json",), 2),
        (("given/gone.yaml",), 6),
        (("given/promptfooconfig.yaml", "--to", "Not A Name"), 2),
        (("given/promptfooconfig.yaml", "--results", "x.json"), 2),
        (("given/promptfooconfig.yaml", "--model", "x"), 2),
        (("log.eval", "--results", "x.json"), 2),
        (("a.yaml", "b.yaml", "--to", "x"), 2),
    ],
)
def test_wrong_calls_are_told(project: Project, arguments: tuple[str, ...], code: int) -> None:
    project.write("log.eval", "PK\x03\x04 and no more")
    assert project.call("eval", "import", *arguments).code == code


def test_exports_say_what_is_missing(project: Project) -> None:
    project.write("a.json", json.dumps({"format": "agentci/eval-results", "version": 1, "x": 1}))
    assert project.call("eval", "export").code == 2
    assert project.call("eval", "export", "--inspect", "x.txt").code == 2
    assert project.call("eval", "export", "--jsonl", "x", "--results", "a.json").code == 2
