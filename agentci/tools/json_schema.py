"""JSON Schema checks whose words are ours, so that no library's release changes what a model reads.

The keywords that most schemas consist of are checked here; a schema with any other keyword goes to
`jsonschema`, which takes long to import and therefore only then. Nothing is ever fetched.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import UsageError
from agentci.core.json_types import JsonObject, JsonValue

MAX_REPORTED: Final = 10
"""Violations that `describe` names."""

_NOTES: Final = frozenset(
    {"$comment", "$id", "$schema", "default", "deprecated", "description", "examples", "title"}
)
_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_CHECKED: Final = frozenset(
    {
        "additionalProperties",
        "const",
        "enum",
        "items",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "properties",
        "required",
        "type",
    }
)
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a value does not fit its schema."""

    path: str
    """JSON pointer; empty for the whole value."""
    text: str
    """What is wrong with it, as a predicate: `must be ...`."""


def violations(schema: JsonObject, value: JsonValue) -> tuple[Violation, ...]:
    """Return where `value` does not fit `schema`, in an order that only depends on both.

    Raises:
        UsageError: when the schema itself is wrong.
    """
    if _is_plain(schema):
        return tuple(_check(schema, value, ""))
    return _by_library(schema, value)


def describe(found: Sequence[Violation]) -> str:
    """Return violations as a list, a line for each."""
    lines = [f"- {item.path or 'the value'} {item.text}" for item in found[:MAX_REPORTED]]
    if len(found) > MAX_REPORTED:
        lines.append(f"- and {len(found) - MAX_REPORTED} more")
    return "\n".join(lines)


def _is_plain(schema: Any) -> bool:
    """Say whether the check in this module knows everything that the schema says."""
    if not isinstance(schema, Mapping) or not _CHECKED.union(_NOTES).issuperset(schema):
        return False
    if schema.get("$schema", _DIALECT) != _DIALECT or not isinstance(schema.get("$id", ""), str):
        return False
    return (
        _is_type(schema.get("type", "object"))
        and isinstance(schema.get("enum", []), list | tuple)
        and _are_texts(schema.get("required", []))
        and all(_is_size(schema[name]) for name in schema if name[3:] in {"Items", "Length"})
        and all(_is_number(schema[name]) for name in ("minimum", "maximum") if name in schema)
        and _has_plain_parts(schema)
    )


def _has_plain_parts(schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping) or not all(map(_is_plain, properties.values())):
        return False
    additional = schema.get("additionalProperties", True)
    if not isinstance(additional, bool) and not _is_plain(additional):
        return False
    return "items" not in schema or _is_plain(schema["items"])


def _is_type(value: Any) -> bool:
    if isinstance(value, str):
        return value in _TYPES
    return _are_texts(value) and bool(value) and _TYPES.issuperset(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check(schema: Mapping[str, Any], value: JsonValue, path: str) -> Iterator[Violation]:
    for keyword in sorted(_CHECKED.intersection(schema)):
        expected = schema[keyword]
        if not _fits(keyword, expected, value):
            yield Violation(path, _words(keyword, expected, value))
    if isinstance(value, Mapping):
        yield from _check_members(schema, value, path)
    elif isinstance(value, Sequence) and not isinstance(value, str) and "items" in schema:
        for index, item in enumerate(value):
            yield from _check(schema["items"], item, f"{path}/{index}")


def _check_members(schema: Mapping[str, Any], value: JsonObject, path: str) -> Iterator[Violation]:
    properties = schema.get("properties", {})
    additional = schema.get("additionalProperties", True)
    for name in sorted(value):
        if name in properties:
            yield from _check(properties[name], value[name], f"{path}/{_pointer(name)}")
        elif isinstance(additional, Mapping):
            yield from _check(additional, value[name], f"{path}/{_pointer(name)}")
        elif additional is False:
            yield Violation(f"{path}/{_pointer(name)}", "is not a known name here")


def _fits(keyword: str, expected: Any, value: JsonValue) -> bool:
    if keyword == "type":
        names = [expected] if isinstance(expected, str) else expected
        return any(_has_type(value, name) for name in names)
    if keyword in {"enum", "const"}:
        options = expected if keyword == "enum" else [expected]
        return any(_equal(value, option) for option in options)
    if keyword == "required":
        return not isinstance(value, Mapping) or all(name in value for name in expected)
    size = _size(keyword, value)
    if size is None:
        return True
    return bool(size >= expected if keyword.startswith("min") else size <= expected)


def _size(keyword: str, value: JsonValue) -> float | None:
    """Return what `keyword` limits, or None where it does not apply to `value`."""
    if isinstance(value, str):
        return len(value) if keyword.endswith("Length") else None
    if isinstance(value, Mapping) or value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value if keyword.endswith("imum") else None
    return len(value) if keyword.endswith("Items") else None


def _has_type(value: JsonValue, name: str) -> bool:
    if value is None or isinstance(value, bool | str):
        return {"null": value is None, "boolean": isinstance(value, bool)}.get(
            name, name == "string" and isinstance(value, str)
        )
    if isinstance(value, int | float):
        whole = isinstance(value, int) or (math.isfinite(value) and value.is_integer())
        return name == "number" or (name == "integer" and whole)
    return name == ("object" if isinstance(value, Mapping) else "array")


def _equal(first: JsonValue, second: JsonValue) -> bool:
    return canonical_bytes(first) == canonical_bytes(second)


def _words(keyword: str, expected: Any, value: Any) -> str:
    """Say what is wrong; `expected` is the keyword's value in the schema."""
    shown = _shown(expected)
    if keyword == "type":
        names = [expected] if isinstance(expected, str) else expected
        return f"must be of type {' or '.join(str(name) for name in names)}"
    if keyword == "required":
        missing = [name for name in expected if name not in value]
        return f"misses {', '.join(f'`{name}`' for name in missing)}"
    return {
        "const": f"must be {shown}",
        "enum": f"must be one of {shown}",
        "exclusiveMaximum": f"must be less than {shown}",
        "exclusiveMinimum": f"must be more than {shown}",
        "format": f"must be in the format {shown}",
        "maxItems": f"must have at most {shown} items",
        "maxLength": f"must have at most {shown} characters",
        "maxProperties": f"must have at most {shown} members",
        "maximum": f"must be at most {shown}",
        "minItems": f"must have at least {shown} items",
        "minLength": f"must have at least {shown} characters",
        "minProperties": f"must have at least {shown} members",
        "minimum": f"must be at least {shown}",
        "multipleOf": f"must be a multiple of {shown}",
        "pattern": f"must match the regular expression {shown}",
        "uniqueItems": "must not have equal items",
    }.get(keyword, f"does not satisfy `{keyword}`: {shown}")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _by_library(schema: JsonObject, value: JsonValue) -> tuple[Violation, ...]:
    # jsonschema takes a tenth of a second to import, and most schemas do without it
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415
    from jsonschema.validators import Draft202012Validator, validator_for  # noqa: PLC0415
    from referencing.exceptions import Unresolvable  # noqa: PLC0415
    from referencing.jsonschema import EMPTY_REGISTRY  # noqa: PLC0415

    kind: Any = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
        # without a registry of ours, a `$ref` to an address would be fetched
        errors = list(kind(schema, registry=EMPTY_REGISTRY).iter_errors(value))
    except SchemaError as error:
        place = "/".join(str(part) for part in error.absolute_path)
        raise UsageError(
            f"the JSON Schema is not valid at `/{place}`",
            code="ACI-U147",
            hint="correct the schema, then `agentci check`",
        ) from error
    except (Unresolvable, RecursionError) as error:
        raise UsageError(
            "the JSON Schema has a `$ref` that leads nowhere or never ends",
            code="ACI-U143",
            hint="put what it refers to under `$defs` of the same schema",
        ) from error
    found = [
        Violation(
            "".join(f"/{_pointer(str(part))}" for part in error.absolute_path),
            _words(error.validator, error.validator_value, error.instance),
        )
        for error in errors
    ]
    return tuple(sorted(found, key=lambda item: (item.path, item.text)))
