"""Values of Terraform's plugin protocol: schemas as messages, and what a plan makes of a value.

Must not know of servers, processes or where a schema comes from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgpack
from tf.gen import tfplugin_pb2 as pb

_NESTED_BLOCK: Final[Mapping[str, Any]] = {
    "single": pb.Schema.NestedBlock.SINGLE,
    "group": pb.Schema.NestedBlock.GROUP,
    "list": pb.Schema.NestedBlock.LIST,
    "set": pb.Schema.NestedBlock.SET,
    "map": pb.Schema.NestedBlock.MAP,
}
_OBJECT: Final[Mapping[str, Any]] = {
    "single": pb.Schema.Object.SINGLE,
    "list": pb.Schema.Object.LIST,
    "set": pb.Schema.Object.SET,
    "map": pb.Schema.Object.MAP,
}
_UNKNOWN: Final = msgpack.ExtType(0, b"\x00")
"""How Terraform writes a value that is not known before something is created."""
PLACEHOLDER: Final = "known-after-apply"
"""What stands for a text that only the provider knows, where a known value is asked for."""

Fill: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""Returns the value of an attribute that only the provider knows."""
Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class WrongValue:
    """A text that is none of those that an attribute can have."""

    path: Path
    """Members of sets have no step of their own."""
    found: str
    allowed: tuple[str, ...]


def schema_message(block: Mapping[str, Any]) -> Any:
    """Return a block of a schema as a message."""
    return pb.Schema(version=0, block=_block(block))


def read_value(message: Any) -> Any:
    """Return the value that a message holds; unknown ones are `msgpack.ExtType`s."""
    if message.msgpack:
        return msgpack.unpackb(message.msgpack, raw=False, strict_map_key=False)
    return json.loads(message.json) if message.json else None


def value_message(value: Any) -> Any:
    """Return a value as a message."""
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def unknown(attribute: Mapping[str, Any]) -> Any:  # noqa: ARG001 - a `Fill`
    """Return what stands for a value that only the provider knows."""
    return _UNKNOWN


def placeholder(attribute: Mapping[str, Any]) -> Any:
    """Return a known value for a text, a number or a truth value, and unknown for the rest.

    So what a module makes of it can be looked into, such as a policy that names an ARN.
    """
    match attribute.get("type"):
        case "string":
            return PLACEHOLDER
        case "number":
            return 0
        case "bool":
            return False
        case _:
            return _UNKNOWN


def planned(block: Mapping[str, Any], value: Any, *, fill: Fill, exact: bool) -> Any:
    """Return `value` with what only a provider can tell put in by `fill`. It is changed in place.

    Unless the schema is `exact`, an optional attribute that is not set stays null, so that a plan
    shows what was asked for; only `id` is known to be a provider's.
    """
    if not isinstance(value, dict):
        return value
    for name, attribute in block.get("attributes", {}).items():
        if value.get(name) is None and _filled_in(name, attribute, exact=exact):
            value[name] = fill(attribute)
    for _, inner, member in _members(block, value):
        planned(inner, member, fill=fill, exact=exact)
    return value


def wrong_values(block: Mapping[str, Any], value: Any, path: Path = ()) -> Iterator[WrongValue]:
    """Yield the texts that are none of the `values` that the schema lists for them."""
    if not isinstance(value, dict):
        return
    for name, attribute in sorted(block.get("attributes", {}).items()):
        allowed, found = attribute.get("values"), value.get(name)
        for text in found if isinstance(found, list) else (found,):
            # Providers take an empty text for none.
            if allowed and isinstance(text, str) and text and text not in allowed:
                yield WrongValue((*path, name), text, tuple(allowed))
    for step, inner, member in _members(block, value):
        yield from wrong_values(inner, member, (*path, *step))


def attribute_path(path: Path) -> Any:
    """Return the place of an attribute as a message."""
    steps = [
        pb.AttributePath.Step(attribute_name=step)
        if isinstance(step, str)
        else pb.AttributePath.Step(element_key_int=step)
        for step in path
    ]
    return pb.AttributePath(steps=steps)


def _filled_in(name: str, attribute: Mapping[str, Any], *, exact: bool) -> bool:
    if not attribute.get("computed"):
        return False
    return exact or not attribute.get("optional") or name == "id"


def _members(
    block: Mapping[str, Any], value: Mapping[str, Any]
) -> Iterator[tuple[Path, Mapping[str, Any], Any]]:
    """Yield what lies in `value`: the steps to it, its own block, and it."""
    nested = [
        (name, attribute["nested_type"], attribute["nested_type"])
        for name, attribute in block.get("attributes", {}).items()
        if "nested_type" in attribute
    ]
    nested += [(name, each, each["block"]) for name, each in block.get("block_types", {}).items()]
    for name, outer, inner in nested:
        found = value.get(name)
        if outer["nesting_mode"] in {"single", "group"}:
            yield (name,), inner, found
        elif isinstance(found, dict):
            for key in sorted(found):
                yield (name,), inner, found[key]
        elif isinstance(found, list):
            in_order = outer["nesting_mode"] == "list"
            for index, member in enumerate(found):
                yield ((name, index) if in_order else (name,)), inner, member


def _block(block: Mapping[str, Any]) -> Any:
    nested = [
        pb.Schema.NestedBlock(
            type_name=name,
            block=_block(each["block"]),
            nesting=_NESTED_BLOCK[each["nesting_mode"]],
            min_items=each.get("min_items", 0),
            max_items=each.get("max_items", 0),
        )
        for name, each in sorted(block.get("block_types", {}).items())
    ]
    return pb.Schema.Block(attributes=_attributes(block), block_types=nested)


def _attributes(block: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for name, each in sorted(block.get("attributes", {}).items()):
        flags = {
            flag: bool(each.get(flag))
            for flag in ("required", "optional", "computed", "sensitive", "write_only")
            if flag in pb.Schema.Attribute.DESCRIPTOR.fields_by_name
        }
        if (nested := each.get("nested_type")) is not None:
            shape = pb.Schema.Object(
                attributes=_attributes(nested), nesting=_OBJECT[nested["nesting_mode"]]
            )
            found.append(pb.Schema.Attribute(name=name, nested_type=shape, **flags))
        else:
            text = json.dumps(each["type"]).encode()
            found.append(pb.Schema.Attribute(name=name, type=text, **flags))
    return found
