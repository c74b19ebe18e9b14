"""Binding of pipeline inputs: given values and defaults, checked against their types."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING

from agentci.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.core.json_types import JsonValue
    from agentci.spec.pipeline import InputType, PipelineSpec

_TYPES: Mapping[InputType, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "list": (list, tuple),
    "object": dict,
}


def bind_inputs(spec: PipelineSpec, given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the value of every input of `spec`, in the order of the definition.

    Raises:
        UsageError: for an unknown name, a missing required input, or a wrong type.
    """
    for name in given:
        if name not in spec.inputs:
            raise _unknown(spec, name)
    bound: dict[str, JsonValue] = {}
    for name, declared in spec.inputs.items():
        if name not in given and declared.required:
            raise UsageError(
                f"pipeline `{spec.name}` needs the input `{name}` ({declared.type})",
                code="ACI-U121",
                hint=f'add --set {name}="..."',
            )
        value = given.get(name, declared.default)
        if not has_type(value, declared.type) and (name in given or declared.default is not None):
            raise UsageError(
                f"input `{name}` of pipeline `{spec.name}` must be {_article(declared.type)}, "
                f"and is `{json.dumps(value)[:60]}`",
                code="ACI-U122",
                hint=f"give a value of type {declared.type}: --set {name}=...",
            )
        bound[name] = value
    return bound


def parse_input(spec: PipelineSpec, name: str, text: str) -> JsonValue:
    """Return the value of `--set name=text`: text for string inputs, JSON for all others.

    Raises:
        UsageError: for an unknown name, or text that is not JSON where JSON is needed.
    """
    declared = spec.inputs.get(name)
    if declared is None:
        raise _unknown(spec, name)
    if declared.type == "string":
        return text
    try:
        value: JsonValue = json.loads(text)
    except ValueError as error:
        raise UsageError(
            f"input `{name}` is {_article(declared.type)}, and `{text[:60]}` is not JSON",
            code="ACI-U123",
            hint=f"write it as JSON, for example --set {name}={_EXAMPLES[declared.type]}",
        ) from error
    return value


_EXAMPLES: Mapping[InputType, str] = {
    "string": "text",
    "integer": "3",
    "number": "0.5",
    "boolean": "true",
    "list": "'[1, 2]'",
    "object": "'{\"a\": 1}'",
}


def has_type(value: JsonValue, wanted: InputType) -> bool:
    """Say whether a JSON value is of the type `wanted` of an input. A boolean is no number."""
    if isinstance(value, bool):
        return wanted == "boolean"
    return isinstance(value, _TYPES[wanted])


def _article(kind: InputType) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _unknown(spec: PipelineSpec, name: str) -> UsageError:
    near = get_close_matches(name, spec.inputs, n=1)
    known = ", ".join(f"`{each}`" for each in spec.inputs) or "none"
    return UsageError(
        f"pipeline `{spec.name}` has no input `{name}`; its inputs: {known}",
        code="ACI-U120",
        hint=f"did you mean `{near[0]}`?" if near else "look at `inputs` in the definition",
    )
