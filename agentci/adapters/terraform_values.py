"""Values of Terraform's plugin protocol: schemas as messages, and what a plan makes of a value.

Must not know of servers, processes or where a schema comes from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

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


def planned(block: Mapping[str, Any], value: Any, *, exact: bool) -> Any:
    """Return `value` with what only a provider can tell as unknown. It is changed in place.

    Unless the schema is `exact`, an optional attribute that is not set stays null, so that a plan
    shows what was asked for; only `id` is known to be a provider's.
    """
    if not isinstance(value, dict):
        return value
    for name, attribute in block.get("attributes", {}).items():
        present = value.get(name)
        if present is None:
            if _filled_in(name, attribute, exact=exact):
                value[name] = _UNKNOWN
        elif (nested := attribute.get("nested_type")) is not None:
            _each(nested, nested["nesting_mode"], present, exact=exact)
    for name, nested in block.get("block_types", {}).items():
        _each(nested["block"], nested["nesting_mode"], value.get(name), exact=exact)
    return value


def _filled_in(name: str, attribute: Mapping[str, Any], *, exact: bool) -> bool:
    if not attribute.get("computed"):
        return False
    return exact or not attribute.get("optional") or name == "id"


def _each(block: Mapping[str, Any], mode: str, value: Any, *, exact: bool) -> None:
    if mode in {"single", "group"}:
        members = [value]
    elif isinstance(value, dict):
        members = list(value.values())
    else:
        members = value if isinstance(value, list) else []
    for member in members:
        planned(block, member, exact=exact)


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
