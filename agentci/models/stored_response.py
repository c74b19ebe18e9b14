"""How a provider's answer stands in a recording, and back.

A JSON answer is kept as JSON, a stream of events as its chunks with their boundaries, other text
as text, and anything else in base64, which a cassette moves to its objects. Decoding always starts
from this form, when recording too, so that a replay cannot see anything else than the recording
run did.
"""

from __future__ import annotations

import base64
import codecs
import json
from collections.abc import Mapping, Sequence
from typing import Any

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import FormatError
from agentci.core.json_types import JsonObject
from agentci.core.wire import WireResponse

KEPT_HEADERS = ("content-type",)
"""All other headers vary from call to call or name an account."""

_EVENT_STREAM = "text/event-stream"


def store_response(response: WireResponse) -> JsonObject:
    """Return `response` as a recording keeps it."""
    stored: dict[str, Any] = {
        "status": response.status,
        "headers": {
            name: response.headers[name] for name in KEPT_HEADERS if name in response.headers
        },
    }
    return {**stored, **_content(response)}


def load_response(stored: JsonObject) -> WireResponse:
    """Return the response that `store_response` was given, its JSON perhaps spaced differently.

    Raises:
        FormatError: when `stored` is not such a record.
    """
    status, headers = stored.get("status"), stored.get("headers")
    if not isinstance(status, int) or not isinstance(headers, Mapping):
        raise _damaged("it has no status or no headers")
    texts = {name: value for name, value in headers.items() if isinstance(value, str)}
    if stored.get("body") is not None:
        return WireResponse(status, texts, (), stored["body"])
    return WireResponse(status, texts, _chunks(stored))


def _content(response: WireResponse) -> JsonObject:
    body = response.body
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == _EVENT_STREAM:
            return {"chunks": _text_chunks(response.chunks)}
        if kind.endswith("json"):
            value = json.loads(body)
            canonical_bytes(value)  # refuses what a cassette cannot carry, such as NaN
            return {"body": value}
        return {"text": body.decode("utf-8")}
    except (ValueError, RecursionError):
        return {"base64": base64.b64encode(body).decode("ascii")}


def _text_chunks(chunks: Sequence[bytes]) -> list[str]:
    """Decode chunk by chunk; a character cut in two goes to the chunk that completes it.

    Raises:
        UnicodeDecodeError: when the stream is not UTF-8.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    texts = [decoder.decode(chunk) for chunk in chunks]
    decoder.decode(b"", final=True)
    return [text for text in texts if text]


def _chunks(stored: JsonObject) -> tuple[bytes, ...]:
    if "body" in stored:
        return (b"null",)
    chunks, text, binary = (stored.get(name) for name in ("chunks", "text", "base64"))
    if isinstance(chunks, Sequence) and not isinstance(chunks, str):
        return tuple(str(chunk).encode("utf-8") for chunk in chunks)
    if isinstance(text, str):
        return (text.encode("utf-8"),)
    if isinstance(binary, str):
        try:
            return (base64.b64decode(binary, validate=True),)
        except ValueError as error:
            raise _damaged(str(error)) from error
    raise _damaged("it has no body")


def _damaged(reason: str) -> FormatError:
    return FormatError(
        f"a recorded answer cannot be read: {reason}",
        code="ACI-F150",
        hint="restore the cassette from version control, or record it again with "
        "`agentci run --mode record`",
    )
