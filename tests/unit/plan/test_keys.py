"""The cache key: everything that can change a result changes it, and nothing else does."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.digest import Digest, digest_bytes
from agentci.core.lane import Lane
from agentci.plan.bundle import Bundle, PromptFile
from agentci.plan.explain import explain
from agentci.plan.keys import StepInstance, StepKey, step_key
from agentci.spec.pipeline import AgentStep, StepBase
from tests.support.bundles import bundle_of, step_of

DEFINITION = """
inputs: {task: {}}
models:
  small: {provider: scripted, id: m, script: replies.yaml, parameters: {temperature: 0.5}}
  other: {provider: scripted, id: n, script: replies.yaml}
agents:
  coder:
    model: small
    system: coder.md
    tools: [read_file, search]
    output: {type: object, properties: {done: {type: boolean}}}
  tester: {model: small, tools: [read_file]}
steps:
  - id: code
    agent: coder
    prompt: code.md
    with: {task: "${{ inputs.task }}"}
    samples: 2
    select: {best: score.py:best}
"""
INSTANCE = StepInstance(
    implementation="agent/1",
    tree="1" * 40,
    seed=7,
    inputs={"task": "fix"},
    files={"a.png": "2" * 40},
    env={"TZ": "UTC"},
    sandbox="docker",
    iteration=1,
    sample=0,
    lane=Lane("code/coder"),
    recordings=digest_bytes(b"cassette"),
)
CHANGED: dict[str, Any] = {
    "implementation": "agent/2",
    "tree": "3" * 40,
    "seed": 8,
    "inputs": {"task": "break"},
    "files": {"a.png": "4" * 40},
    "env": {"TZ": "CET"},
    "sandbox": "process",
    "iteration": 2,
    "sample": 1,
    "lane": Lane("code/other"),
    "recordings": digest_bytes(b"edited"),
}
PART = {"inputs": "with.task", "files": "files.a.png", "env": "env.TZ"}


def base() -> Bundle:
    return bundle_of(DEFINITION)


def key_of(bundle: Bundle, *, step: StepBase | None = None, **changes: Any) -> StepKey:
    return step_key(bundle, step or step_of(bundle), instance=replace(INSTANCE, **changes))


def changed_parts(old: StepKey, new: StepKey) -> list[str]:
    return [change.field for change in explain(old, new)]


def test_every_field_of_an_instance_is_tried_here() -> None:
    assert {field.name for field in fields(StepInstance)} == set(CHANGED)


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_every_field_of_an_instance_changes_the_key_and_is_named(name: str) -> None:
    old, new = key_of(base()), key_of(base(), **{name: CHANGED[name]})
    assert old.digest != new.digest
    assert changed_parts(old, new) == [PART.get(name, name)]


def edited(old: str, new: str) -> Callable[[], Bundle]:
    assert old in DEFINITION
    return lambda: bundle_of(DEFINITION.replace(old, new))


def other_prompt(path: str) -> Bundle:
    return bundle_of(DEFINITION, prompts={path: "Do it well."})


def other_tool(name: str) -> Bundle:
    bundle = base()
    return replace(bundle, tool_digests={**bundle.tool_digests, name: digest_bytes(b"new")})


CHANGES: dict[str, tuple[Callable[[], Bundle], str]] = {
    "prompt text": (lambda: other_prompt("code.md"), "prompt"),
    "system text": (lambda: other_prompt("coder.md"), "system"),
    "model id": (edited("id: m,", "id: m2,"), "model.id"),
    "model parameter": (edited("temperature: 0.5", "temperature: 0.6"), "model.parameters"),
    "model streaming": (edited("id: m,", "id: m, stream: true,"), "model.stream"),
    "script": (
        lambda: bundle_of(DEFINITION, scripts={"replies.yaml": {"rules": [1]}}),
        "model.script",
    ),
    "tool code": (lambda: other_tool("read_file"), "tools.read_file"),
    "tool order": (edited("[read_file, search]", "[search, read_file]"), "agent.tools"),
    "schema": (edited("{done: {", "{ready: {"), "schema"),
    "limits": (
        edited("system: coder.md", "system: coder.md\n    limits: {turns: 3}"),
        "agent.limits",
    ),
    "pipeline sandbox": (lambda: bundle_of("sandbox: bwrap" + DEFINITION), "agent.sandbox"),
    "agent sandbox": (
        edited("system: coder.md", "system: coder.md\n    sandbox: process"),
        "agent.sandbox",
    ),
    "repairs": (edited("system: coder.md", "system: coder.md\n    repairs: 0"), "agent.repairs"),
    "scorer file": (
        lambda: bundle_of(DEFINITION, python_files={"score.py": digest_bytes(b"new")}),
        "definition.code",
    ),
    "scorer function": (edited("score.py:best", "score.py:other"), "definition.select"),
    "samples": (edited("samples: 2", "samples: 3"), "definition.samples"),
    "template": (edited("${{ inputs.task }}", "${{ inputs.task }}!"), "definition.with"),
    "salt": (edited("samples: 2", "samples: 2\n    salt: x"), "salt"),
    "timeout": (edited("samples: 2", "samples: 2\n    timeout: 9"), "timeout"),
}


@pytest.mark.parametrize("what", sorted(CHANGES))
def test_every_part_of_the_definition_changes_the_key_and_is_named(what: str) -> None:
    change, part = CHANGES[what]
    old, new = key_of(base()), key_of(change())
    assert old.digest != new.digest
    assert changed_parts(old, new) == [part]


IRRELEVANT: dict[str, Callable[[], Bundle]] = {
    "another model": edited("id: n,", "id: n2,"),
    "another agent": edited("tester: {model: small", "tester: {model: other"),
    "an unused tool": lambda: other_tool("write_file"),
    "the step's id": edited("id: code", "id: work"),
    "when it runs": edited("samples: 2", "samples: 2\n    when: ${{ inputs.task != '' }}"),
    "needs": edited("samples: 2", "samples: 2\n    needs: []"),
    "retry": edited("samples: 2", "samples: 2\n    retry: {attempts: 3}"),
    "the cache switch": edited("samples: 2", "samples: 2\n    cache: false"),
    "a failure that is allowed": edited("samples: 2", "samples: 2\n    allow_failure: true"),
    "a default that is written out": edited("samples: 2", 'samples: 2\n    salt: ""'),
    "patience with a provider": edited("id: m,", "id: m, attempts: 9, timeout: 5,"),
    "a description": edited("{task: {}}", "{task: {description: What to do}}"),
    "the name of the pipeline's folder": lambda: replace(base(), folder_name="elsewhere"),
}


@pytest.mark.parametrize("what", sorted(IRRELEVANT))
def test_what_cannot_change_the_result_does_not_change_the_key(what: str) -> None:
    assert key_of(base()).digest == key_of(IRRELEVANT[what]()).digest


def test_a_step_without_a_model_does_not_depend_on_agents() -> None:
    text = "steps: [{id: t, run: [make, test]}]"
    agents = "models: {m: {provider: p, id: x}}\nagents: {a: {model: m}}\n"
    assert key_of(bundle_of(text)).digest == key_of(bundle_of(agents + text)).digest


def test_a_container_depends_on_everything_inside_it() -> None:
    text = DEFINITION.replace(
        "- id: code", "- id: twice\n    foreach:\n      items: [1]\n      steps:\n      - id: code"
    )
    text = text.replace("\n    agent: coder\n    prompt", "\n        agent: coder\n        prompt")
    text = text.replace("\n    with:", "\n        with:").replace(
        "\n    samples: 2", "\n        samples: 2"
    )
    text = text.replace("\n    select:", "\n        select:")
    old = key_of(bundle_of(text))
    assert old.digest != key_of(bundle_of(text, prompts={"code.md": "other"})).digest


def test_a_python_step_depends_on_its_file() -> None:
    text = "steps: [{id: p, python: 'a.py:f'}]"
    old = key_of(bundle_of(text))
    new = key_of(bundle_of(text, python_files={"a.py": digest_bytes(b"new")}))
    assert changed_parts(old, new) == ["definition.code"]


def test_a_sub_pipeline_step_depends_on_the_whole_child() -> None:
    text = "steps: [{id: p, pipeline: ../child}]"
    children = [bundle_of(f"steps: [{{id: t, run: [{word}]}}]") for word in ("a", "b")]
    old, new = (key_of(bundle_of(text, children={"../child": child})) for child in children)
    assert changed_parts(old, new) == ["definition.code"]


names = st.text(string.ascii_letters + "._-", min_size=1, max_size=6)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(names, below, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(names, json_values), st.dictionaries(names, json_values))
def test_inputs_have_equal_keys_exactly_when_they_are_equal(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    bundle = base()
    same = key_of(bundle, inputs=first).digest == key_of(bundle, inputs=second).digest
    assert same == (_typed(first) == _typed(second))


def _typed(value: Any) -> Any:
    """Tell true from 1, as JSON does and Python does not."""
    if isinstance(value, dict):
        return {name: _typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return (type(value).__name__, value)


@given(st.dictionaries(names, st.text(max_size=3), min_size=1), st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_change_the_key(env: dict[str, str], shuffle: Any) -> None:
    bundle = base()
    entries = list(env.items())
    shuffle.shuffle(entries)
    assert key_of(bundle, env=env).digest == key_of(bundle, env=dict(entries)).digest


@given(
    st.sampled_from(["inputs", "files", "env"]), st.sampled_from(["inputs", "files", "env"]), names
)
def test_the_same_entry_in_another_place_is_another_key(first: str, second: str, name: str) -> None:
    bundle = base()
    empty: dict[str, Any] = {"inputs": {}, "files": {}, "env": {}}
    one = key_of(bundle, **{**empty, first: {name: "x"}})
    two = key_of(bundle, **{**empty, second: {name: "x"}})
    assert (one.digest == two.digest) == (first == second)


def test_the_digest_of_a_known_step_does_not_move() -> None:
    bundle = bundle_of("steps: [{id: t, run: [make, test]}]")
    key = step_key(
        bundle,
        step_of(bundle),
        instance=StepInstance(implementation="run/1", tree="0" * 40, seed=0),
    )
    assert key.digest == Digest(
        "sha256:85a37163ea1d448868d263ee6902a48c87b39fa714eb820bcfa469f4e023b8c8"
    )


def test_a_prompt_is_known_by_its_raw_bytes() -> None:
    bundle = base()
    prompt = PromptFile("Do it.", digest_bytes(b"Do it.\r\n"))
    assert (
        key_of(bundle).digest
        != key_of(replace(bundle, prompts={**bundle.prompts, "code.md": prompt})).digest
    )
    assert isinstance(step_of(bundle), AgentStep)
