"""Follows the place that pydantic names in an error through the model and through the value.

Pydantic's `loc` mixes keys of the document with labels of union members. Only the model tells
which is which. Used where something is wrong, so it need not be fast.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ForwardRef, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from agentci.core.json_types import JsonValue
from agentci.spec.yaml_document import PathParts


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a document, and what the model says of it."""

    path: PathParts
    annotations: tuple[Any, ...]
    """The types that may stand there, unions taken apart."""

    @property
    def literals(self) -> tuple[Any, ...]:
        """The values that a `Literal` there allows."""
        found = (a for a in self.annotations if get_origin(a) is Literal)
        return tuple(value for annotation in found for value in get_args(annotation))


@dataclass(frozen=True, slots=True)
class _Member:
    annotation: Any
    tag: str | None


def follow(
    model: type[BaseModel], value: JsonValue, loc: PathParts, *, labelled: bool = True
) -> Where:
    """Follow `loc` from `model`; `labelled` says whether it holds labels of union members.

    Without labels, the member of a tagged union is the one whose tag is a key of the value.
    """
    members = tuple(_members(model))
    path: list[str | int] = []
    for part in loc:
        if not labelled:
            members = _chosen(members, value)
        elif any(member.tag is not None for member in members):
            members = tuple(_Member(m.annotation, None) for m in members if m.tag in {part, None})
            continue
        inner = tuple(found for m in members for found in _descend(m.annotation, value, part))
        label = isinstance(part, str) and not inner and not _holds(value, part)
        if label or part == "[key]":
            continue
        path.append(part)
        members = inner
        value = _child(value, part)
    if not labelled:
        members = _chosen(members, value)
    return Where(tuple(path), tuple(member.annotation for member in members))


def fields_of(annotations: Sequence[Any]) -> tuple[str, ...]:
    """Return the keys that the models among `annotations` have, sorted."""
    names: set[str] = set()
    for annotation in annotations:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            names.update(info.alias or name for name, info in annotation.model_fields.items())
    return tuple(sorted(names))


def _chosen(members: tuple[_Member, ...], value: JsonValue) -> tuple[_Member, ...]:
    if not isinstance(value, Mapping) or all(member.tag is None for member in members):
        return members
    return tuple(member for member in members if member.tag in value)


def _members(annotation: Any, tag: str | None = None) -> Iterator[_Member]:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *extra = get_args(annotation)
        own = next((str(item.tag) for item in extra if isinstance(item, Tag)), tag)
        yield from _members(inner, own)
    elif origin in {Union, types.UnionType}:
        for member in get_args(annotation):
            yield from _members(member, tag)
    else:
        yield _Member(annotation, tag)


def _descend(annotation: Any, value: JsonValue, part: str | int) -> Iterator[_Member]:
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, info in annotation.model_fields.items():
            if part in {info.alias, name}:
                yield from _members(_resolved(info.annotation, annotation))
    elif origin is dict and _holds(value, part):
        yield from _members(get_args(annotation)[1])
    elif origin in {tuple, list} and isinstance(part, int):
        yield from _members(get_args(annotation)[0])


def _resolved(annotation: Any, owner: type[BaseModel]) -> Any:
    """Resolve a name that was not yet defined when its model was."""
    if not isinstance(annotation, ForwardRef):
        return annotation
    names = vars(sys.modules[owner.__module__])
    holder = type("_Holder", (), {"__annotations__": {"field": annotation.__forward_arg__}})
    from typing import get_type_hints  # noqa: PLC0415 - only where something is wrong

    return get_type_hints(holder, names, include_extras=True)["field"]


def _is_label(part: str | int) -> bool:
    return isinstance(part, str)


def _holds(value: JsonValue, part: str | int) -> bool:
    return isinstance(value, Mapping) and part in value


def _child(value: JsonValue, part: str | int) -> JsonValue:
    if isinstance(value, Mapping) and isinstance(part, str):
        return value.get(part)
    if isinstance(value, Sequence) and isinstance(part, int) and part < len(value):
        return value[part]
    return None
