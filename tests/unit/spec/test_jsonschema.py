"""The schemas for editors agree with the loader."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from agentci.spec.jsonschema import schemas


@pytest.fixture(scope="module")
def validator() -> Any:
    return jsonschema.Draft202012Validator(schemas()["pipeline"])


def test_there_is_a_schema_for_every_file_that_a_user_writes() -> None:
    assert list(schemas()) == [
        "config",
        "deploy",
        "pipeline",
        "policy",
        "script",
        "secret-allow",
        "suite",
    ]
    for schema in schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_keys_are_those_of_the_file() -> None:
    pipeline: Any = schemas()["pipeline"]
    agent = pipeline["$defs"]["AgentStep"]
    assert "with" in agent["properties"]
    assert "with_" not in agent["properties"]


@pytest.mark.parametrize(
    "step",
    [
        {"id": "a", "run": ["x"]},
        {"id": "a", "run": "x y", "when": "${{ x }}"},
        {"id": "a", "agent": "b", "prompt": "p.md", "with": {"x": 1}},
        {"id": "a", "loop": {"until": "x", "max": 2, "steps": [{"id": "b", "run": "x"}]}},
    ],
)
def test_a_good_pipeline_is_valid(validator: Any, step: object) -> None:
    head = {"format": "agentci/pipeline", "version": 1, "name": "x"}
    assert not list(validator.iter_errors({**head, "steps": [step]}))


@pytest.mark.parametrize(
    "step",
    [
        {"id": "a"},
        {"run": "x"},
        {"id": "a", "run": 1},
        {"id": "a", "run": "x", "enf": {}},
        {"id": "a", "agent": "b"},
    ],
)
def test_a_wrong_step_is_invalid(validator: Any, step: object) -> None:
    head = {"format": "agentci/pipeline", "version": 1, "name": "x"}
    assert list(validator.iter_errors({**head, "steps": [step]}))


def test_titles_made_of_field_names_are_left_out() -> None:
    def titles(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["title"]] if isinstance(node.get("title"), str) else []
            return own + [title for value in node.values() for title in titles(value)]
        return [t for item in node for t in titles(item)] if isinstance(node, list) else []

    assert titles(schemas()["config"]) == ["agentci config"]
