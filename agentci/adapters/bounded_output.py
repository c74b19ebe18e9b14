"""Output of a command, kept up to a limit: the beginning and the end, with a note between.

Must not know where the output comes from.
"""

from __future__ import annotations


class BoundedOutput:
    """Collects bytes; beyond `limit` the middle is left out, so memory stays bounded."""

    __slots__ = ("_head", "_head_size", "_tail", "_tail_size", "_total")

    def __init__(self, limit: int) -> None:
        """Keep at most `limit` bytes, the note not counted."""
        self._head_size = limit // 2
        self._tail_size = limit - self._head_size
        self._head = bytearray()
        self._tail = bytearray()
        self._total = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self._total += len(data)
        room = self._head_size - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > 2 * self._tail_size + 65_536:
            self._shorten()

    def result(self) -> bytes:
        """Return what was kept. The note names how many bytes are missing."""
        self._shorten()
        missing = self._total - len(self._head) - len(self._tail)
        note = b"\n[agentci: %d bytes left out]\n" % missing if missing else b""
        return bytes(self._head) + note + bytes(self._tail)

    def _shorten(self) -> None:
        surplus = len(self._tail) - self._tail_size
        if surplus > 0:
            del self._tail[:surplus]
