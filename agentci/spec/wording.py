"""Words what pydantic found wrong in a document for a person who wrote it.

Knows pydantic's error types and how a model is made of others, but no particular model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from agentci.core.errors import Problem
from agentci.core.json_types import JsonValue
from agentci.spec.explanation import Explained, ExplainUnion
from agentci.spec.model_walk import fields_of, follow
from agentci.spec.suggestion import did_you_mean
from agentci.spec.yaml_document import Document, PathParts

_EXPECTED: dict[str, str] = {
    "string_type": "a text", "int_type": "a whole number", "int_from_float": "a whole number",
    "float_type": "a number", "bool_type": "`true` or `false`", "list_type": "a list",
    "tuple_type": "a list", "dict_type": "a mapping", "model_type": "a mapping",
    "model_attributes_type": "a mapping", "none_required": "nothing",
}  # fmt: skip
_BOUNDS: dict[str, str] = {
    "greater_than": "more than {gt}", "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}", "less_than_equal": "at most {le}",
}  # fmt: skip


class Wording:
    """Turns pydantic's errors about one document into problems."""

    def __init__(
        self, document: Document, model: type[BaseModel], explain_union: ExplainUnion | None
    ) -> None:
        self.document = document
        self.model = model
        self.explain_union = explain_union

    def problems(self, errors: list[Any]) -> tuple[Problem, ...]:
        """Return one problem for each place, in the order of the text."""
        grouped: dict[PathParts, list[Any]] = {}
        for error in errors:
            where = follow(self.model, self.document.value, error["loc"])
            grouped.setdefault(where.path, []).append(error)
        found = [
            self._problem(path, group)
            for path, group in grouped.items()
            if not self._follows_from_others(path, group, grouped)
        ]
        return tuple(sorted(found, key=_reading_order))

    def _follows_from_others(
        self, path: PathParts, group: list[Any], grouped: Mapping[PathParts, list[Any]]
    ) -> bool:
        """Say whether this is wrong only because something inside is.

        That is how pydantic tells of the other members of a union, and of a list's length.
        """
        deeper = any(len(other) > len(path) and other[: len(path)] == path for other in grouped)
        own = {error["type"] for error in group} <= {*_EXPECTED, "too_short"}
        return deeper and own

    def _problem(self, path: PathParts, group: list[Any]) -> Problem:
        error = group[0]
        kind: str = error["type"]
        locate = self.document.positions.locate
        if kind == "extra_forbidden":
            told = self._unknown_key(path)
            return Problem(told.code, told.message, locate(path, key=True), told.hint)
        if kind.startswith("union_tag") and self.explain_union is not None:
            told = self.explain_union(self._value(path))
            at = locate(path) if told.key is None else locate((*path, told.key), key=True)
            return Problem(told.code, told.message, at, told.hint)
        if error["loc"][-1:] == ("[key]",):
            message = f"`{path[-1]}` is not a valid name"
            return Problem("ACI-D113", message, locate(path, key=True), _NAME_HINT)
        if kind == "missing":
            return Problem("ACI-D111", f"`{_name(path)}` is missing", locate(path))
        told = self._explain(path, group)
        return Problem(told.code, told.message, locate(path), told.hint)

    def _unknown_key(self, path: PathParts) -> Explained:
        key = str(path[-1])
        around = follow(self.model, self.document.value, path[:-1], labelled=False)
        names = fields_of(around.annotations)
        owner = _name(path[:-1])
        where = f" in `{owner}`" if owner else ""
        hint = did_you_mean(key, names) or f"known keys: {', '.join(f'`{n}`' for n in names)}"
        return Explained("ACI-D110", f"unknown key `{key}`{where}", hint)

    def _explain(self, path: PathParts, group: list[Any]) -> Explained:
        error = group[0]
        kind: str = error["type"]
        context: Mapping[str, Any] = error.get("ctx", {})
        name = _name(path)
        value = self._value(path)
        if all(other["type"] in _EXPECTED for other in group):
            wanted = " or ".join(dict.fromkeys(_EXPECTED[other["type"]] for other in group))
            message = (
                f"`{name}` has to be {wanted}, not {_describe(value)}"
                if name
                else (f"the file has to hold {wanted}, not {_describe(value)}")
            )
            return Explained("ACI-D112", message, _type_hint(kind, value))
        if kind == "literal_error":
            return self._literal(name, value, group)
        if kind in _BOUNDS:
            bound = _BOUNDS[kind].format(**context)
            return Explained("ACI-D113", f"`{name}` has to be {bound}, not {_describe(value)}")
        if kind == "too_short":
            return Explained("ACI-D113", f"`{name}` needs at least {context['min_length']} entry")
        if kind == "string_pattern_mismatch":
            is_name = str(context.get("pattern", "")).startswith("^[a-z]")
            hint = _NAME_HINT if is_name else f"it has to match `{context.get('pattern')}`"
            return Explained("ACI-D113", f"`{name}` cannot be {_describe(value)}", hint)
        reason = str(error["msg"]).removeprefix("Value error, ")
        return Explained("ACI-D113", f"`{name}`: {reason[:1].lower()}{reason[1:]}")

    def _literal(self, name: str, value: JsonValue, group: list[Any]) -> Explained:
        where = follow(self.model, self.document.value, group[0]["loc"])
        allowed = where.literals
        shown = ", ".join(f"`{_plain(item)}`" for item in allowed)
        hint = did_you_mean(str(value), [str(item) for item in allowed])
        message = f"`{name}` has to be {'one of ' if len(allowed) > 1 else ''}{shown}, not "
        return Explained("ACI-D113", message + _describe(value), hint)

    def _value(self, path: PathParts) -> JsonValue:
        value: Any = self.document.value
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value  # type: ignore[no-any-return] # walked through Any


_NAME_HINT = "names are lower case: a letter, then letters, digits, `-` or `_`, at most 64"


def _name(path: PathParts) -> str:
    """Return `steps[0].loop.max` for a path."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _describe(value: JsonValue) -> str:
    if isinstance(value, str):
        return f'the text "{value}"' if len(value) <= 40 else "a long text"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, bool | int | float):
        return f"`{json.dumps(value)}`"
    return "empty" if value is None else "a list"


def _type_hint(kind: str, value: JsonValue) -> str | None:
    if kind == "bool_type" and isinstance(value, str) and value.lower() in _SWITCHES:
        return f"write `{_SWITCHES[value.lower()]}`"
    if kind == "string_type" and isinstance(value, bool | int | float):
        return f'write "{json.dumps(value)}", in quotes'
    return None


_SWITCHES = {
    "yes": "true", "on": "true", "y": "true", "true": "true",
    "no": "false", "off": "false", "n": "false", "false": "false",
}  # fmt: skip


def _reading_order(problem: Problem) -> tuple[int, int, str, str]:
    place = problem.location
    return (place.line or 0, place.column or 0, problem.code, problem.message)
