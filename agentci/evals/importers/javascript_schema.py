"""JSON Schemas as Ajv takes them by default: draft 7, strict, expressions of JavaScript.

Ajv refuses a schema with a keyword that it does not know, and promptfoo then fails the test; such
schemas are refused here as well. Source: ajv.js.org/strict-mode.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from agentci.core.errors import UsageError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.evals.importers.findings import NotImportable
from agentci.evals.importers.javascript_regex import python_pattern
from agentci.tools.json_schema import violations

_DIALECTS: Final = (
    "http://json-schema.org/draft-07/schema#",
    "http://json-schema.org/draft-07/schema",
)
_PLAIN: Final = frozenset(
    {
        "$comment", "$id", "$ref", "$schema", "const", "default", "deprecated", "description",
        "enum", "examples", "exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength",
        "maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum",
        "multipleOf", "readOnly", "required", "title", "type", "uniqueItems", "writeOnly",
    }
)  # fmt: skip
_ONE: Final = frozenset(
    {"additionalItems", "additionalProperties", "contains", "else", "if", "items", "not",
     "propertyNames", "then"}
)  # fmt: skip
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf"})
_NAMED: Final = frozenset({"$defs", "definitions", "properties"})


def draft7(schema: JsonObject) -> JsonObject:
    """Return the schema for checks here.

    Raises:
        NotImportable: when Ajv refuses it, or something in it is checked otherwise here.
    """
    if schema.get("$schema", _DIALECTS[0]) not in _DIALECTS:
        raise NotImportable("a schema of another draft than 7, on which promptfoo fails")
    found = _translated(schema)
    found["$schema"] = _DIALECTS[0]
    try:
        violations(found, None)
    except (UsageError, RecursionError) as error:
        raise NotImportable(f"a schema that is not valid: {error}") from error
    return found


def _translated(schema: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {name: _keyword(name, value) for name, value in schema.items()} | _pattern(schema)


def _pattern(schema: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    pattern = schema.get("pattern")
    return {"pattern": python_pattern(pattern)} if isinstance(pattern, str) else {}


def _keyword(name: str, value: JsonValue) -> JsonValue:
    if name in _PLAIN or name == "pattern":
        return value
    if name in _ONE:
        return _sub(value)
    if name in _LISTS:
        return _sub(value) if isinstance(value, list | tuple) else value
    if name in _NAMED and isinstance(value, Mapping):
        return {key: _sub(each) for key, each in value.items()}
    if name == "patternProperties" and isinstance(value, Mapping):
        return {python_pattern(key): _sub(each) for key, each in value.items()}
    if name == "format":
        raise NotImportable("a schema with `format`, which is not checked here")
    raise NotImportable(f"a schema with `{name[:60]}`, which promptfoo does not know either")


def _sub(value: JsonValue) -> JsonValue:
    if isinstance(value, Mapping):
        return _translated(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_sub(each) for each in value]
    return value
