"""The JSON Schema of every file that a user writes, for editors and other tools."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from agentci.app import wiring
from agentci.core.errors import NothingMatched
from agentci.core.json_types import JsonObject
from agentci.spec.jsonschema import schemas
from agentci.spec.suggestion import did_you_mean


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
    names = tuple(sorted(known))
    if request.folder is not None:
        written = tuple(_write(request.folder, name, known[name]) for name in names)
        return SchemaResult(names, written=written)
    if request.name is None:
        return SchemaResult(names)
    if request.name not in known:
        hint = did_you_mean(request.name, names) or f"there are {', '.join(names)}"
        raise NothingMatched(f"there is no schema `{request.name}`", code="ACI-N303", hint=hint)
    return SchemaResult(names, schema=known[request.name])


def schema_text(schema: JsonObject) -> str:
    """Return a schema as the text that is printed and written."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _write(folder: Path, name: str, schema: JsonObject) -> str:
    path = folder / f"{name}.schema.json"
    wiring.files().write_atomic(path, schema_text(schema).encode())
    return path.as_posix()
