"""JSON against a shape of botocore's models: names, types, required ones, enums, limits.

botocore's own validator leaves out enums, and needs a client's parameters; this walks the models'
data, so it also works for JSON that no call takes as such. Case counts, as in the API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agentci.deploy.embedded.finding import Mistake, Path, kind_of
from agentci.spec.suggestion import did_you_mean

_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "ContainerDefinition": ("name", "image"),
    "Secret": ("name", "valueFrom"),
    "KeyValuePair": ("name", "value"),
    "PortMapping": (),
}
"""What the service asks for, though its model does not say so (RegisterTaskDefinition, ECS)."""
_INTEGERS: Final = frozenset({"integer", "long"})
_NUMBERS: Final = frozenset({"float", "double"})
_TEXTS: Final = frozenset({"string", "blob", "timestamp"})


def check_shape(
    shapes: Mapping[str, Any], name: str, value: object, path: Path = ()
) -> Iterator[Mistake]:
    """Yield what is wrong with `value` as the shape `name`; null is as good as left out."""
    shape = shapes[name]
    kind = shape["type"]
    if value is None:
        return
    if kind == "structure":
        yield from _structure(shapes, name, value, path)
    elif kind == "list":
        yield from _list(shapes, shape, value, path)
    elif kind == "map":
        yield from _map(shapes, shape, value, path)
    else:
        yield from _scalar(shape, value, path)


def _structure(
    shapes: Mapping[str, Any], name: str, value: object, path: Path
) -> Iterator[Mistake]:
    shape = shapes[name]
    if not isinstance(value, dict):
        yield Mistake(path, f"{kind_of(value)} where an object has to be")
        return
    members = shape["members"]
    for key in sorted(value):
        if key not in members:
            yield Mistake((*path, key), f"there is no `{key}`", did_you_mean(key, members))
        else:
            yield from check_shape(shapes, members[key]["shape"], value[key], (*path, key))
    for key in (*shape.get("required", ()), *_REQUIRED.get(name, ())):
        if value.get(key) is None:
            yield Mistake(path, f"`{key}` is missing")


def _list(
    shapes: Mapping[str, Any], shape: Mapping[str, Any], value: object, path: Path
) -> Iterator[Mistake]:
    if not isinstance(value, list):
        yield Mistake(path, f"{kind_of(value)} where a list has to be")
        return
    yield from _limits(shape, len(value), "entries", path)
    for index, member in enumerate(value):
        yield from check_shape(shapes, shape["member"]["shape"], member, (*path, index))


def _map(
    shapes: Mapping[str, Any], shape: Mapping[str, Any], value: object, path: Path
) -> Iterator[Mistake]:
    if not isinstance(value, dict):
        yield Mistake(path, f"{kind_of(value)} where an object has to be")
        return
    for key in sorted(value):
        yield from check_shape(shapes, shape["key"]["shape"], key, (*path, key))
        yield from check_shape(shapes, shape["value"]["shape"], value[key], (*path, key))


def _scalar(shape: Mapping[str, Any], value: object, path: Path) -> Iterator[Mistake]:
    kind = shape["type"]
    wanted = _wanted(kind, value)
    if wanted is not None:
        yield Mistake(path, f"{kind_of(value)} where {wanted} has to be")
    elif isinstance(value, str):
        allowed = shape.get("enum")
        if allowed and value not in allowed:
            message = f"`{value[:80]}` is none of {', '.join(allowed[:20])}"
            yield Mistake(path, message, did_you_mean(value, allowed))
        yield from _limits(shape, len(value), "characters", path)
    elif kind in _INTEGERS and isinstance(value, int):
        yield from _bounds(shape, value, path)


def _wanted(kind: str, value: object) -> str | None:
    """Return what has to be there instead of `value`, or None where it does."""
    if kind == "boolean":
        return None if isinstance(value, bool) else "a truth value"
    if kind in _INTEGERS:
        whole = type(value) is int or (isinstance(value, float) and value.is_integer())
        return None if whole else "a whole number"
    if kind in _NUMBERS:
        return None if type(value) in {int, float} else "a number"
    if kind in _TEXTS:
        return None if isinstance(value, str) else "a text"
    return None


def _limits(shape: Mapping[str, Any], found: int, unit: str, path: Path) -> Iterator[Mistake]:
    if not shape.get("min", found) <= found <= shape.get("max", found):
        yield Mistake(path, f"{found} {unit} are too {_far(shape, found)}{_range(shape)}")


def _bounds(shape: Mapping[str, Any], value: int, path: Path) -> Iterator[Mistake]:
    if not shape.get("min", value) <= value <= shape.get("max", value):
        yield Mistake(path, f"{value} is out of range{_range(shape)}")


def _far(shape: Mapping[str, Any], found: int) -> str:
    return "few" if found < shape.get("min", found) else "many"


def _range(shape: Mapping[str, Any]) -> str:
    low, high = shape.get("min"), shape.get("max")
    if high is None:
        return f": at least {low}"
    return f": at most {high}" if low is None else f": {low} to {high}"
