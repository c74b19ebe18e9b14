"""Bindings are read into schemas as Terraform writes them."""

from __future__ import annotations

import pytest

from agentci.deploy.packs.bindings import BindingError, read_binding
from tests.support.binding_text import (
    DECLARATIONS,
    JAVASCRIPT,
    PROVIDER_DECLARATIONS,
    PROVIDER_JAVASCRIPT,
)

OPTIONAL = {"optional": True, "computed": True}


def test_a_resource_is_read_with_its_type_and_version() -> None:
    binding = read_binding(JAVASCRIPT, DECLARATIONS)
    assert (binding.type, binding.version) == ("toy_box", "1.2.3")


def test_attributes_have_types_and_say_whether_they_are_required() -> None:
    attributes = read_binding(JAVASCRIPT, DECLARATIONS).block["attributes"]
    assert attributes["box_name"] == {"type": "string", "required": True}
    assert attributes["labels"] == {"type": ["map", "string"], **OPTIONAL}
    assert attributes["kind"] == {"type": "string", **OPTIONAL, "values": ["OPEN", "SHUT"]}


def test_what_only_the_provider_sets_is_computed() -> None:
    attributes = read_binding(JAVASCRIPT, DECLARATIONS).block["attributes"]
    assert attributes["made_at"] == {"type": "string", "computed": True}
    assert attributes["owners"] == {"type": ["set", "string"], "computed": True}
    assert attributes["seals"] == {
        "type": ["list", ["object", {"number": "string"}]],
        "computed": True,
    }


def test_blocks_say_how_often_they_may_stand() -> None:
    blocks = read_binding(JAVASCRIPT, DECLARATIONS).block["block_types"]
    lid, slot = blocks["lid"], blocks["slot"]
    assert (lid["nesting_mode"], lid["min_items"], lid["max_items"]) == ("list", 1, 1)
    assert slot["nesting_mode"] == "set"
    assert "min_items" not in slot
    assert "max_items" not in slot
    assert lid["block"]["attributes"] == {
        "color": {"type": "string", "required": True},
        "screws": {"type": ["set", "number"], **OPTIONAL},
        "weight": {"type": "number", "computed": True},
    }


def test_an_object_that_is_no_block_is_a_nested_attribute() -> None:
    inner = read_binding(JAVASCRIPT, DECLARATIONS).block["attributes"]["inner"]
    assert inner == {
        "nested_type": {
            "nesting_mode": "single",
            "attributes": {"size": {"type": "number", **OPTIONAL}},
        },
        **OPTIONAL,
    }


def test_a_providers_alias_is_terraforms_own() -> None:
    binding = read_binding(PROVIDER_JAVASCRIPT, PROVIDER_DECLARATIONS)
    assert binding.type == "toy"
    assert binding.block["attributes"] == {"room": {"type": "string", **OPTIONAL}}


@pytest.mark.parametrize(
    ("javascript", "declarations"),
    [
        ("", ""),
        (JAVASCRIPT * 2, DECLARATIONS),
        (JAVASCRIPT.replace("TerraformResource", "Something"), DECLARATIONS),
        (JAVASCRIPT.replace("tfResourceType", "x"), DECLARATIONS),
        (JAVASCRIPT.replace("synthesizeHclAttributes", "x"), DECLARATIONS),
        (JAVASCRIPT, ""),
    ],
)
def test_what_looks_otherwise_is_refused(javascript: str, declarations: str) -> None:
    if javascript == JAVASCRIPT * 2:
        javascript += JAVASCRIPT.replace("class Box ", "class Crate ")
    with pytest.raises(BindingError):
        read_binding(javascript, declarations)
