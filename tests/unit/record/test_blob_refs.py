"""Large and binary texts leave the cassette and come back exactly."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from agentci.adapters.files import LocalFiles
from agentci.core.errors import FormatError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.blob_refs import OPAQUE_LIMIT, TEXT_LIMIT, move_in, move_out
from agentci.record.object_store import ObjectStore
from agentci.record.yaml_read import BlobReference

FILES = LocalFiles()

PNG = b"\x89PNG\r\n" + bytes(range(256)) * 20


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(PNG).decode(),
        "data:image/png;base64," + base64.b64encode(PNG).decode(),
        base64.urlsafe_b64encode(PNG * 3).decode(),
        "x" * OPAQUE_LIMIT,
        "line\n" * TEXT_LIMIT,
        "é " * TEXT_LIMIT,
        "a" * (OPAQUE_LIMIT + 1),
        "data:nonsense," + "_" * 3000,
    ],
)
def test_large_and_binary_texts_move_out_and_come_back(text: str, tmp_path: Path) -> None:
    objects = ObjectStore(FILES, tmp_path)
    value: JsonObject = {"a": [{"b": text}, "small"], "c": {"d": 1}}
    moved = move_out(value, objects.put)
    assert len(str(moved)) < 400
    assert isinstance(moved, dict)
    assert moved["c"] is value["c"]
    assert move_in(moved, objects) == value


def test_a_picture_is_stored_as_the_picture(tmp_path: Path) -> None:
    objects = ObjectStore(FILES, tmp_path)
    move_out({"url": "data:image/png;base64," + base64.b64encode(PNG).decode()}, objects.put)
    assert [objects.get(digest) for digest in objects.digests()] == [PNG]


@pytest.mark.parametrize(
    "text", ["word " * 1000, "\ud800" * TEXT_LIMIT, "short", "two words " * 2000]
)
def test_what_a_reviewer_reads_stays(text: str, tmp_path: Path) -> None:
    value: JsonObject = {"a": text}
    assert move_out(value, ObjectStore(FILES, tmp_path).put) is value


@pytest.mark.parametrize("digest", ["x", "sha256:00", f"sha256:{'0' * 64}", 5])
def test_a_reference_to_nothing_is_a_format_error(digest: JsonValue, tmp_path: Path) -> None:
    with pytest.raises(FormatError):
        move_in(BlobReference({"$blob": digest}), ObjectStore(FILES, tmp_path))
