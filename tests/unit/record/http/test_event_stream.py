"""Event streams of AWS: readable events, and the same bytes again."""

from __future__ import annotations

import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from agentci.record.http.event_stream import load_message, split_messages, store_message


def message(headers: bytes, payload: bytes) -> bytes:
    """A message, put together by the published layout."""
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return head + struct.pack(">I", zlib.crc32(head))


def text_header(name: str, value: str) -> bytes:
    """A header of the type text."""
    key, content = name.encode(), value.encode()
    return bytes([len(key)]) + key + b"\x07" + struct.pack(">H", len(content)) + content


START = message(text_header(":event-type", "messageStart"), b'{"role":"assistant"}')


def test_an_event_is_readable() -> None:
    stored = store_message(START)
    assert stored == {"headers": {":event-type": "messageStart"}, "body": {"role": "assistant"}}
    assert load_message(stored) == START


def test_an_event_spaced_otherwise_comes_back_too() -> None:
    spaced = message(text_header(":event-type", "x"), b'{"a": [1, 2]}')
    assert load_message(store_message(spaced)) == spaced


def test_boundaries_are_those_of_the_messages() -> None:
    assert split_messages(START + START) == (START, START)
    assert split_messages(b"") == ()


def test_what_is_no_stream_is_not_taken_for_one() -> None:
    assert split_messages(START[:-1]) is None
    assert split_messages(START + b"{}") is None
    assert split_messages(b"\x00" * 64) is None
    assert split_messages(b'{"message": "no"}' * 3) is None


@given(headers=st.binary(max_size=60), payload=st.binary(max_size=60))
def test_any_message_comes_back(headers: bytes, payload: bytes) -> None:
    whole = message(headers, payload)
    assert load_message(store_message(whole)) == whole
    wrong = whole[:-4] + b"\x00\x00\x00\x01"  # a checksum that does not fit
    assert load_message(store_message(wrong)) == wrong


@given(
    names=st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4),
    payload=st.text(max_size=20),
)
def test_texts_in_headers_come_back(names: dict[str, str], payload: str) -> None:
    headers = b"".join(text_header(name, value) for name, value in names.items())
    whole = message(headers, payload.encode())
    stored = store_message(whole)
    assert stored["headers"] == names
    assert load_message(stored) == whole


@given(data=st.binary(max_size=80))
def test_no_bytes_break_the_parser(data: bytes) -> None:
    messages = split_messages(data)
    assert messages is None or b"".join(messages) == data
