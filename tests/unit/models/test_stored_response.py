"""How answers stand in recordings."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import FormatError
from agentci.core.json_types import JsonObject
from agentci.core.wire import WireResponse
from agentci.models.stored_response import load_response, store_response


def answer(*chunks: bytes, kind: str = "application/json") -> WireResponse:
    return WireResponse(200, {"content-type": kind, "x-request-id": "r1"}, chunks)


def test_json_is_kept_as_json_and_other_headers_are_dropped() -> None:
    stored = store_response(answer(b'{"a": ', b"1.5}"))
    assert stored == {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {"a": 1.5},
    }
    assert json.loads(load_response(stored).body) == {"a": 1.5}


def test_a_stream_keeps_its_chunks() -> None:
    chunks = (b"data: 1\n\n", b"data: 2\n\ndata:", b" 3\n\n")
    stored = store_response(answer(*chunks, kind="text/event-stream; charset=utf-8"))
    assert stored["chunks"] == ["data: 1\n\n", "data: 2\n\ndata:", " 3\n\n"]
    assert load_response(stored).chunks == chunks


@given(st.text(min_size=1), st.data())
def test_a_stream_cut_inside_characters_keeps_its_bytes(text: str, data: st.DataObject) -> None:
    raw = text.encode("utf-8", "replace")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)))))
    chunks = [raw[i:j] for i, j in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    stored = store_response(answer(*chunks, kind="text/event-stream"))
    assert "chunks" in stored
    assert load_response(stored).body == raw


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff\x00binary", "application/octet-stream"),
        (b"data: \xff\n\n", "text/event-stream"),
        (b'{"a": NaN}', "application/json"),
        (b'{"a": "\\ud800"}', "application/json"),
        (b"{", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"plain", "text/plain"),
        (b"", ""),
    ],
)
def test_whatever_comes_can_be_stored_and_comes_back(body: bytes, kind: str) -> None:
    stored = store_response(answer(body, kind=kind))
    canonical_bytes(stored)
    assert load_response(stored).body == body


@given(st.binary(), st.sampled_from(["application/json", "text/event-stream", "text/html", "x"]))
def test_any_bytes_can_be_stored_and_stay_as_they_are(body: bytes, kind: str) -> None:
    stored = store_response(answer(body, kind=kind))
    canonical_bytes(stored)
    again = load_response(stored)
    assert json.loads(again.body) == stored["body"] if "body" in stored else again.body == body


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"status": "200", "headers": {}},
        {"status": 200},
        {"status": 200, "headers": []},
        {"status": 200, "headers": {}},
        {"status": 200, "headers": {}, "chunks": "text"},
        {"status": 200, "headers": {}, "base64": "!"},
    ],
)
def test_a_damaged_record_is_named(stored: JsonObject) -> None:
    with pytest.raises(FormatError, match="a recorded answer cannot be read"):
        load_response(stored)
