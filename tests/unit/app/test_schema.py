"""Schemas of files and of what scorers take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agentci.app.schema import SCORERS, SchemaRequest, execute
from agentci.core.errors import NothingMatched
from agentci.evals.scorers.registry import built_in_scorers


def test_every_kind_of_scorer_has_its_options() -> None:
    schema: Any = execute(SchemaRequest(name=SCORERS)).schema
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(schema["properties"]) == sorted(schema["properties"])
    assert set(built_in_scorers()) <= set(schema["properties"])
    checker: Any = jsonschema.Draft202012Validator(schema)
    assert checker.is_valid({"exact": {"strip": True}})
    assert not checker.is_valid({"exact": {"stripp": True}})


def test_all_schemas_are_written_under_their_names(tmp_path: Path) -> None:
    result = execute(SchemaRequest(folder=tmp_path))
    assert [Path(path).name for path in result.written] == [
        f"{name}.schema.json" for name in result.names
    ]
    assert {"suite", "policy", SCORERS} <= set(result.names)
    assert json.loads((tmp_path / "suite.schema.json").read_text())["title"] == "agentci suite"


def test_a_schema_that_is_not_there_is_told_with_the_nearest() -> None:
    with pytest.raises(NothingMatched) as caught:
        execute(SchemaRequest(name="suit"))
    assert caught.value.hint == "did you mean `suite`?"
