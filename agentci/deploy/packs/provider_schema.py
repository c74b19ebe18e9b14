"""Schema packs out of what `terraform providers schema -json` prints, where a network exists.

That is the provider's own word: also which optional attributes it fills in. Must not know how
that output was made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from agentci.core.errors import FormatError, Location

_REGISTRY: Final = "registry.terraform.io"
_ATTRIBUTE_KEYS: Final = (
    "type", "required", "optional", "computed", "sensitive", "write_only",
)  # fmt: skip
_BLOCK_KEYS: Final = ("nesting_mode", "min_items", "max_items")


def schema_of(
    document: object, source: str, name: str, *, types: Collection[str] | None = None
) -> dict[str, Any]:
    """Return a pack's `schema` for the provider `source`; with `types`, only of those.

    Descriptions are left out. What is invalid stays, for the reader of packs to refuse.

    Raises:
        FormatError: when `document` is not such an output, or has nothing of the provider.
    """
    place = Location(file=name)
    schemas = document.get("provider_schemas") if isinstance(document, Mapping) else None
    if not isinstance(schemas, Mapping):
        message = "this is not the output of `terraform providers schema -json`"
        raise FormatError(message, code="ACI-F656", location=place)
    found = schemas.get(f"{_REGISTRY}/{source}")
    if not isinstance(found, Mapping):
        listed = ", ".join(sorted(str(key).removeprefix(f"{_REGISTRY}/") for key in schemas))
        message = f"there is no provider `{source}` in it, but: {listed[:300] or 'none'}"
        raise FormatError(message, code="ACI-F657", location=place)
    try:
        return {
            "provider": _block((found.get("provider") or {}).get("block") or {}),
            "resources": _blocks(found.get("resource_schemas"), types, prefix=""),
            "data_sources": _blocks(found.get("data_source_schemas"), types, prefix="data."),
        }
    except (AttributeError, TypeError, KeyError, RecursionError) as error:
        message = f"the schema of `{source}` is not as Terraform writes it"
        raise FormatError(message, code="ACI-F656", location=place) from error


def _blocks(found: Any, types: Collection[str] | None, *, prefix: str) -> dict[str, Any]:
    return {
        name: _block(each["block"])
        for name, each in (found or {}).items()
        if types is None or f"{prefix}{name}" in types
    }


def _block(block: Mapping[str, Any]) -> dict[str, Any]:
    nested = {
        name: {**_only(each, _BLOCK_KEYS), "block": _block(each.get("block") or {})}
        for name, each in (block.get("block_types") or {}).items()
    }
    return {"attributes": _attributes(block), "block_types": nested}


def _attributes(block: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in (block.get("attributes") or {}).items():
        kept = _only(each, _ATTRIBUTE_KEYS)
        if (nested := each.get("nested_type")) is not None:
            kept["nested_type"] = {
                "nesting_mode": nested["nesting_mode"],
                "attributes": _attributes(nested),
            }
        found[name] = kept
    return found


def _only(mapping: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: mapping[key] for key in keys if key in mapping}
