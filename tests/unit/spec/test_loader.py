"""Loading a pipeline: the value, and every problem with its place and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentci.core.digest import digest_bytes
from agentci.core.errors import FormatError, Problem, SpecError, StorageError, UsageError
from agentci.spec.loader import LoadedPipeline, load_pipeline
from agentci.spec.pipeline import AgentStep, CommandStep, LoopStep, ParallelStep
from tests.support.memory_files import MemoryFiles

HEAD = "format: agentci/pipeline\nversion: 1\nname: demo\n"
STEPS = "steps:\n  - {id: a, run: [make]}\n"

GOOD = f"""{HEAD}
seed: 7
inputs:
  task: {{type: string}}
  tries: {{type: integer, default: 3}}
models:
  main: {{provider: scripted, id: m, script: replies.yaml, timeout: 5}}
agents:
  coder: {{model: main, tools: [read_file], limits: {{turns: 5}}}}
steps:
  - id: code
    loop:
      until: ${{{{ steps.review.output.approved }}}}
      max: 3
      carry: {{comments: "${{{{ steps.review.output.comments }}}}"}}
      steps:
        - id: work
          agent: coder
          prompt: prompts/code.md
          with: {{task: "${{{{ inputs.task }}}}"}}
  - id: both
    parallel:
      branches:
        one: [{{id: t, run: "pytest -q"}}]
        two: [{{id: t, run: [ruff, check], expect: [0, 1]}}]
"""


def _load(text: str | bytes) -> LoadedPipeline:
    files = MemoryFiles({"p/pipeline.yaml": text})
    return load_pipeline(Path("p"), files)


def _problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        _load(text)
    return caught.value.problems


def _problem(text: str) -> Problem:
    found = _problems(text)
    assert len(found) == 1, found
    return found[0]


def test_a_pipeline_is_loaded_with_its_places_and_digest() -> None:
    loaded = _load(GOOD)
    assert loaded.path == Path("p/pipeline.yaml")
    assert loaded.folder == Path("p")
    assert loaded.digest == digest_bytes(GOOD.encode())
    assert loaded.raw["seed"] == 7
    loop, both = loaded.spec.steps
    assert isinstance(loop, LoopStep)
    assert isinstance(both, ParallelStep)
    work = loop.loop.steps[0]
    assert isinstance(work, AgentStep)
    assert work.with_ == {"task": "${{ inputs.task }}"}
    test = both.parallel.branches["two"][0]
    assert isinstance(test, CommandStep)
    assert test.expect == (0, 1)
    assert loaded.spec.models["main"].timeout == 5.0
    assert loaded.spec.inputs["task"].required
    assert not loaded.spec.inputs["tries"].required
    place = loaded.positions.locate(("steps", 0, "loop", "max"))
    assert str(place) == "p/pipeline.yaml:17:12"


def test_a_file_is_taken_as_well_as_a_folder() -> None:
    files = MemoryFiles({"x/other.yaml": HEAD + STEPS})
    assert load_pipeline(Path("x/other.yaml"), files).spec.name == "demo"


def test_no_pipeline_is_a_usage_error_with_a_way_out() -> None:
    with pytest.raises(UsageError, match="there is no pipeline at `nowhere`") as caught:
        load_pipeline(Path("nowhere"), MemoryFiles())
    assert "agentci init" in (caught.value.hint or "")


def test_what_cannot_be_read_is_a_storage_error() -> None:
    class Locked(MemoryFiles):
        def read(self, path: Path) -> bytes:
            raise StorageError(f"`{path}` cannot be read")

    with pytest.raises(StorageError):
        load_pipeline(Path("p"), Locked({"p/pipeline.yaml": ""}))


def test_another_format_and_a_newer_version_are_refused_before_the_content() -> None:
    with pytest.raises(FormatError, match="format `agentci/suite`") as caught:
        _load("format: agentci/suite\nversion: 1\ncases: []\n")
    assert caught.value.code == "ACI-F101"
    with pytest.raises(FormatError, match="version 2") as caught:
        _load("format: agentci/pipeline\nversion: 2\nnew_key: 1\n")
    assert caught.value.code == "ACI-F102"
    assert str(caught.value.location) == "p/pipeline.yaml:2:10"


@pytest.mark.parametrize(
    ("change", "place", "message", "hint"),
    [
        ("nmae: x\n", "4:1", "unknown key `nmae`", "did you mean `name`?"),
        ("zzz: x\n", "4:1", "unknown key `zzz`", "known keys: `agents`, `description`"),
        ("seed: yes\n", "4:7", '`seed` has to be a whole number, not the text "yes"', ""),
        ("seed: -1\n", "4:7", "`seed` has to be at least 0, not `-1`", ""),
        ("seed: 1.5\n", "4:7", "`seed` has to be a whole number, not `1.5`", ""),
        ("sandbox: dokcer\n", "4:10", "one of `docker`, `bwrap`, `process`", "`docker`"),
        ("description: 3\n", "4:14", "has to be a text, not `3`", 'write "3", in quotes'),
        ("output: [1]\n", "4:9", "`output` has to be a mapping, not a list", ""),
        ("inputs:\n  A b: {}\n", "5:3", "`A b` is not a valid name", "lower case"),
        ("inputs:\n  a: {type: strng}\n", "5:13", "`inputs.a.type`", "did you mean `string`?"),
        ("inputs:\n  a: {tpye: string}\n", "5:7", "key `tpye` in `inputs.a`", "`type`"),
        ("inputs:\n  a:\n", "5:5", "`inputs.a` has to be a mapping, not empty", ""),
        ("models:\n  m: {id: x}\n", "5:3", "`models.m.provider` is missing", ""),
        (
            "models:\n  m: {provider: x, id: y, stream: on}\n",
            "5:35",
            "`models.m.stream` has to be `true` or `false`",
            "write `true`",
        ),
        (
            "agents:\n  a: {model: m, output: [1]}\n",
            "5:25",
            "`agents.a.output` has to be a mapping or a text, not a list",
            "",
        ),
        (
            "agents:\n  a: {model: m, limits: {turns: 0}}\n",
            "5:33",
            "`agents.a.limits.turns` has to be at least 1, not `0`",
            "",
        ),
    ],
)
def test_a_mistake_is_named_at_its_place(change: str, place: str, message: str, hint: str) -> None:
    problem = _problem(HEAD + change + STEPS)
    assert str(problem.location) == f"p/pipeline.yaml:{place}"
    assert message in problem.message
    assert hint in (problem.hint or "")


@pytest.mark.parametrize(
    ("step", "place", "message", "hint"),
    [
        ("{id: a, run: [x], enf: {}}", "5:23", "unknown key `enf` in `steps[0]`", "`env`"),
        ("{id: a, run: [1]}", "5:19", "`steps[0].run[0]` has to be a text", 'write "1"'),
        ("{id: a, run: {}}", "5:18", "`steps[0].run` has to be a list or a text", ""),
        ("{id: a, run: x, when: [1]}", "5:27", "`steps[0].when` has to be a text or `true`", ""),
        ("{id: a, run: x, cache: no}", "5:28", "`steps[0].cache`", "write `false`"),
        ("{id: a, agent: b}", "5:5", "`steps[0].prompt` is missing", ""),
        ("{id: a, agent: b, promt: c, prompt: d}", "5:23", "unknown key `promt`", "`prompt`"),
        ("{run: x}", "5:5", "`steps[0].id` is missing", ""),
        ("{id: A, run: x}", "5:10", '`steps[0].id` cannot be the text "A"', "lower case"),
        ("{id: z}", "5:5", "the step `z` names no kind", "`agent`, `run`, `python`"),
        ("{id: z, agnt: x}", "5:13", "the step `z` has no kind; unknown key `agnt`", "`agent`"),
        ("{id: z, agent: x, run: y}", "5:23", "names `agent` and `run`", "two steps"),
        ("3", "5:5", "a step has to be a mapping", "`id`"),
        ("{id: l, loop: {until: x, max: 1, steps: []}}", "5:45", "at least 1 entry", ""),
        ("{id: l, loop: {until: x, max: '3', steps: [{id: a, run: x}]}}", "5:35", "loop.max", ""),
        ("{id: l, loop: {until: x, max: 3, steps: [{id: a, rum: x}]}}", "5:54", "`rum`", "`run`"),
        ("{id: l, loop: {until: x, max: 3, steps: [{id: a, run: x, t: 1}]}}", "5:62", "`t`", ""),
        (
            "{id: p, parallel: {branches: {one: [{id: k, run: x, enf: 2}]}}}",
            "5:57",
            "unknown key `enf` in `steps[0].parallel.branches.one[0]`",
            "did you mean `env`?",
        ),
        (
            "{id: f, foreach: {items: [1], steps: [{id: k, run: x}], concurency: 2}}",
            "5:61",
            "unknown key `concurency` in `steps[0].foreach`",
            "did you mean `concurrency`?",
        ),
        (
            "{id: c, commit: {message: x, author: me}}",
            "5:42",
            '`steps[0].commit.author` cannot be the text "me"',
            "it has to match",
        ),
    ],
)
def test_a_mistake_in_a_step_is_named_at_its_place(
    step: str, place: str, message: str, hint: str
) -> None:
    problem = _problem(f"{HEAD}steps:\n  - {step}\n")
    assert str(problem.location) == f"p/pipeline.yaml:{place}"
    assert message in problem.message
    assert hint in (problem.hint or "")


def test_every_problem_is_reported_in_the_order_of_the_text() -> None:
    text = f"{HEAD}nmae: 1\nseed: x\nsteps:\n  - {{id: a, run: [1]}}\n  - {{id: b}}\n  - 4\n"
    lines = [problem.location.line for problem in _problems(text)]
    assert lines == [4, 5, 7, 8, 9]


@pytest.mark.parametrize("text", ["[]", "3", "a text", "null"])
def test_a_file_that_is_no_mapping_is_named(text: str) -> None:
    problem = _problem(text)
    assert "the file has to hold a mapping" in problem.message
    assert str(problem.location) == "p/pipeline.yaml:1:1"


def test_a_missing_header_is_reported_with_the_rest() -> None:
    found = [problem.message for problem in _problems("name: x\nsteps: []\n")]
    assert "`format` is missing" in found
    assert "`version` is missing" in found
    assert any("at least 1 entry" in message for message in found)


def test_messages_do_not_hold_pydantics_words() -> None:
    text = f"{HEAD}agents: {{a: {{output: [1], tools: x}}}}\nmodels: []\nsteps: {{}}\n"
    for problem in _problems(text):
        assert "dict[" not in problem.message
        assert "Input" not in problem.message
