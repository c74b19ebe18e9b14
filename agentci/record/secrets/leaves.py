"""The texts of a JSON value with the place and the field of each one, in a fixed order.

Lists of a conversation come last, so that what a conversation adds never comes before what it had.
The chunks of a stream are one text in several parts. Knows no secrets but the names of headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.secrets.fields import is_cookie_header, is_header_of_secrets

CHUNKS: Final = "chunks"
_GROWING: Final = frozenset({"messages", "contents", "input"})

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text."""

    path: Path
    field: str
    """Name of the nearest field around it, or the header's; empty for the name of a field."""
    parts: tuple[str, ...]
    """More than one for the chunks of a stream."""

    @property
    def text(self) -> str:
        """All of it."""
        return self.parts[0] if len(self.parts) == 1 else "".join(self.parts)


Change: TypeAlias = Callable[[Leaf], Sequence[str]]
"""Gives new parts for a text, as many as before."""


def leaves_of(value: JsonValue, path: Path = ()) -> Iterator[Leaf]:
    """Yield all texts of `value`, names of fields among them."""
    found: list[Leaf] = []

    def visit(leaf: Leaf) -> Sequence[str]:
        found.append(leaf)
        return leaf.parts

    changed(value, visit, path=path)
    return iter(found)


def changed(value: JsonValue, change: Change, *, path: Path = (), field: str = "") -> JsonValue:
    """Return `value` with `change` applied to its texts; parts that stay the same are shared."""
    if isinstance(value, str):
        new = change(Leaf(path, field, (value,)))[0]
        return value if new == value else new
    if value is None or isinstance(value, bool | int | float):
        return value
    if type(value) is dict or isinstance(value, Mapping):  # the general check costs more
        return _mapping(value, change, path=path, field=field)
    return _sequence(value, change, path=path, field=field)


def _mapping(value: JsonObject, change: Change, *, path: Path, field: str) -> JsonValue:
    new: dict[str, JsonValue] = {}
    names: dict[str, str] = {}
    paired = _paired_name(value)
    for name in sorted(value, key=lambda name: (name in _GROWING, name)):
        names[name] = change(Leaf((*path, name), "", (name,)))[0]
        inner = paired if paired and name in {"value", "values"} else name
        # `0`, `1` and the like name nothing: some write lists as mappings
        inner = field if name.isdigit() else inner
        new[name] = changed(value[name], change, path=(*path, name), field=inner)
    if all(new[name] is value[name] and names[name] == name for name in value):
        return value
    return {names[name]: new[name] for name in value}


def _sequence(value: Sequence[JsonValue], change: Change, *, path: Path, field: str) -> JsonValue:
    texts = [item for item in value if isinstance(item, str)]
    if path and path[-1] == CHUNKS and len(texts) == len(value) > 1:
        parts = list(change(Leaf(path, field, tuple(texts))))
        return value if parts == texts else parts
    items: list[JsonValue] = []
    before = ""
    for index, item in enumerate(value):
        inner = before if before and isinstance(item, str) else field
        items.append(changed(item, change, path=(*path, index), field=inner))
        before = item if isinstance(item, str) and _names_header(item) else ""
    same = all(new is old for new, old in zip(items, value, strict=True))
    return value if same else items


def _paired_name(value: JsonObject) -> str:
    """Return the name in a mapping such as `{name: cookie, value: ...}`."""
    for key in ("name", "key", "header"):
        name = value.get(key)
        if isinstance(name, str) and ("value" in value or "values" in value):
            return name[:100]
    return ""


def _names_header(text: str) -> bool:
    return len(text) < 40 and (is_cookie_header(text) or is_header_of_secrets(text))


def shown_path(path: Path) -> str:
    """Return `request.body.messages[2].content` for a path."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
