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

    _rest: bytes = b""
    _data: list[str] = field(default_factory=list)
    _event: str = ""
    _at_start: bool = True

    def feed(self, chunk: bytes) -> tuple[SseEvent, ...]:
        """Return the events that end in `chunk`."""
        return self._take(self._rest + chunk, final=False)

    def close(self) -> tuple[SseEvent, ...]:
        """Return what is left at the end of the stream.

        The standard drops a last event without its empty line. Some model servers leave that line
        out, so the event is kept; whether an answer is complete is for the dialect to say.
        """
        events = self._take(self._rest, final=True)
        last = self._dispatch()
        return events if last is None else (*events, last)

    def _take(self, data: bytes, *, final: bool) -> tuple[SseEvent, ...]:
        if self._at_start:
            if not final and len(data) < len(_BOM) and _BOM.startswith(data):
                self._rest = data
                return ()
            data = data.removeprefix(_BOM)
            self._at_start = False
        events: list[SseEvent] = []
        position = 0
        for end in _LINE_END.finditer(data):
            if end.group() == b"\r" and end.end() == len(data) and not final:
                break  # the LF that belongs to this CR may be in the next chunk
            event = self._line(data[position : end.start()])
            position = end.end()
            if event is not None:
                events.append(event)
        self._rest = data[position:]
        if final and self._rest:
            self._line(self._rest)
            self._rest = b""
        return tuple(events)

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
