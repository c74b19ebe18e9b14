"""Schema packs out of the provider bindings that are published on npm for Terraform's CDK.

A binding is generated from a provider's schema. Its compiled JavaScript says of each attribute
name, type, whether it is a block, and what is only computed; its declarations say what is
required, and their comments list the values that some texts can have. What neither says: which
optional attributes a provider fills in, what is sensitive, and
how many blocks there may be beyond "one" and "any number". Reads text alone, runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Block = dict[str, Any]
"""A block as in the output of `terraform providers schema -json`."""

_PRIMITIVES: Final = {"string": "string", "number": "number", "boolean": "bool", "any": "dynamic"}
_STORAGE: Final = re.compile(r"(string|number|boolean|any)((?:List|Set|Map)*)")
_FIELD: Final = (
    r"(?P<name>\w+): \{\s*value: (?P<value>.*?),\s*isBlock: (?P<block>true|false),"
    r"\s*type: \"(?P<type>\w+)\",\s*storageClassType: \"(?P<storage>\w+)\",\s*\},"
)
_NESTED_FIELD: Final = re.compile(rf"^ {{8}}{_FIELD}", re.MULTILINE | re.DOTALL)
_TOP_FIELD: Final = re.compile(rf"^ {{12}}{_FIELD}", re.MULTILINE | re.DOTALL)
_TOP: Final = re.compile(
    r"^    synthesizeHclAttributes\(\) \{\n(.*?)^    \}", re.MULTILINE | re.DOTALL
)
_MAPPER: Final = re.compile(
    r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL
)
_CLASS: Final = re.compile(
    r"^class (\w+) extends cdkt[fn]\.(\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL
)
_INTERFACE: Final = re.compile(
    r"^export interface (\w+)(?: extends [\w.]+)? \{\n(.*?)^\}", re.MULTILINE | re.DOTALL
)
_PROPERTY: Final = re.compile(
    r"^ {4}(?:/\*\*(?P<doc>(?:(?!\*/).)*)\*/\s*)?readonly (?P<name>\w+)(?P<optional>\?)?:",
    re.MULTILINE | re.DOTALL,
)
_VALUES: Final = re.compile(r"Possible values: (\[\"[^\]]*\"\])")
_DOC_NAME: Final = re.compile(r"#(\w+) \w+#\w+\}")
_USED_MAPPER: Final = re.compile(r"\b(?!cdkt[fn]\b)(\w+)ToHclTerraform\b")
_COMPUTED: Final = r"// (\w+) - computed: true, optional: false, required: false\s*\n\s*"
_COMPUTED_GETTER: Final = re.compile(_COMPUTED + r"get \w+\(\) \{\s*return (.*?);\s*\}", re.DOTALL)
_COMPUTED_OBJECT: Final = re.compile(
    _COMPUTED + r"this\._\w+ = new (\w+)\(this, \"\w+\"(?:, (true|false))?\)"
)
_GETTER: Final = re.compile(r"this\.get(\w+)Attribute\(")
_GETTER_TYPES: Final[Mapping[str, Any]] = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
    "AnyMap": ["map", "dynamic"],
}
_VERSION: Final = re.compile(r"providerVersion: '([0-9.]+)'")
_TYPE: Final = re.compile(r"\.tfResourceType = \"(\w+)\"")


class BindingError(ValueError):
    """A binding does not look like the ones that are known."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A resource, a data source or a provider's own settings."""

    type: str
    """The type in Terraform, for example `aws_ecs_service`; a provider's is its local name."""
    version: str | None
    """Version of the provider; its own settings do not say."""
    block: Block


@dataclass(frozen=True, slots=True)
class _Class:
    base: str
    body: str


@dataclass(frozen=True, slots=True)
class _Property:
    required: bool = False
    values: tuple[str, ...] = ()


_OPTIONAL: Final = _Property()


@dataclass(frozen=True, slots=True)
class _Source:
    fields: Mapping[str, list[re.Match[str]]]
    """Fields that a mapper function writes, by the function's name without its ending."""
    interfaces: Mapping[str, Mapping[str, _Property]]
    """Properties of each interface, by their names in Terraform."""
    classes: Mapping[str, _Class]


def read_binding(javascript: str, declarations: str) -> Binding:
    """Return what a binding says, from all of its `.js` and its `.d.ts` files.

    Raises:
        BindingError: when it does not look like the ones that are known.
    """
    classes = {m[1]: _Class(m[2], m[3]) for m in _CLASS.finditer(javascript)}
    source = _Source(
        fields={m[1]: list(_NESTED_FIELD.finditer(m[2])) for m in _MAPPER.finditer(javascript)},
        interfaces={m[1]: _properties(m[2]) for m in _INTERFACE.finditer(declarations)},
        classes=classes,
    )
    bases = {"TerraformResource", "TerraformDataSource", "TerraformProvider"}
    tops = [(name, found) for name, found in classes.items() if found.base in bases]
    type_ = _TYPE.search(javascript)
    if len(tops) != 1 or type_ is None:
        msg = f"{len(tops)} resources in one binding, and the type `{type_ and type_[1]}`"
        raise BindingError(msg)
    ((name, top),) = tops
    fields = _TOP.search(top.body)
    if fields is None or f"{name}Config" not in source.interfaces:
        msg = f"`{name}` does not say what its attributes are"
        raise BindingError(msg)
    block = _block(source, list(_TOP_FIELD.finditer(fields[1])), f"{name}Config", name)
    if top.base == "TerraformProvider":
        block["attributes"].pop("alias", None)  # Terraform's own, no provider sees it
    version = _VERSION.search(top.body)
    return Binding(type_[1], version[1] if version else None, block)


def _properties(body: str) -> dict[str, _Property]:
    found: dict[str, _Property] = {}
    for match in _PROPERTY.finditer(body):
        doc = match["doc"] or ""
        told = _VALUES.search(doc)
        values = tuple(re.findall(r'"([^"]*)"', told[1])) if told else ()
        name = _terraform_name(match["name"], doc)
        found[name] = _Property(required=not match["optional"], values=values)
    return found


def _terraform_name(name: str, doc: str) -> str:
    told = _DOC_NAME.findall(doc)
    if told:
        return str(told[-1])
    return re.sub(r"([A-Z])", lambda upper: f"_{upper[1].lower()}", name)


def _block(source: _Source, fields: list[re.Match[str]], interface: str, class_name: str) -> Block:
    properties = source.interfaces.get(interface, {})
    attributes: dict[str, Any] = {}
    blocks: dict[str, Any] = {}
    for found in fields:
        name = found["name"]
        property_ = properties.get(name, _OPTIONAL)
        needed = property_.required
        mappers = [each for each in _USED_MAPPER.findall(found["value"]) if each in source.fields]
        if not mappers:
            type_ = _type(found["storage"], found["type"])
            attributes[name] = {"type": type_, **_flags(needed=needed)}
            if property_.values:
                attributes[name]["values"] = list(property_.values)
            continue
        mapper = mappers[-1]
        inner = mapper[0].upper() + mapper[1:]
        block = _block(source, source.fields[mapper], inner, f"{inner}OutputReference")
        mode = found["type"] if found["type"] in {"list", "set", "map"} else "single"
        if found["block"] == "true":
            several = "listMapperHcl" in found["value"]
            blocks[name] = _block_type(block, mode, needed=needed, several=several)
        else:
            nested = {"nesting_mode": mode, "attributes": _as_attributes(block)}
            attributes[name] = {"nested_type": nested, **_flags(needed=needed)}
    for name, type_ in _computed(source, class_name).items():
        if name not in attributes and name not in blocks:
            attributes[name] = {"type": type_, "computed": True}
    return {"attributes": attributes, "block_types": blocks}


def _flags(*, needed: bool) -> dict[str, bool]:
    # Whether a provider fills in what is optional is not known; only so a mocked one may.
    return {"required": True} if needed else {"optional": True, "computed": True}


def _block_type(block: Block, mode: str, *, needed: bool, several: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"nesting_mode": mode, "block": block}
    if mode in {"list", "set"}:
        if needed:
            found["min_items"] = 1
        if not several:
            found["max_items"] = 1
    return found


def _as_attributes(block: Block) -> dict[str, Any]:
    """Return what lies in a nested attribute; a block in one is an attribute, too."""
    found: dict[str, Any] = dict(block["attributes"])
    for name, inner in block["block_types"].items():
        mode = "single" if inner["nesting_mode"] == "group" else inner["nesting_mode"]
        nested = {"nesting_mode": mode, "attributes": _as_attributes(inner["block"])}
        found[name] = {"nested_type": nested, **_flags(needed=inner.get("min_items", 0) > 0)}
    return found


def _type(storage: str, mode: str) -> Any:
    """Return the type behind names such as `stringList` or `stringMapList`."""
    found = _STORAGE.fullmatch(storage)
    if found is None:
        return "dynamic"
    type_: Any = _PRIMITIVES[found[1]]
    for kind in re.findall("List|Set|Map", found[2]):
        type_ = [kind.lower(), type_]
    if mode == "set" and isinstance(type_, list):
        type_ = ["set", type_[1]]
    return type_


def _computed(source: _Source, class_name: str) -> dict[str, Any]:
    """Return the attributes of a class that only the provider sets, with their types."""
    found: dict[str, Any] = {}
    body = source.classes[class_name].body if class_name in source.classes else ""
    for name, expression in _COMPUTED_GETTER.findall(body):
        getter = _GETTER.search(expression)
        type_ = _GETTER_TYPES.get(getter[1], "dynamic") if getter else "dynamic"
        if "Fn.tolist" in expression and isinstance(type_, list):
            type_ = ["set", type_[1]]
        found[name] = type_
    for name, kind, wraps_set in _COMPUTED_OBJECT.findall(body):
        element = re.sub(r"(?:List|Map)$", "OutputReference", kind)
        type_ = ["object", _computed(source, element)]
        if kind != element:
            mode = "map" if kind.endswith("Map") else "set" if wraps_set == "true" else "list"
            type_ = [mode, type_]
        found[name] = type_
    return found
