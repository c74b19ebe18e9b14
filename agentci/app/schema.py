"""The JSON Schema of every file that a user writes, and of what others read, for their tools."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentci.app import wiring
from agentci.core.errors import NothingMatched
from agentci.core.json_types import JsonObject
from agentci.spec.jsonschema import schemas, tidy_schema
from agentci.spec.suggestion import did_you_mean

SCORERS: Final = "scorers"
"""Not a file: what stands in `with` of each kind of scorer."""
DECISION: Final = "decision"
"""What `agentci gate` writes."""


@dataclass(frozen=True, slots=True)
class SchemaRequest:
    """Which schema, or where to write all of them."""

    name: str | None = None
    """None for the list of names."""
    folder: Path | None = None
    """Write every schema here as `<name>.schema.json`."""


@dataclass(frozen=True, slots=True)
class SchemaResult:
    """One of: the names, a schema, the files that were written."""

    names: tuple[str, ...]
    schema: JsonObject | None = None
    written: tuple[str, ...] = ()


def execute(request: SchemaRequest) -> SchemaResult:
    """Return or write schemas.

    Raises:
        NothingMatched: when there is no schema of that name.
        StorageError: when a file cannot be written.
    """
    known = schemas()
    names = tuple(sorted([*known, DECISION, SCORERS]))
    if request.folder is not None:
        every = all_schemas()
        written = tuple(_write(request.folder, name, every[name]) for name in names)
        return SchemaResult(names, written=written)
    if request.name is None:
        return SchemaResult(names)
    if request.name not in names:
        hint = did_you_mean(request.name, names) or f"there are {', '.join(names)}"
        raise NothingMatched(f"there is no schema `{request.name}`", code="ACI-N303", hint=hint)
    made = {DECISION: _decision, SCORERS: _scorers}
    found = made[request.name]() if request.name in made else known[request.name]
    return SchemaResult(names, schema=found)


def all_schemas() -> Mapping[str, JsonObject]:
    """Return the schema of each file that a user writes, of `scorers`, and of the `decision`."""
    return {**schemas(), DECISION: _decision(), SCORERS: _scorers()}


def _decision() -> JsonObject:
    from agentci.report.decision_json import decision_schema  # noqa: PLC0415 - only this needs it

    return tidy_schema(DECISION, decision_schema())


def _scorers() -> JsonObject:
    """Return a schema with the options of each installed kind of scorer, by kind."""
    from pydantic.json_schema import models_json_schema  # noqa: PLC0415 - slow to import

    from agentci.evals.scorers.registry import scorer, scorer_names  # noqa: PLC0415

    models = {kind: scorer(kind).options for kind in scorer_names()}
    distinct = dict.fromkeys(models.values())
    by_model, definitions = models_json_schema([(model, "validation") for model in distinct])
    kinds = {kind: by_model[model, "validation"] for kind, model in models.items()}
    described = {"description": "The options of each kind of scorer, what stands in its `with`."}
    return tidy_schema(SCORERS, {**definitions, **described, "properties": kinds})


def schema_text(schema: JsonObject) -> str:
    """Return a schema as the text that is printed and written."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _write(folder: Path, name: str, schema: JsonObject) -> str:
    path = folder / f"{name}.schema.json"
    wiring.files().write_atomic(path, schema_text(schema).encode())
    return path.as_posix()
