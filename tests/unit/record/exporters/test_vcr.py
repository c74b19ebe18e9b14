"""What is exported, plain vcrpy loads; and a file of vcrpy gives the same answers after a round."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from agentci.core.json_types import JsonObject
from agentci.core.lane import Lane
from agentci.record.exporters.vcr import export_vcr
from agentci.record.http.form import HttpAnswer, http_request, store_answer
from agentci.record.importers.registry import ForeignFile, read_foreign
from agentci.record.interaction import Address, Interaction, InteractionKind
from agentci.record.keys import interaction_key
from tests.support.foreign_corpus import FOLDER, NEEDS_CORPUS, files, is_http
from tests.support.foreign_seeds import SEEDS


def plain_vcrpy(data: bytes) -> list[tuple[str, str, int, str, bytes]]:
    """Return what vcrpy itself reads: method, address, status, media type and decoded body."""
    loaded: Any = deserialize(data.decode(), yamlserializer)
    found = []
    for request, response in zip(loaded[0], loaded[1], strict=True):
        headers = {name.lower(): value for name, value in (response["headers"] or {}).items()}
        body = response["body"]["string"] or b""
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        kind = (headers.get("content-type") or [""])[0]
        status = response["status"]["code"]
        found.append((request.method.upper(), request.uri, status, kind, body))
    return found


def kept(foreign: ForeignFile) -> list[Interaction]:
    """Return imported recordings as a cassette would give them."""
    return [
        Interaction(
            Address(Lane("x"), interaction_key(recording.request), 1),
            recording.kind,
            recording.request,
            recording.response,
            recording.notes,
            {"url": recording.url},
        )
        for recording in foreign.recordings
    ]


def interaction(
    kind: InteractionKind, request: JsonObject, response: JsonObject, **provenance: str
) -> Interaction:
    """Return a recording."""
    address = Address(Lane("x"), interaction_key(request), 1)
    return Interaction(address, kind, request, response, {}, provenance)


CORPUS = [path for path in files() if is_http(path)] if FOLDER.is_dir() else []
VCRPY = [p for p in CORPUS if read_foreign(p.read_bytes(), p.name).format == "vcrpy v1"]


@NEEDS_CORPUS
@pytest.mark.parametrize("path", VCRPY, ids=lambda path: path.name[-60:])
def test_vcrpy_to_agentci_to_vcrpy_gives_the_same_answers(path: Path) -> None:
    data = path.read_bytes()
    exported = plain_vcrpy(export_vcr(kept(read_foreign(data, path.name))).data)
    if b"parsed_body:" in data:  # plain vcrpy loads no such file, but the export of it
        assert exported
        return
    # A placeholder in place of a media type is no media type; a body may tell what it is.
    original = plain_vcrpy(data)
    assert [one[:3] for one in exported] == [one[:3] for one in original]
    assert [one[4] for one in exported] == [one[4] for one in original]
    assert [a[3] for a, b in zip(exported, original, strict=True) if "/" in b[3]] == [
        one[3] for one in original if "/" in one[3]
    ]


@NEEDS_CORPUS
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name[-60:])
def test_every_import_can_be_exported_and_imported_again(path: Path) -> None:
    first = read_foreign(path.read_bytes(), path.name)
    again = read_foreign(export_vcr(kept(first)).data, "again.yaml")
    assert [(r.kind, r.request, r.response) for r in again.recordings] == [
        (r.kind, r.request, r.response) for r in first.recordings
    ]


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_every_format_reaches_plain_vcrpy(seed: Any) -> None:
    import yaml  # noqa: PLC0415 - beside vcrpy's own use of it

    first = read_foreign(yaml.safe_dump(seed).encode(), "seed")
    assert len(plain_vcrpy(export_vcr(kept(first)).data)) == len(first.recordings)


@given(body=st.binary(max_size=100), text=st.text(max_size=40))
def test_any_body_reaches_plain_vcrpy(body: bytes, text: str) -> None:
    bodies = (body, text.encode("utf-8", "surrogatepass"), b"\xef\xbb\xbf\x85\r\n\x00")
    recordings = [
        interaction("http", http_request("GET", "http://h/"), store_answer(answer))
        for answer in (HttpAnswer(200, {"content-type": "a/b"}, (one,)) for one in bodies)
    ]
    loaded: Any = deserialize(export_vcr(recordings).data.decode(), yamlserializer)
    assert [response["body"]["string"] for response in loaded[1]] == list(bodies)


def test_recordings_of_our_gateway_get_the_address_that_its_sdk_calls() -> None:
    request: JsonObject = {
        "dialect": "openai-chat/1",
        "method": "POST",
        "path": "/chat/completions",
        "body": {"messages": []},
    }
    answer: JsonObject = {"status": 200, "headers": {}, "body": {"id": "1"}}
    exported = export_vcr(
        [interaction("model", request, answer, **{"from": "https://api.openai.com"})]
    )
    ((method, uri, status, _, body),) = plain_vcrpy(exported.data)
    assert (method, uri) == ("POST", "https://api.openai.com/v1/chat/completions")
    assert (status, body) == (200, b'{"id": "1"}')


def test_what_is_no_http_is_left_out_and_named() -> None:
    scripted: JsonObject = {"dialect": "scripted/1", "method": "POST", "path": "/", "body": {}}
    exported = export_vcr(
        [
            interaction("tool", {"tool": "search"}, {"content": "x"}),
            interaction("model", scripted, {}, **{"from": "script `a.yaml`"}),
        ]
    )
    assert (exported.data, exported.interactions) == (b"", 0)
    assert "`tool` is no HTTP exchange" in exported.left_out[0]
    assert "did not come over HTTP" in exported.left_out[1]
