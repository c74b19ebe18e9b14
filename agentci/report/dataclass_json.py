"""Values of dataclasses as JSON, back again, and the JSON Schema of both: made from the fields.

Knows no class in particular. What it reads, it checks: a document that does not fit the fields is
an error that names the place.
"""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject, JsonValue

_T = TypeVar("_T")
_ANYTHING: Final = object
"""Stands for any JSON value."""
_LARGEST: Final = 2**53
"""Beyond it, JSON of other programs is not exact."""
_SCALARS: Final[Mapping[object, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


class Misfit(ValueError):
    """A document that does not fit; the message names the place."""


def to_plain(value: object) -> JsonValue:
    """Return a value as JSON: each dataclass by its fields, in the order of their definition."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)  # a text, or one of an enumeration's
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):  # before the general test, which takes ten times as long
        return {str(name): to_plain(item) for name, item in value.items()}
    if isinstance(value, Mapping):
        return {str(name): to_plain(item) for name, item in value.items()}
    return {name: to_plain(getattr(value, name)) for name in _names(value.__class__)}


@cache
def _known_names(kind: Hashable) -> tuple[str, ...]:
    assert is_dataclass(kind)
    return tuple(each.name for each in fields(kind))


def _names(kind: Any) -> tuple[str, ...]:
    return _known_names(kind)


def from_plain(kind: type[_T], data: object) -> _T:
    """Return the value of the dataclass `kind` that `to_plain` wrote.

    Fields that `kind` does not have are left out, so that newer minor revisions can be read.

    Raises:
        Misfit: when a field is missing or holds something else.
    """
    found = _read(kind, data, "")
    assert isinstance(found, kind)
    return found


def schema_of(kind: type[object]) -> JsonObject:
    """Return the JSON Schema of `kind`, with the words of its docstrings, and `$defs`."""
    definitions: dict[str, JsonValue] = {}
    _schema(kind, definitions)
    own = definitions.pop(kind.__name__)
    assert isinstance(own, dict)
    return {**own, "$defs": dict(sorted(definitions.items()))}


def _read(kind: Any, data: object, at: str) -> object:
    if kind is _ANYTHING:
        return data
    if is_dataclass(kind) and isinstance(kind, type):
        return _read_dataclass(kind, data, at)
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        return _read_union(kind, data, at)
    if origin is tuple:
        items = _expect(data, list, at)
        return tuple(_read(get_args(kind)[0], item, f"{at}[{i}]") for i, item in enumerate(items))
    if origin is not None and origin is not Literal:  # a mapping
        content = _expect(data, dict, at)
        return {key: _read(get_args(kind)[1], item, f"{at}.{key}") for key, item in content.items()}
    return _read_scalar(kind, data, at)


def _read_dataclass(kind: type[Any], data: object, at: str) -> object:
    content = _expect(data, dict, at)
    hints = _fields(kind)
    needed = {each.name for each in fields(kind) if _is_needed(each)}
    missing = sorted(needed - content.keys())
    if missing:
        raise Misfit(f"{_at(at)} has no `{missing[0]}`")
    return kind(
        **{
            name: _read(hint, content[name], f"{at}.{name}")
            for name, hint in hints.items()
            if name in content
        }
    )


def _read_union(kind: Any, data: object, at: str) -> object:
    choices = [each for each in get_args(kind) if each is not type(None)]
    if data is None and len(choices) < len(get_args(kind)):
        return None
    assert len(choices) == 1, "the only unions are with None"
    return _read(choices[0], data, at)


def _read_scalar(kind: Any, data: object, at: str) -> object:
    if get_origin(kind) is Literal:
        if data in get_args(kind):
            return data
        raise Misfit(f"{_at(at)} is none of {', '.join(get_args(kind))}")
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        try:
            return kind(_expect(data, str, at))
        except ValueError:
            raise Misfit(f"{_at(at)} is none of {', '.join(kind)}") from None
    kind = getattr(kind, "__supertype__", kind)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(_counted(data, at))
    found = _expect(data, kind, at)
    return _counted(found, at) if isinstance(found, int | float) else found


def _counted(number: float, at: str) -> float:
    """Return a number that can be calculated with, as all that we write can."""
    if not -_LARGEST <= number <= _LARGEST:  # nor is it NaN then
        raise Misfit(f"{_at(at)} is no number that can be calculated with")
    return number


def _expect(data: object, kind: type[_T], at: str) -> _T:
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        raise Misfit(f"{_at(at)} is not of the type `{kind.__name__}`")
    return data


def _at(at: str) -> str:
    return f"`{at.lstrip('.')}`" if at else "the document"


def _is_needed(each: Any) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


@cache
def _hinted(kind: Hashable) -> Mapping[str, Any]:
    return get_type_hints(kind, localns={"JsonValue": _ANYTHING})


def _fields(kind: Any) -> Mapping[str, Any]:
    return _hinted(kind)


def _schema(kind: Any, definitions: dict[str, JsonValue]) -> JsonObject:
    if kind is _ANYTHING:
        return {}
    if is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ not in definitions:
            definitions[kind.__name__] = {}  # a place in the order, also for classes within
            definitions[kind.__name__] = _object(kind, definitions)
        return {"$ref": f"#/$defs/{kind.__name__}"}
    if get_origin(kind) is not None:
        return _schema_of_generic(kind, definitions)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"enum": [str(each) for each in kind]}
    return {"type": _SCALARS[getattr(kind, "__supertype__", kind)]}


def _schema_of_generic(kind: Any, definitions: dict[str, JsonValue]) -> JsonObject:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in {Union, types.UnionType}:
        return {"anyOf": [_schema(each, definitions) for each in inner]}
    if origin is tuple:
        return {"type": "array", "items": _schema(inner[0], definitions)}
    return {"type": "object", "additionalProperties": _schema(inner[1], definitions)}


def _object(kind: type[Any], definitions: dict[str, JsonValue]) -> JsonObject:
    words = _attribute_docs(kind)
    properties: dict[str, JsonValue] = {}
    for name, hint in _fields(kind).items():
        described: JsonObject = {"description": words[name]} if name in words else {}
        properties[name] = {**described, **_schema(hint, definitions)}
    return {
        "description": inspect.cleandoc(kind.__doc__ or ""),
        "type": "object",
        "properties": properties,
        "required": [each.name for each in fields(kind) if _is_needed(each)],
    }


def _attribute_docs(kind: type[object]) -> Mapping[str, str]:
    """Return the strings that stand below the fields of a class."""
    body: Sequence[ast.stmt] = ()
    parsed = ast.parse(dedent(inspect.getsource(kind))).body[0]
    if isinstance(parsed, ast.ClassDef):
        body = parsed.body
    found: dict[str, str] = {}
    for field, text in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(text.value.value)
    return found
