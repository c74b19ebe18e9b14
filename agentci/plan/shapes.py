"""Shapes: what is known before a run about a value, as far as a reference can be checked.

A shape never claims more than it knows: `ANY` accepts every reference. Knows JSON and JSON Schema,
not steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from agentci.core.json_types import JsonObject, JsonValue

ShapeKind: TypeAlias = Literal["any", "object", "list", "text", "number", "boolean", "null"]

_METHODS: Mapping[ShapeKind, frozenset[str]] = {
    "object": frozenset({"get", "items", "keys", "values"}),
    "list": frozenset({"count", "index"}),
    "text": frozenset(
        {
            "capitalize",
            "count",
            "endswith",
            "find",
            "isdigit",
            "lower",
            "lstrip",
            "removeprefix",
            "removesuffix",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "title",
            "upper",
        }
    ),
}
"""Methods that the expressions allow on a value, so that `output.text.strip()` is no field."""

_OPENING = ("patternProperties", "dependentSchemas", "if", "unevaluatedProperties", "$dynamicRef")
"""Keywords through which a schema may allow fields that it does not list."""
_TYPES: Mapping[str, ShapeKind] = {
    "object": "object",
    "array": "list",
    "string": "text",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
}
_MAX_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known about a value."""

    kind: ShapeKind = "any"
    fields: Mapping[str, Shape] = field(default_factory=dict)
    """Of an object: the fields that it may have."""
    open: bool = False
    """Whether an object may have fields that are not in `fields`."""
    element: Shape | None = None
    """Of a list."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The first part of a reference that cannot exist."""

    depth: int
    """Position in the path."""
    name: str
    inside: Shape
    """The shape of the value that has no such part."""


ANY = Shape()
TEXT = Shape("text")
NUMBER = Shape("number")
BOOLEAN = Shape("boolean")
NULL = Shape("null")
OPEN_OBJECT = Shape("object", open=True)


def closed(fields: Mapping[str, Shape]) -> Shape:
    """Return the shape of an object with exactly these fields."""
    return Shape("object", fields=fields)


def list_of(element: Shape) -> Shape:
    """Return the shape of a list."""
    return Shape("list", element=element)


def find(shape: Shape, path: Sequence[str]) -> Shape | Missing:
    """Follow `path` from `shape`; return what is there, or the first part that cannot exist."""
    for depth, name in enumerate(path):
        below = _part(shape, name)
        if below is None:
            return Missing(depth, name, shape)
        shape = below
    return shape


def _part(shape: Shape, name: str) -> Shape | None:
    if shape.kind == "any":
        return ANY
    if shape.kind == "object" and name in shape.fields:
        return shape.fields[name]
    if (shape.kind == "object" and shape.open) or name in _METHODS.get(shape.kind, frozenset()):
        return ANY
    if shape.kind in ("list", "text") and name.removeprefix("-").isdigit():
        return (shape.element or ANY) if shape.kind == "list" else TEXT
    return None


def shape_of(value: JsonValue) -> Shape:
    """Return the shape of a constant."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, str):
        return TEXT
    if isinstance(value, int | float):
        return NUMBER
    if isinstance(value, Mapping):
        return closed({name: shape_of(item) for name, item in value.items()})
    return list_of(either([shape_of(item) for item in value]))


def either(shapes: Sequence[Shape]) -> Shape:
    """Return the shape of a value that has one of `shapes`; null beside another is left out."""
    real = [shape for shape in shapes if shape.kind != "null"]
    if not real:
        return NULL if shapes else ANY
    kinds = {shape.kind for shape in real}
    if len(kinds) > 1 or kinds == {"any"}:
        return ANY
    if real[0].kind == "object":
        names = sorted({name for shape in real for name in shape.fields})
        fields = {
            name: either([shape.fields[name] for shape in real if name in shape.fields])
            for name in names
        }
        return Shape("object", fields=fields, open=any(shape.open for shape in real))
    if real[0].kind == "list":
        return list_of(either([shape.element or ANY for shape in real]))
    return real[0]


def _both(shapes: Sequence[Shape]) -> Shape:
    """Return the shape of a value that has all of `shapes`."""
    known = [shape for shape in shapes if shape.kind != "any"]
    if not known:
        return ANY
    if any(shape.kind != known[0].kind for shape in known):
        return ANY
    if known[0].kind != "object":
        return known[0]
    fields: dict[str, Shape] = {}
    for shape in known:
        for name, below in shape.fields.items():
            fields[name] = _both([fields[name], below]) if name in fields else below
    return Shape("object", fields=fields, open=all(shape.open for shape in known))


def shape_of_schema(schema: JsonObject) -> Shape:
    """Return the shape of the values that a JSON Schema describes.

    A schema that lists `properties` is taken to list all of them unless it says otherwise with
    `additionalProperties`: a field that is in no schema is one that no agent was asked for.
    """
    return _Reader(schema).shape(schema, refs=())


@dataclass(frozen=True, slots=True)
class _Reader:
    root: JsonObject

    def shape(self, schema: JsonValue, *, refs: tuple[str, ...]) -> Shape:
        if not isinstance(schema, Mapping) or len(refs) > _MAX_DEPTH:
            return ANY
        parts = [self._own(schema, refs=refs)]
        ref = schema.get("$ref")
        if isinstance(ref, str):
            target = None if ref in refs else self._target(ref)
            parts.append(self.shape(target, refs=(*refs, ref)))
        for keyword in ("anyOf", "oneOf"):
            options = schema.get(keyword)
            if isinstance(options, Sequence) and options:
                parts.append(either([self.shape(option, refs=refs) for option in options]))
        every = schema.get("allOf")
        if isinstance(every, Sequence):
            parts.extend(self.shape(option, refs=refs) for option in every)
        return _both(parts)

    def _own(self, schema: JsonObject, *, refs: tuple[str, ...]) -> Shape:
        if "const" in schema:
            return shape_of(schema["const"])
        options = schema.get("enum")
        if isinstance(options, Sequence) and not isinstance(options, str) and options:
            return either([shape_of(option) for option in options])
        named = schema.get("type")
        names = [named] if isinstance(named, str) else named
        if not isinstance(names, Sequence):
            names = ["object"] if "properties" in schema else []
        kinds = [_TYPES[name] for name in names if isinstance(name, str) and name in _TYPES]
        if not kinds:
            return ANY
        return either([self._typed(kind, schema, refs=refs) for kind in kinds])

    def _typed(self, kind: ShapeKind, schema: JsonObject, *, refs: tuple[str, ...]) -> Shape:
        if kind == "list":
            prefixed = "prefixItems" in schema
            return list_of(ANY if prefixed else self.shape(schema.get("items"), refs=refs))
        if kind != "object":
            return Shape(kind)
        properties = schema.get("properties")
        listed = properties if isinstance(properties, Mapping) else {}
        extra = schema.get("additionalProperties", not listed)
        return Shape(
            "object",
            fields={name: self.shape(below, refs=refs) for name, below in listed.items()},
            open=extra is not False or any(keyword in schema for keyword in _OPENING),
        )

    def _target(self, ref: str) -> JsonValue:
        if not ref.startswith("#"):
            return None
        found: JsonValue = self.root
        for part in ref.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or name not in found:
                return None
            found = found[name]
        return found
