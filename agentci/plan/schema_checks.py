"""Mistakes in a JSON Schema that would only show when an agent has already answered.

Checks the keywords that the draft 2020-12 meta-schema constrains and people use, without the
weight of a validator at start-up. Unknown keywords are allowed, as the standard says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from agentci.core.json_types import JsonObject, JsonValue
from agentci.plan.findings import Path
from agentci.spec.suggestion import did_you_mean

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_SCHEMAS = (
    "additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_SCHEMA_MAPS = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_COUNTS = (
    "maxContains", "maxItems", "maxLength", "maxProperties", "minContains", "minItems",
    "minLength", "minProperties",
)  # fmt: skip
_NUMBERS = ("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf")


@dataclass(frozen=True, slots=True)
class SchemaMistake:
    """One thing that is wrong in a schema."""

    path: Path
    """From the top of the schema."""
    message: str
    hint: str | None = None


def schema_mistakes(schema: JsonObject) -> tuple[SchemaMistake, ...]:
    """Return what is wrong in `schema`; empty where nothing was found."""
    return tuple(_Walk(schema).check(schema, ()))


@dataclass(frozen=True, slots=True)
class _Walk:
    root: JsonObject

    def check(self, schema: JsonValue, path: Path) -> Iterator[SchemaMistake]:
        if isinstance(schema, bool):
            return
        if not isinstance(schema, Mapping):
            yield SchemaMistake(path, "a schema is a mapping, `true` or `false`")
            return
        yield from self._type(schema, path)
        yield from self._values(schema, path)
        yield from self._reference(schema, path)
        yield from self._below(schema, path)

    def _type(self, schema: JsonObject, path: Path) -> Iterator[SchemaMistake]:
        if "type" not in schema:
            return
        named = schema["type"]
        names = [named] if isinstance(named, str) else named
        if not isinstance(names, Sequence) or not names:
            yield SchemaMistake((*path, "type"), "`type` is a name or a list of names")
            return
        for name in names:
            if name not in _TYPES:
                hint = did_you_mean(str(name), _TYPES) or f"use one of {', '.join(_TYPES)}"
                yield SchemaMistake((*path, "type"), f"there is no type `{name}`", hint)

    def _values(self, schema: JsonObject, path: Path) -> Iterator[SchemaMistake]:
        for name in _COUNTS:
            value = schema.get(name, 0)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                yield SchemaMistake((*path, name), f"`{name}` is a whole number from 0")
        for name in _NUMBERS:
            value = schema.get(name, 1)
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield SchemaMistake((*path, name), f"`{name}` is a number")
        if not isinstance(schema.get("enum", []), list | tuple):
            yield SchemaMistake((*path, "enum"), "`enum` is a list of values")
        if "pattern" in schema:
            yield from _pattern(schema["pattern"], (*path, "pattern"))
        yield from _required(schema, path)

    def _reference(self, schema: JsonObject, path: Path) -> Iterator[SchemaMistake]:
        ref = schema.get("$ref")
        if ref is None:
            return
        if not isinstance(ref, str):
            yield SchemaMistake((*path, "$ref"), "`$ref` is a text")
        elif not ref.startswith("#"):
            message = f"`$ref: {ref}` leads out of this schema"
            yield SchemaMistake((*path, "$ref"), message, "put the target under `$defs`")
        elif ref.startswith("#/") and not self._resolves(ref):
            yield SchemaMistake((*path, "$ref"), f"`$ref: {ref}` leads to nothing")

    def _resolves(self, ref: str) -> bool:
        found: JsonValue = self.root
        for part in ref.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping) and name in found:
                found = found[name]
            elif isinstance(found, list | tuple) and name.isdigit() and int(name) < len(found):
                found = cast("JsonValue", found[int(name)])
            else:
                return False
        return True

    def _below(self, schema: JsonObject, path: Path) -> Iterator[SchemaMistake]:
        for name in _SCHEMAS:
            if name in schema:
                yield from self.check(schema[name], (*path, name))
        for name in _SCHEMA_MAPS:
            entries = schema.get(name, {})
            if not isinstance(entries, Mapping):
                yield SchemaMistake((*path, name), f"`{name}` is a mapping of schemas")
                continue
            for key, entry in entries.items():
                if name == "patternProperties":
                    yield from _pattern(key, (*path, name, key))
                yield from self.check(entry, (*path, name, key))
        for name in _SCHEMA_LISTS:
            entries = schema.get(name, [True])
            if not isinstance(entries, list | tuple) or not entries:
                yield SchemaMistake((*path, name), f"`{name}` is a list of schemas")
                continue
            for index, entry in enumerate(entries):
                yield from self.check(cast("JsonValue", entry), (*path, name, index))


def _required(schema: JsonObject, path: Path) -> Iterator[SchemaMistake]:
    required = schema.get("required", [])
    if not isinstance(required, list | tuple) or not all(isinstance(n, str) for n in required):
        yield SchemaMistake((*path, "required"), "`required` is a list of names")
        return
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or schema.get("additionalProperties") is not False:
        return
    for name in required:
        if name not in properties and "patternProperties" not in schema:
            message = f"`{name}` is required and not allowed: it is not in `properties`"
            hint = did_you_mean(str(name), [str(key) for key in properties])
            yield SchemaMistake((*path, "required"), message, hint)


def _pattern(pattern: JsonValue, path: Path) -> Iterator[SchemaMistake]:
    if not isinstance(pattern, str):
        yield SchemaMistake(path, "a pattern is a text")
        return
    try:
        re.compile(pattern)
    except re.error as error:
        yield SchemaMistake(path, f"`{pattern[:60]}` is not a regular expression: {error}")
