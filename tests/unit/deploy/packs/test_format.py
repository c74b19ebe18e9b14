"""Packs are read as they were written, and hostile ones are refused with a reason."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.digest import digest_bytes
from agentci.core.errors import FormatError
from agentci.deploy.packs import format as formats
from agentci.deploy.packs.format import PackContent, pack_bytes, read_pack

BOX = {
    "attributes": {"name": {"type": "string", "required": True}},
    "block_types": {
        "lid": {"nesting_mode": "list", "max_items": 1, "block": {"attributes": {}}},
    },
}
CONTENT = PackContent(
    source="maker/toy",
    version="1.2.3",
    exact=True,
    origin={"schema": "x"},
    schema={"provider": {}, "resources": {"toy_box": BOX}, "data_sources": {"toy_room": {}}},
)


def document(**changes: Any) -> dict[str, Any]:
    """Return a pack as JSON, with changes."""
    found: dict[str, Any] = json.loads(pack_bytes(CONTENT))
    return {**found, **changes}


def with_attribute(attribute: object) -> bytes:
    """Return a pack whose one attribute is this."""
    found = document()
    found["schema"]["resources"]["toy_box"]["attributes"]["name"] = attribute
    return json.dumps(found).encode()


def refusal(data: bytes) -> FormatError:
    """Return the error for a pack that is not read."""
    with pytest.raises(FormatError) as error:
        read_pack(data, "pack.json")
    assert error.value.hint is None or "agentci deploy packs build" in error.value.hint
    return error.value


def test_a_pack_is_read_as_it_was_written() -> None:
    data = pack_bytes(CONTENT)
    pack = read_pack(data, "pack.json")
    assert pack.content == CONTENT
    assert pack.digest == digest_bytes(data)
    assert pack.types == ("toy_box", "data.toy_room")
    served = pack.served()
    assert (served.source, served.version, served.exact) == ("maker/toy", "1.2.3", True)
    assert served.schema["resources"]["toy_box"] == BOX


def test_the_order_of_keys_does_not_change_the_bytes() -> None:
    turned = dict(reversed(list(CONTENT.schema.items())))
    other = PackContent(
        CONTENT.source, CONTENT.version, exact=True, origin=CONTENT.origin, schema=turned
    )
    assert pack_bytes(other) == pack_bytes(CONTENT)


def test_every_change_of_a_byte_changes_the_digest_that_is_asked_for() -> None:
    data = pack_bytes(CONTENT)
    digest = digest_bytes(data)
    assert read_pack(data, "x", digest=digest).digest == digest
    for index in range(0, len(data), 37):
        changed = data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]
        with pytest.raises(FormatError) as error:
            read_pack(changed, "x", digest=digest)
        assert error.value.code == "ACI-F651"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "ACI-F652"),
        (b"\xff\xfe", "ACI-F652"),
        (b"[" * 100_000, "ACI-F652"),
        (b"[]", "ACI-F653"),
        (b'{"format": "agentci/suite"}', "ACI-F653"),
        (json.dumps(document(version=2)).encode(), "ACI-F654"),
        (json.dumps(document(version=True)).encode(), "ACI-F654"),
        (json.dumps(document(version="1")).encode(), "ACI-F654"),
        (json.dumps(document(extra=1)).encode(), "ACI-F655"),
        (json.dumps(document(exact=1)).encode(), "ACI-F655"),
        (json.dumps(document(schema={})).encode(), "ACI-F655"),
    ],
)  # fmt: skip
def test_what_is_no_pack_is_refused(data: bytes, code: str) -> None:
    assert refusal(data).code == code


@pytest.mark.parametrize(
    ("source", "version"), [("../x", "1.2.3"), ("a/b", "1.2"), ("a/b\n", "1.2.3"), ("a", "1.2.3")]
)
def test_a_provider_that_could_not_be_a_folder_is_refused(source: str, version: str) -> None:
    data = json.dumps(document(provider={"source": source, "version": version})).encode()
    assert refusal(data).code == "ACI-F655"


@pytest.mark.parametrize(
    "attribute",
    [
        None,
        "string",
        {},
        {"type": "string"},
        {"type": "string", "required": True, "optional": True},
        {"type": "text", "required": True},
        {"type": None, "required": True},
        {"type": ["list"], "required": True},
        {"type": ["list", "string", "string"], "required": True},
        {"type": ["object", {"a": 1}], "required": True},
        {"type": ["object", {"a": "string"}, ["b"]], "required": True},
        {"type": ["object", {"a": "string"}, [[]]], "required": True},
        {"type": {"list": "string"}, "required": True},
        {"type": "string", "required": "yes"},
        {"type": "string", "required": True, "values": [1]},
        {"nested_type": {"nesting_mode": "pile", "attributes": {}}, "optional": True},
        {"nested_type": {"nesting_mode": "list"}, "optional": True},
        {
            "type": "string",
            "nested_type": {"nesting_mode": "list", "attributes": {}},
            "optional": True,
        },
    ],
)
def test_an_attribute_that_makes_no_sense_is_refused_with_its_place(attribute: object) -> None:
    error = refusal(with_attribute(attribute))
    assert error.code == "ACI-F655"
    assert "toy_box.attributes.name" in error.message


def test_types_that_lie_too_deep_in_each_other_are_refused() -> None:
    type_: Any = "string"
    for _ in range(40):
        type_ = ["list", type_]
    assert refusal(with_attribute({"type": type_, "required": True})).code == "ACI-F655"


def test_a_name_that_is_none_is_refused() -> None:
    for name in ("", "a b", "a\n", "../x", "9"):
        found = document()
        found["schema"]["resources"] = {name: BOX}
        assert refusal(json.dumps(found).encode()).code == "ACI-F655"


def test_a_pack_that_is_too_large_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LARGEST", 10)
    assert refusal(pack_bytes(CONTENT)).code == "ACI-F650"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.sampled_from(["provider", "exact", "origin", "schema", "version"]), _JSON)
def test_any_json_in_any_place_is_read_or_refused(key: str, value: object) -> None:
    data = json.dumps(document(**{key: value})).encode()
    with contextlib.suppress(FormatError):
        read_pack(data, "pack.json")
