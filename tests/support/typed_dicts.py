"""Checks JSON against the typed dictionaries with which an SDK describes its requests.

Stricter than the SDK itself, which sends any nested dictionary: here an unknown key is a finding.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin

import typing_extensions


def findings(value: Any, hint: Any, path: str = "$") -> list[str]:
    """Return what in `value` is not of the type `hint`, each with its place."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {typing.Required, typing.NotRequired, typing.Annotated}:
        result = findings(value, inner[0], path)
    elif origin in {Union, types.UnionType}:
        result = _of_union(value, inner, path)
    elif origin is Literal:
        result = [] if value in inner else [f"{path}: `{value}` is not one of {inner}"]
    elif typing_extensions.is_typeddict(hint):
        result = _of_typed_dict(value, hint, path)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        result = [] if isinstance(value, Mapping) else [f"{path}: not an object"]
    elif isinstance(origin, type) and issubclass(origin, Iterable):
        result = _of_list(value, inner[0], path)
    else:
        result = _of_class(value, hint, path)
    return result


def _of_union(value: Any, members: tuple[Any, ...], path: str) -> list[str]:
    tried = [findings(value, member, path) for member in members]
    return min(tried, key=len) if all(tried) else []


def _of_list(value: Any, member: Any, path: str) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [f"{path}: not a list"]
    return [f for i, item in enumerate(value) for f in findings(item, member, f"{path}[{i}]")]


def _of_typed_dict(value: Any, hint: Any, path: str) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{path}: not an object"]
    hints = typing_extensions.get_type_hints(hint)
    result = [f"{path}.{key}: not in `{hint.__name__}`" for key in value if key not in hints]
    result += [f"{path}.{key}: missing" for key in sorted(hint.__required_keys__ - set(value))]
    for key, inner in value.items():
        if key in hints:
            result += findings(inner, hints[key], f"{path}.{key}")
    return result


def _of_class(value: Any, hint: Any, path: str) -> list[str]:
    if hint in {Any, object} or (hint is type(None) and value is None):
        return []
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return []
    if isinstance(hint, type) and isinstance(value, hint):
        return []
    return [f"{path}: `{value!r:.40}` is not `{getattr(hint, '__name__', hint)}`"]
