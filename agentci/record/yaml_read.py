"""Reading one YAML document as JSON: no tags, no aliases, no dates, no duplicate keys.

Knows nothing of cassettes.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import yaml

from agentci.core.json_types import JsonValue

JSON_FIELD: Final = "$json"
"""A mapping with this field alone holds a value that YAML cannot carry, as JSON text."""
BLOB_FIELD: Final = "$blob"
"""A mapping with this field first stands for a text that is kept in the object store."""

_MAX_DEPTH: Final = 200

_STR, _INT, _FLOAT, _NULL = "s", "i", "f", "n"
_TRUE, _FALSE = "t", "b"
_SEQ, _MAP = "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"
_CONSTANTS = {
    "true": _TRUE, "True": _TRUE, "TRUE": _TRUE,
    "false": _FALSE, "False": _FALSE, "FALSE": _FALSE,
    "null": _NULL, "Null": _NULL, "NULL": _NULL, "~": _NULL, "": _NULL,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMBER_START = frozenset("0123456789+-.")


class BlobReference(dict[str, JsonValue]):
    """A mapping of ours, told apart by its type from one that a user's text looks like."""


class YamlProblem(ValueError):
    """The text is not a document that we read; the message says why, with the line."""


class _Loader(yaml.CSafeLoader):
    """Composes nodes; nothing is ever constructed by tag."""

    depth = 0

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:  # noqa: ARG002 - PyYAML's signature
        """Count the nesting: libyaml composes by recursion in C and would overflow its stack."""
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise YamlProblem(f"values are nested deeper than {_MAX_DEPTH}")

    def ascend_resolver(self) -> None:
        """Leave a node."""
        self.depth -= 1

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """Name the type of a node, as YAML 1.2 and JSON see it."""
        if kind is not yaml.ScalarNode:
            return _SEQ if kind is yaml.SequenceNode else _MAP
        return _plain_type(value) if implicit[0] else _STR


def _plain_type(value: str) -> str:
    constant = _CONSTANTS.get(value)
    if constant is not None:
        return constant
    if value[0] not in _NUMBER_START:
        return _STR
    if _INTEGER.fullmatch(value):
        return _INT
    return _FLOAT if _NUMBER.fullmatch(value) or _SPECIAL.fullmatch(value) else _STR


def parse(data: bytes) -> JsonValue:
    """Return the value of the one document in `data`.

    Raises:
        YamlProblem: for text that is no YAML, or uses what JSON does not have.
    """
    loader = _Loader(data)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        return _Reader().convert(node)
    except (yaml.YAMLError, RecursionError) as error:
        raise YamlProblem(" ".join(str(error).split())) from error
    finally:
        loader.dispose()


class _Reader:
    """Turns nodes into values; refuses the second way to a node, which only an alias gives."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def convert(self, node: Any) -> JsonValue:
        if type(node) is yaml.ScalarNode:
            return _scalar(node)
        if id(node) in self._seen:
            raise _problem("an alias is not read", node)
        self._seen.add(id(node))
        if type(node) is yaml.SequenceNode and node.tag == _SEQ:
            convert = self.convert
            return [convert(item) for item in node.value]
        if type(node) is yaml.MappingNode and node.tag == _MAP:
            return self._mapping(node)
        raise _problem(f"the tag `{node.tag}` is not read", node)

    def _mapping(self, node: Any) -> JsonValue:
        result: dict[str, JsonValue] = {}
        for key_node, value_node in node.value:
            if type(key_node) is not yaml.ScalarNode or key_node.tag != _STR:
                raise _problem("a key must be a text", key_node)
            key = key_node.value
            if key in result:
                raise _problem(f"the key `{key[:60]}` stands twice", key_node)
            result[key] = self.convert(value_node)
        if len(result) == 1 and JSON_FIELD in result:
            return _from_json(result[JSON_FIELD], node)
        return BlobReference(result) if BLOB_FIELD in result else result


def _scalar(node: Any) -> JsonValue:
    tag: str = node.tag
    value: str = node.value
    if tag == _STR:
        return value
    if tag == _INT:
        return int(value)
    if tag == _FLOAT:
        return float(value.replace(".inf", "inf").replace(".nan", "nan"))
    if tag in {_TRUE, _FALSE}:
        return tag == _TRUE
    if tag == _NULL:
        return None
    raise _problem(f"the tag `{tag}` is not read", node)


def _from_json(text: JsonValue, node: Any) -> JsonValue:
    try:
        value: JsonValue = json.loads(text)  # type: ignore[arg-type]  # TypeError is caught
    except (TypeError, ValueError, RecursionError):
        raise _problem(f"`{JSON_FIELD}` does not hold JSON", node) from None
    return value


def _problem(message: str, node: Any) -> YamlProblem:
    return YamlProblem(f"{message} (line {node.start_mark.line + 1})")
