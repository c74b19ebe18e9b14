"""Server-sent events: bytes to events, as the WHATWG standard parses them.

What is sent in an event's data is for a dialect to know. An event is the same however the network
cut the bytes: in the middle of a character, between CR and LF, or a byte at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event with data."""

    data: str
    event: str = "message"
    """The event's type, `message` where the server gives none."""


@dataclass(slots=True)
class SseParser:
    """Takes bytes as they arrive and gives back the events that they complete."""

    _line_pieces: list[bytes] = field(default_factory=list)
    """The start of a line whose end has not come, never joined before it has."""
    _data: list[str] = field(default_factory=list)
    _event: str = ""
    _head: bytes | None = b""
    """The first bytes while they may be a byte order mark; None afterwards."""
    _after_cr: bool = False
    """Whether an LF now would belong to the line end before it."""

    def feed(self, chunk: bytes) -> tuple[SseEvent, ...]:
        """Return the events that end in `chunk`."""
        if self._head is not None:
            chunk = self._head + chunk
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                self._head = chunk
                return ()
            chunk = chunk.removeprefix(_BOM)
            self._head = None
        if chunk and self._after_cr:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        return tuple(self._events(chunk))

    def close(self) -> tuple[SseEvent, ...]:
        """Return what is left at the end of the stream.

        The standard drops a last event without its empty line. Some model servers leave that line
        out, so the event is kept; whether an answer is complete is for the dialect to say.
        """
        head, self._head = self._head or b"", None
        return tuple(self._events(head + b"\n\n"))

    def _events(self, chunk: bytes) -> Iterator[SseEvent]:
        position = 0
        for end in _LINE_END.finditer(chunk):
            line = b"".join((*self._line_pieces, chunk[position : end.start()]))
            self._line_pieces.clear()
            position = end.end()
            self._after_cr = end.group() == b"\r" and position == len(chunk)
            event = self._line(line)
            if event is not None:
                yield event
        if position < len(chunk):
            self._line_pieces.append(chunk[position:])

    def _line(self, line: bytes) -> SseEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        return None

    def _dispatch(self) -> SseEvent | None:
        data, event = self._data, self._event
        self._data, self._event = [], ""
        return SseEvent("\n".join(data), event or "message") if data else None


def parse_sse(chunks: Iterable[bytes]) -> Iterator[SseEvent]:
    """Yield every event of a stream that is complete."""
    parser = SseParser()
    for chunk in chunks:
        yield from parser.feed(chunk)
    yield from parser.close()
