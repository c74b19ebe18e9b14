"""A definition as one value: which files it names, and a digest over all of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from agentci.core.digest import digest_bytes
from agentci.plan.bundle import all_steps, collect_paths, python_target
from tests.support.bundles import bundle_of

TEXT = """
inputs: {task: {type: string}}
models: {m: {provider: scripted, id: x, script: r.yaml}}
agents: {a: {model: m, system: s.md, output: o.json, tools: [search]}}
steps:
  - {id: one, agent: a, prompt: p.md, samples: 2, select: {best: "score.py:best"}}
  - id: two
    loop:
      until: ${{ steps.three.output }}
      max: 2
      steps: [{id: three, python: "sub/check.py:main"}]
  - id: four
    parallel:
      branches:
        b: [{id: five, pipeline: ../child}]
        c: [{id: six, agent: a, prompt: q.md}]
"""
FILES: dict[str, Any] = {"schemas": {"o.json": {"type": "object"}}}


def test_every_named_file_is_collected_at_any_depth() -> None:
    paths = collect_paths(bundle_of(TEXT).spec)
    assert paths.prompts == ("p.md", "q.md", "s.md")
    assert paths.schemas == ("o.json",)
    assert paths.scripts == ("r.yaml",)
    assert paths.python_files == ("score.py", "sub/check.py")
    assert paths.pipelines == ("../child",)


def test_steps_are_walked_outer_before_inner() -> None:
    ids = [step.id for step in all_steps(bundle_of(TEXT).spec.steps)]
    assert ids == ["one", "two", "three", "four", "five", "six"]


@pytest.mark.parametrize(
    ("text", "file", "function"),
    [("a.py:f", "a.py", "f"), ("a.py", "a.py", ""), (":f", "f", ""), ("c:/a.py:f", "c:/a.py", "f")],
)
def test_a_python_target_is_a_file_and_a_function(text: str, file: str, function: str) -> None:
    target = python_target(text)
    assert (target.file, target.function) == (file, function)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("max: 2", "max: 3"),
        TEXT.replace("id: three, python", "id: tree, python").replace("steps.three", "steps.tree"),
        TEXT.replace("tools: [search]", "tools: [read_file]"),
        TEXT.replace("{type: string}", "{type: string, default: null}"),
    ],
)
def test_the_digest_covers_the_definition(text: str) -> None:
    assert bundle_of(text).digest != bundle_of(TEXT).digest


def test_the_digest_covers_every_file() -> None:
    base = bundle_of(TEXT, **FILES)
    child = bundle_of("steps: [{id: t, run: [x]}]")
    new = digest_bytes(b"new")
    variants = [
        bundle_of(TEXT, prompts={"s.md": "other"}, **FILES),
        bundle_of(TEXT, schemas={"o.json": {"type": "array"}}),
        replace(base, scripts={"r.yaml": {"rules": [1]}}),
        replace(base, python_files={**base.python_files, "score.py": new}),
        replace(base, children={"../child": child}),
        replace(base, tool_digests={**base.tool_digests, "search": new}),
    ]
    digests = [variant.digest for variant in (base, *variants)]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(
    "text",
    [
        "# a comment\n" + TEXT,
        TEXT.replace("model: m,", "repairs: 2, model: m,"),
        TEXT.replace("{type: string}", "{}"),
    ],
)
def test_comments_and_written_out_defaults_do_not_change_the_digest(text: str) -> None:
    assert bundle_of(text).digest == bundle_of(TEXT).digest


def test_unused_tools_and_places_do_not_change_the_digest() -> None:
    base = bundle_of(TEXT)
    other = replace(
        base,
        folder_name="x",
        providers=("y",),
        tool_digests={**base.tool_digests, "write_file": digest_bytes(b"new")},
    )
    assert other.digest == base.digest
    assert bundle_of(TEXT, name="elsewhere/pipeline.yaml").digest == base.digest
