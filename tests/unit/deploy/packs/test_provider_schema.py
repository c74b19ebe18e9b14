"""A provider's own schema becomes a pack without what a pack has no use for."""

from __future__ import annotations

from typing import Any

import pytest

from agentci.core.errors import FormatError
from agentci.deploy.packs.format import PackContent, pack_bytes, read_pack
from agentci.deploy.packs.provider_schema import schema_of

ATTRIBUTE = {"type": "string", "description": "x", "description_kind": "plain", "optional": True}
DOCUMENT: dict[str, Any] = {
    "format_version": "1.0",
    "provider_schemas": {
        "registry.terraform.io/maker/toy": {
            "provider": {"version": 0, "block": {"attributes": {"room": ATTRIBUTE}}},
            "resource_schemas": {
                "toy_box": {
                    "version": 3,
                    "block": {
                        "attributes": {
                            "kind": ATTRIBUTE,
                            "inner": {
                                "nested_type": {
                                    "nesting_mode": "set",
                                    "attributes": {"size": {"type": "number", "required": True}},
                                },
                                "optional": True,
                                "computed": True,
                            },
                        },
                        "block_types": {
                            "lid": {
                                "nesting_mode": "list",
                                "max_items": 1,
                                "block": {"attributes": {"color": ATTRIBUTE}, "deprecated": True},
                            }
                        },
                        "description_kind": "plain",
                    },
                },
                "toy_car": {"version": 0, "block": {}},
            },
            "data_source_schemas": {"toy_room": {"version": 0, "block": {}}},
        }
    },
}


def test_names_types_and_nesting_stay_and_descriptions_go() -> None:
    schema = schema_of(DOCUMENT, "maker/toy", "schema.json")
    plain = {"type": "string", "optional": True}
    assert schema["provider"] == {"attributes": {"room": plain}, "block_types": {}}
    box = schema["resources"]["toy_box"]
    assert box["attributes"]["kind"] == plain
    assert box["attributes"]["inner"] == {
        "optional": True,
        "computed": True,
        "nested_type": {
            "nesting_mode": "set",
            "attributes": {"size": {"type": "number", "required": True}},
        },
    }
    assert box["block_types"]["lid"] == {
        "nesting_mode": "list",
        "max_items": 1,
        "block": {"attributes": {"color": plain}, "block_types": {}},
    }
    content = PackContent("maker/toy", "1.2.3", exact=True, origin={}, schema=schema)
    assert read_pack(pack_bytes(content), "x").types == ("toy_box", "toy_car", "data.toy_room")


def test_only_the_types_that_are_asked_for_are_taken() -> None:
    schema = schema_of(DOCUMENT, "maker/toy", "schema.json", types={"toy_car", "data.toy_x"})
    assert sorted(schema["resources"]) == ["toy_car"]
    assert schema["data_sources"] == {}


@pytest.mark.parametrize("value", [None, [], {}, {"provider_schemas": []}, "x"])
def test_what_is_no_such_output_is_refused(value: object) -> None:
    with pytest.raises(FormatError) as error:
        schema_of(value, "maker/toy", "schema.json")
    assert error.value.code == "ACI-F656"


def test_another_provider_is_told_with_those_that_are_there() -> None:
    with pytest.raises(FormatError, match="maker/toy") as error:
        schema_of(DOCUMENT, "maker/train", "schema.json")
    assert error.value.code == "ACI-F657"


@pytest.mark.parametrize(
    "broken", [[], {"toy_box": []}, {"toy_box": {}}, {"toy_box": {"block": 1}}]
)
def test_a_schema_of_another_form_is_refused(broken: object) -> None:
    provider = {"resource_schemas": broken}
    document = {"provider_schemas": {"registry.terraform.io/maker/toy": provider}}
    if broken == []:
        assert schema_of(document, "maker/toy", "x")["resources"] == {}
        return
    with pytest.raises(FormatError) as error:
        schema_of(document, "maker/toy", "schema.json")
    assert error.value.code == "ACI-F656"
