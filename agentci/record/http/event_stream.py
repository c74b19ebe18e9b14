"""The binary event streams of AWS: messages with a prelude, typed headers, a payload, checksums.

A message whose readable form does not give the same bytes again is kept in base64. Knows nothing
of services or of what the events mean.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping
from typing import Final

from agentci.core.json_types import JsonObject
from agentci.record.http.content import BASE64, BODY, LAYOUT, damaged, load_content, store_content

MEDIA_TYPE: Final = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct(">III")  # length of the message, of its headers, checksum of these two
_CHECKSUM = struct.Struct(">I")
_LENGTH = struct.Struct(">H")
_STRING = 7
_USUAL: Final[JsonObject] = {"compact": True}
_SMALLEST = _PRELUDE.size + _CHECKSUM.size


def split_messages(data: bytes) -> tuple[bytes, ...] | None:
    """Return the messages of a stream, or None where `data` is not a stream of whole messages."""
    messages: list[bytes] = []
    position = 0
    while position < len(data):
        if len(data) - position < _SMALLEST:
            return None
        length, _, checksum = _PRELUDE.unpack_from(data, position)
        if length < _SMALLEST or position + length > len(data):
            return None
        if zlib.crc32(data[position : position + 8]) != checksum:
            return None
        messages.append(data[position : position + length])
        position += length
    return tuple(messages)


def store_message(message: bytes) -> JsonObject:
    """Return one message as `headers` and a body, or in base64."""
    headers = _headers(message)
    if headers is not None:
        _, headers_length, _ = _PRELUDE.unpack_from(message)
        payload = message[_PRELUDE.size + headers_length : -_CHECKSUM.size]
        stored = {"headers": headers, **_briefly(store_content(payload))}
        if load_message(stored) == message:
            return stored
    return {BASE64: base64.b64encode(message).decode("ascii")}


def load_message(stored: JsonObject) -> bytes:
    """Return the message that `store_message` was given.

    Raises:
        FormatError: when `stored` is not such a record.
    """
    headers = stored.get("headers")
    if headers is None:
        return load_content(stored)
    if not isinstance(headers, Mapping):
        raise damaged("an event has no headers")
    packed = b"".join(_packed(str(name), str(value)) for name, value in headers.items())
    layout = stored.get(LAYOUT)
    given = layout if isinstance(layout, Mapping) else {}
    payload = load_content({**stored, LAYOUT: {**_USUAL, **given}})
    length = _PRELUDE.size + len(packed) + len(payload) + _CHECKSUM.size
    lengths = struct.pack(">II", length, len(packed))
    head = lengths + _CHECKSUM.pack(zlib.crc32(lengths)) + packed + payload
    return head + _CHECKSUM.pack(zlib.crc32(head))


def _briefly(content: JsonObject) -> JsonObject:
    """Return a body without the layout that nearly all events have."""
    if BODY not in content:
        return content
    layout = content.get(LAYOUT)
    given = layout if isinstance(layout, Mapping) else {}
    if given == _USUAL:
        return {BODY: content[BODY]}
    return {BODY: content[BODY], LAYOUT: {"compact": False, **given}}


def _packed(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    if len(key) > 255 or len(text) > 65535:
        raise damaged("a header of an event is too long")
    return bytes([len(key)]) + key + bytes([_STRING]) + _LENGTH.pack(len(text)) + text


def _headers(message: bytes) -> dict[str, str] | None:
    """Return the headers of a message where all of them are texts; None for any other message."""
    _, length, _ = _PRELUDE.unpack_from(message)
    position, end = _PRELUDE.size, _PRELUDE.size + length
    if end > len(message) - _CHECKSUM.size:
        return None
    headers: dict[str, str] = {}
    try:
        while position < end:
            name_end = position + 1 + message[position]
            value_start = name_end + 3
            value_end = value_start + _LENGTH.unpack_from(message, name_end + 1)[0]
            if value_end > end or message[name_end] != _STRING:
                return None
            name = message[position + 1 : name_end].decode("utf-8")
            headers[name] = message[value_start:value_end].decode("utf-8")
            position = value_end
    except (IndexError, struct.error, UnicodeDecodeError):
        return None
    return headers
