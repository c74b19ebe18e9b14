"""The file format of schema packs: JSON, versioned, addressed by the digest of its bytes.

A pack may come from anywhere, so every part is checked before it is used. Must not know where
packs are kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from agentci.core.digest import Digest, digest_bytes
from agentci.core.errors import FormatError, Location

if TYPE_CHECKING:
    from agentci.core.terraform import ProviderSchema

FORMAT: Final = "agentci/schema-pack"
VERSION: Final = 1
LARGEST: Final = 64 * 1024 * 1024
"""Bytes; the largest provider of all has about 40 MB with every resource."""
_REBUILD: Final = "`agentci deploy packs build` writes it anew"
_DEEPEST: Final = 32
"""Levels of types in each other; the deepest that is known has 11."""

SOURCE_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,63}/[a-z0-9][a-z0-9-]{0,63}$"
VERSION_PATTERN: Final = r"^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$"
_Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_-]{0,127}$")]
_Kind: TypeAlias = Literal["list", "set", "map"]


@dataclass(frozen=True, slots=True)
class PackContent:
    """What a pack says."""

    source: str
    """Address in the public registry, for example `hashicorp/aws`."""
    version: str
    exact: bool
    """Whether it is known which optional attributes the provider fills in by itself."""
    origin: Mapping[str, str]
    """Where it was made from, for people."""
    schema: Mapping[str, Any]
    """`provider`, `resources`, `data_sources`; blocks as in `terraform providers schema -json`."""


@dataclass(frozen=True, slots=True)
class SchemaPack:
    """A pack that was read or made, and what it is addressed by."""

    content: PackContent
    digest: Digest
    """Of the bytes of the file."""

    @property
    def types(self) -> tuple[str, ...]:
        """The types of its resources, and of its data sources as `data.TYPE`, sorted."""
        schema = self.content.schema
        return (
            *sorted(schema["resources"]),
            *(f"data.{n}" for n in sorted(schema["data_sources"])),
        )

    def served(self) -> ProviderSchema:
        """Return what Terraform is given."""
        from agentci.core.terraform import ProviderSchema  # noqa: PLC0415 - only where it is used

        content = self.content
        return ProviderSchema(content.source, content.version, content.schema, exact=content.exact)


def pack_bytes(content: PackContent) -> bytes:
    """Return the file: sorted keys, one key a line, so that two packs can be compared."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "provider": {"source": content.source, "version": content.version},
        "exact": content.exact,
        "origin": dict(content.origin),
        "schema": content.schema,
    }
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def read_pack(data: bytes, name: str, *, digest: Digest | None = None) -> SchemaPack:
    """Return the pack in `data`; `name` is the file, for errors. It must have `digest`, if given.

    Raises:
        FormatError: when it is no pack that this release reads, or not the one that was asked for.
    """
    place = Location(file=name)
    if len(data) > LARGEST:
        message = f"a schema pack of {len(data)} bytes; {LARGEST} is the most that is read"
        raise FormatError(message, code="ACI-F650", location=place)
    found = digest_bytes(data)
    if digest is not None and found != digest:
        message = f"the schema pack has the digest `{found}`, not `{digest}`"
        raise FormatError(message, code="ACI-F651", hint=_REBUILD, location=place)
    document = _parsed(data, place)
    _check_header(document, place)
    try:
        pack = _Pack.model_validate(document)
    except ValidationError as error:
        raise _invalid(error, place) from None
    content = PackContent(
        source=pack.provider.source,
        version=pack.provider.version,
        exact=pack.exact,
        origin=pack.origin,
        schema=document["schema"],
    )
    return SchemaPack(content, found)


def _parsed(data: bytes, place: Location) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)
        message = f"not a schema pack, but no JSON either: {reason}"
        raise FormatError(message, code="ACI-F652", hint=_REBUILD, location=place) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        message = f"this is not a file of format `{FORMAT}`"
        raise FormatError(message, code="ACI-F653", hint=_REBUILD, location=place)
    return document


def _check_header(document: Mapping[str, Any], place: Location) -> None:
    number = document.get("version")
    if number != VERSION or type(number) is not int:
        message = f"version {json.dumps(number)[:40]} of `{FORMAT}` is not one that is read here"
        hint = f"this release reads version {VERSION}; {_REBUILD}"
        raise FormatError(message, code="ACI-F654", hint=hint, location=place)


def _invalid(error: ValidationError, place: Location) -> FormatError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])[:300] or "the whole"
    message = f"invalid schema pack at `{where}`: {first['msg'][:200]}"
    return FormatError(message, code="ACI-F655", hint=_REBUILD, location=place)


def _check_type(value: object, depth: int = 0) -> object:
    """Check a type in Terraform's JSON form: `"string"`, `["list", T]`, `["object", {...}]`."""
    if depth > _DEEPEST:
        msg = "types lie too deep in each other"
        raise ValueError(msg)
    for inner in _inner_types(value):
        _check_type(inner, depth + 1)
    return value


def _inner_types(value: object) -> list[Any]:
    match value:
        case "string" | "number" | "bool" | "dynamic":
            return []
        case ["list" | "set" | "map", inner]:
            return [inner]
        case ["tuple", list(members)]:
            return members
        case ["object", dict(members)]:
            return list(members.values())
        case ["object", dict(members), list(optional)] if all(
            isinstance(name, str) and name in members for name in optional
        ):
            return list(members.values())
        case _:
            msg = "not a type of Terraform"
            raise ValueError(msg)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class _Attribute(_Model):
    type: Annotated[Any, AfterValidator(_check_type)] = None
    nested_type: _NestedType | None = None
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    write_only: bool = False
    values: list[str] = []
    """What a text, or each in a list of texts, can be; empty for anything."""

    @model_validator(mode="after")
    def _is_one(self) -> _Attribute:
        if ("type" in self.model_fields_set) == (self.nested_type is not None):
            msg = "an attribute has either `type` or `nested_type`"
            raise ValueError(msg)
        if self.required == (self.optional or self.computed):
            msg = "an attribute is either `required`, or `optional` or `computed`"
            raise ValueError(msg)
        return self


class _NestedType(_Model):
    nesting_mode: _Kind | Literal["single"]
    attributes: dict[_Name, _Attribute]


class _BlockType(_Model):
    nesting_mode: _Kind | Literal["single", "group"]
    block: _Block
    min_items: int = Field(0, ge=0, le=10_000)
    max_items: int = Field(0, ge=0, le=10_000)


class _Block(_Model):
    attributes: dict[_Name, _Attribute] = {}
    block_types: dict[_Name, _BlockType] = {}


class _Schema(_Model):
    provider: _Block
    resources: dict[_Name, _Block]
    data_sources: dict[_Name, _Block]


class _Provider(_Model):
    source: str = Field(pattern=SOURCE_PATTERN)
    version: str = Field(pattern=VERSION_PATTERN)


class _Pack(_Model):
    format: Literal["agentci/schema-pack"]
    version: Literal[1]
    provider: _Provider
    exact: bool
    origin: dict[str, str]
    schema_: _Schema = Field(alias="schema")
