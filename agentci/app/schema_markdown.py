"""The reference documentation of a format, from its JSON Schema: one table for each kind of object.

Pure: `docs/reference/*.md` is this text, and a test says when it is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_NOTE: Final = "<!-- Generated: agentci schema {name} --markdown. Do not edit. -->"
_SUFFIX: Final = re.compile(r"(?<=[a-z])(Spec|Body|Config|Base)$")


def to_markdown(name: str, schema: Mapping[str, Any]) -> str:
    """Return the reference of the format `name`, the whole file first, then what it is made of."""
    blocks = [
        _NOTE.format(name=name),
        f"# Format `agentci/{name}`" if "format" in schema["properties"] else f"# {name.title()}",
        str(schema.get("description", "")),
        _table(schema),
    ]
    for title in _order(schema):
        definition = schema["$defs"][title]
        blocks += [
            f"## {_words(title)}",
            str(definition.get("description", "")),
            _table(definition),
        ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _order(schema: Mapping[str, Any]) -> list[str]:
    """Return the definitions with fields in the order in which a reader meets them."""
    found: dict[str, None] = {}

    def visit(node: Any) -> None:
        for title in _references(node):
            if title not in found:
                found[title] = None
                visit(schema["$defs"][title])

    visit({key: value for key, value in schema.items() if key != "$defs"})
    return [title for title in found if schema["$defs"][title].get("properties")]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _table(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        f"| `{name}` | {_type(field)} | {_default(field, required=name in required)} "
        f"| {_cell(str(field.get('description', '')))} |"
        for name, field in schema.get("properties", {}).items()
    ]
    return "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows])


def _default(field: Mapping[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    default = field.get("default")
    return "" if default is None or default in ("", [], {}) else f"`{json.dumps(default)}`"


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        title = field["$ref"].rpartition("/")[2]
        return f"[{_words(title)}](#{_words(title).replace(' ', '-')})"
    for union in ("anyOf", "oneOf"):
        if union in field:
            kinds = (_type(each) for each in field[union] if each.get("type") != "null")
            return " or ".join(dict.fromkeys(kinds))
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    return _plain_type(field)


def _plain_type(field: Mapping[str, Any]) -> str:
    kind = field.get("type")
    if kind == "array":
        items = field.get("items")
        return f"list of {_type(items)}" if items else "list"
    if kind == "object":
        by_name = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
        values = next((each for each in by_name if isinstance(each, Mapping)), None)
        return f"map of {_type(values)}" if values else "map"
    return {"string": "text", None: "anything"}.get(kind, str(kind))


def _words(title: str) -> str:
    """Return `AgentStep` as `agent step`, `LoopBody` as `loop`."""
    name = _SUFFIX.sub("", title)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
