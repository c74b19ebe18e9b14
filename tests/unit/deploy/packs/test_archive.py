"""Archives are the pinned ones, and only what is asked for is read out of them."""

from __future__ import annotations

import pytest

from agentci.core.errors import FormatError, SafetyRefusal, UsageError
from agentci.deploy.packs import archive as archives
from agentci.deploy.packs.archive import pack_from_archive
from agentci.deploy.packs.format import pack_bytes, read_pack
from tests.support.binding_text import DECLARATIONS, FILES, archive, row


def test_a_pack_has_the_types_that_are_asked_for() -> None:
    packed = archive()
    content = pack_from_archive(packed, row(packed), "toy.tgz")
    assert sorted(content.schema["resources"]) == ["toy_box"]
    assert content.schema["provider"]["attributes"]["room"]["optional"]
    assert not content.exact
    assert content.origin["binding"] == "@maker/provider-toy"
    assert content.origin["integrity"] == row(packed).integrity
    assert read_pack(pack_bytes(content), "x").types == ("toy_box",)


def test_more_types_can_be_added() -> None:
    packed = archive()
    content = pack_from_archive(packed, row(packed), "toy.tgz", extra=["toy_chest"])
    assert sorted(content.schema["resources"]) == ["toy_box", "toy_chest"]


def test_the_same_archive_gives_the_same_bytes() -> None:
    packed = archive()
    first, second = (pack_bytes(pack_from_archive(packed, row(packed), "x")) for _ in range(2))
    assert first == second
    assert first.endswith(b"}\n")


def test_another_archive_than_the_pinned_one_is_refused() -> None:
    packed = archive()
    other = archive({**FILES, "package/package.json": "{} "})
    with pytest.raises(SafetyRefusal) as error:
        pack_from_archive(other, row(packed), "toy.tgz")
    assert error.value.code == "ACI-P650"


def test_a_type_that_is_not_in_it_is_named() -> None:
    packed = archive()
    with pytest.raises(FormatError, match="`toy_car`") as error:
        pack_from_archive(packed, row(packed, "toy_box", "toy_car"), "toy.tgz")
    assert error.value.code == "ACI-F659"


def test_a_type_of_another_provider_is_a_mistake_of_the_call() -> None:
    packed = archive()
    with pytest.raises(UsageError) as error:
        pack_from_archive(packed, row(packed), "toy.tgz", extra=["aws_lb"])
    assert error.value.code == "ACI-U653"


@pytest.mark.parametrize("data", [b"", b"no archive", archive()[:300]])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError) as error:
        pack_from_archive(data, row(data), "toy.tgz")
    assert error.value.code in {"ACI-F659", "ACI-F660"}


def test_a_binding_that_is_not_understood_is_named() -> None:
    packed = archive({**FILES, "package/lib/box/index.js": "class Box {}\n"})
    with pytest.raises(FormatError) as error:
        pack_from_archive(packed, row(packed), "toy.tgz")
    assert error.value.code == "ACI-F658"
    assert error.value.location is not None
    assert error.value.location.file == "toy.tgz:package/lib/box"


def test_an_archive_that_holds_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = archive()
    monkeypatch.setattr(archives, "_LARGEST_FILE", len(DECLARATIONS) - 1)
    with pytest.raises(FormatError, match="bytes") as error:
        pack_from_archive(packed, row(packed), "toy.tgz")
    assert error.value.code == "ACI-F660"
    monkeypatch.undo()
    monkeypatch.setattr(archives, "_LARGEST_ALL", 1000)
    with pytest.raises(FormatError, match="more than it can hold"):
        pack_from_archive(packed, row(packed), "toy.tgz")


def test_paths_that_lead_elsewhere_are_not_read() -> None:
    packed = archive({**FILES, "package/lib/../../box/index.js": "x", "/etc/box.js": "x"})
    assert pack_from_archive(packed, row(packed), "x").schema["resources"]
