"""Values of the plugin protocol: what is planned, and which texts are wrong."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from agentci.adapters.terraform_values import (
    PLACEHOLDER,
    attribute_path,
    placeholder,
    planned,
    read_value,
    schema_message,
    unknown,
    value_message,
    wrong_values,
)

OPTIONAL = {"optional": True, "computed": True}
KIND = {"type": "string", **OPTIONAL, "values": ["A", "B"]}
INNER = {"attributes": {"kind": KIND, "seen": {"type": "bool", "computed": True}}}
BLOCK: dict[str, Any] = {
    "attributes": {
        "id": {"type": "string", **OPTIONAL},
        "name": {"type": "string", "required": True},
        "arn": {"type": "string", "computed": True},
        "count": {"type": "number", "computed": True},
        "parts": {"type": ["list", "string"], "computed": True},
        "size": {"type": "number", **OPTIONAL},
        "kinds": {"type": ["set", "string"], **OPTIONAL, "values": ["A", "B"]},
        "nested": {"nested_type": {"nesting_mode": "map", **INNER}, **OPTIONAL},
    },
    "block_types": {
        "one": {"nesting_mode": "single", "block": INNER},
        "several": {"nesting_mode": "list", "block": INNER},
        "heap": {"nesting_mode": "set", "block": INNER},
    },
}
UNKNOWN = msgpack.ExtType(0, b"\x00")


def empty(**values: Any) -> dict[str, Any]:
    """Return a value of `BLOCK` with all there is null, but for `values`."""
    names = [*BLOCK["attributes"], *BLOCK["block_types"]]
    return {**dict.fromkeys(names), "several": [], "heap": [], **values}


def test_what_only_a_provider_knows_is_unknown_and_what_is_optional_stays() -> None:
    found = planned(BLOCK, empty(name="x"), fill=unknown, exact=False)
    assert [name for name, value in found.items() if value == UNKNOWN] == [
        "id", "arn", "count", "parts",
    ]  # fmt: skip
    assert (found["name"], found["size"], found["nested"]) == ("x", None, None)


def test_an_exact_schema_also_says_what_the_provider_fills_in() -> None:
    found = planned(BLOCK, empty(name="x", size=1), fill=unknown, exact=True)
    assert found["kinds"] == UNKNOWN
    assert found["size"] == 1


def test_placeholders_are_known_where_a_value_is_one() -> None:
    found = planned(BLOCK, empty(name="x"), fill=placeholder, exact=False)
    assert (found["arn"], found["count"], found["parts"]) == (PLACEHOLDER, 0, UNKNOWN)


def test_what_lies_in_blocks_and_nested_attributes_is_planned_too() -> None:
    member = {"kind": None, "seen": None}
    value = empty(one={**member}, several=[{**member}], nested={"k": {**member}})
    found = planned(BLOCK, value, fill=unknown, exact=False)
    for inner in (found["one"], found["several"][0], found["nested"]["k"]):
        assert inner == {"kind": None, "seen": UNKNOWN}


def test_nothing_is_planned_for_what_goes_or_is_not_known() -> None:
    assert planned(BLOCK, None, fill=unknown, exact=False) is None
    assert planned(BLOCK, UNKNOWN, fill=unknown, exact=False) == UNKNOWN


def test_wrong_texts_are_found_with_their_path() -> None:
    value = empty(
        kinds=["A", "C", UNKNOWN],
        one={"kind": "", "seen": None},
        several=[{"kind": "B", "seen": None}, {"kind": "D", "seen": None}],
        heap=[{"kind": "E", "seen": None}],
        nested={"k": {"kind": "F", "seen": None}},
    )
    found = [(each.path, each.found, each.allowed) for each in wrong_values(BLOCK, value)]
    assert found == [
        (("kinds",), "C", ("A", "B")),
        (("nested", "kind"), "F", ("A", "B")),
        (("several", 1, "kind"), "D", ("A", "B")),
        (("heap", "kind"), "E", ("A", "B")),
    ]
    assert list(wrong_values(BLOCK, None)) == []


def test_a_path_becomes_a_message() -> None:
    steps = attribute_path(("several", 1, "kind")).steps
    assert [step.WhichOneof("selector") for step in steps] == [
        "attribute_name", "element_key_int", "attribute_name",
    ]  # fmt: skip


def test_a_schema_becomes_a_message() -> None:
    block = schema_message(BLOCK).block
    attributes = {each.name: each for each in block.attributes}
    assert list(attributes) == sorted(BLOCK["attributes"])
    assert attributes["parts"].type == b'["list", "string"]'
    assert (attributes["name"].required, attributes["name"].computed) == (True, False)
    assert [each.name for each in attributes["nested"].nested_type.attributes] == ["kind", "seen"]
    assert [each.type_name for each in block.block_types] == ["heap", "one", "several"]


@pytest.mark.parametrize("value", [None, {"a": [1, 2.5, True, None, "x"]}, {"u": UNKNOWN}])
def test_values_survive_the_way_there_and_back(value: object) -> None:
    assert read_value(value_message(value)) == value
