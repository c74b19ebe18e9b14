"""Arguments of a call, after they were checked against the tool's schema, as Python values."""

from __future__ import annotations

from agentci.core.json_types import JsonObject


def text_argument(arguments: JsonObject, name: str, default: str | None = None) -> str:
    """Return a text; without a `default` the schema must require it."""
    value = arguments.get(name, default)
    assert isinstance(value, str)
    return value


def integer_argument(arguments: JsonObject, name: str, default: int) -> int:
    """Return a whole number; JSON Schema counts `3.0` as one."""
    value = arguments.get(name, default)
    assert isinstance(value, int | float)
    return int(value)


def flag_argument(arguments: JsonObject, name: str) -> bool:
    """Return a truth value; false where it is not given."""
    return arguments.get(name, False) is True


def words_argument(arguments: JsonObject, name: str) -> tuple[str, ...]:
    """Return a list of texts."""
    value = arguments[name]
    assert isinstance(value, list | tuple)
    return tuple(str(word) for word in value)
