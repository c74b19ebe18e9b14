"""The journal of a run: one event a line, each line chained to the one before it.

The chain shows that no line was changed, taken out or put in since it was written; it is no
signature. Knows nothing of what the events mean.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentci.core.canonical import canonical_bytes
from agentci.core.digest import Digest
from agentci.core.effects import AppendFile, Files
from agentci.core.errors import FormatError, Location, SafetyRefusal, StorageError, UsageError
from agentci.core.json_types import JsonObject

FORMAT: Final = "agentci/journal"
VERSION: Final = 1

_OPEN, _MIDDLE, _CLOSE = b'{"chain":"', b'","event":', b"}\n"
_CHAIN_FROM, _CHAIN_TO = len(_OPEN), len(_OPEN) + 64
_EVENT_FROM = _CHAIN_TO + len(_MIDDLE)


@dataclass(frozen=True, slots=True)
class JournalContent:
    """What a journal file holds."""

    header: JsonObject
    """Format, version, and what the run wrote there."""
    events: tuple[JsonObject, ...]
    head: Digest
    """The chain's last link: it covers everything."""
    size: int
    """Bytes of whole lines."""
    torn: bool
    """Whether half a line follows, as a killed process leaves it."""


class Journal:
    """An open journal. One write call an event; one process at a time."""

    def __init__(self, file: AppendFile, content: JournalContent, held: ExitStack) -> None:
        self._file = file
        self._held = held
        self._chain = content.head.removeprefix("sha256:").encode()
        self.content = content
        """What was in the file when it was opened."""

    @classmethod
    def create(cls, files: Files, path: Path, header: JsonObject) -> Journal:
        """Start the journal of a new run; `header` joins the format and the version.

        Raises:
            UsageError: when there is a journal already, or another process has it.
        """
        with ExitStack() as held:
            _lock(files, path, held)
            if files.exists(path):
                raise UsageError(
                    f"`{path}` is there already",
                    code="ACI-U155",
                    hint="continue that run with `agentci resume`, or start a new one",
                )
            first = {**header, "format": FORMAT, "version": VERSION}
            event = canonical_bytes(first)
            chain = _link(b"", event)
            file = files.open_append(path)
            held.callback(file.close)
            try:
                file.append(_line(chain, event), sync=True)
            except StorageError:
                files.remove(path)
                raise
            head = Digest("sha256:" + chain.decode())
            content = JournalContent(first, (), head, len(_line(chain, event)), torn=False)
            return cls(file, content, held.pop_all())

    @classmethod
    def open(cls, files: Files, path: Path) -> Journal:
        """Continue a journal. Half a last line is cut off: its event never counted.

        Raises:
            UsageError: when there is none, or another process has it.
            FormatError: when it is not a journal that this release reads.
            SafetyRefusal: when a line was changed.
        """
        with ExitStack() as held:
            if not files.exists(path):
                raise _missing(path)
            _lock(files, path, held)
            content = read_journal(files, path)
            if content.torn:
                files.update(path, lambda data: data[: content.size])
            file = files.open_append(path)
            held.callback(file.close)
            return cls(file, content, held.pop_all())

    def write(self, event: JsonObject, *, sync: bool = False) -> Digest:
        """Append `event` in one write and return the new head; `sync` forces it to the disk."""
        data = canonical_bytes(event)
        chain = _link(self._chain, data)
        self._file.append(_line(chain, data), sync=sync)
        self._chain = chain
        return self.head

    @property
    def head(self) -> Digest:
        """The chain's last link."""
        return Digest("sha256:" + self._chain.decode())

    def sync(self) -> None:
        """Force what was written to the disk."""
        self._file.sync()

    def close(self) -> None:
        """Close the file and let another process have it; a second call does nothing."""
        self._held.close()


def read_journal(files: Files, path: Path) -> JournalContent:
    """Return what the journal at `path` holds, without taking it from a running process.

    Raises:
        UsageError: when there is none.
        FormatError: when it is not a journal that this release reads.
        SafetyRefusal: when a line was changed.
    """
    if not files.exists(path):
        raise _missing(path)
    data = files.read(path)
    size = data.rfind(b"\n") + 1
    events: list[JsonObject] = []
    chain = b""
    for number, line in enumerate(data[:size].splitlines(keepends=True), start=1):
        event = line[_EVENT_FROM : -len(_CLOSE)]
        if line != _line(line[_CHAIN_FROM:_CHAIN_TO], event):
            if number == 1:
                raise _not_a_journal(path)
            raise _changed(path, number)
        chain = _link(chain, event)
        if line[_CHAIN_FROM:_CHAIN_TO] != chain:
            raise _changed(path, number)
        events.append(_parse(event, path, number))
    if not events:
        raise _not_a_journal(path)
    header = events.pop(0)
    if header.get("format") != FORMAT:
        raise _not_a_journal(path)
    if header.get("version") != VERSION:
        raise FormatError(
            f"`{path}` is a journal of version `{header.get('version')}`;"
            f" this release reads {VERSION}",
            code="ACI-F131",
            hint="update agentci",
        )
    head = Digest("sha256:" + chain.decode())
    return JournalContent(header, tuple(events), head, size, torn=size < len(data))


def _link(chain: bytes, event: bytes) -> bytes:
    return hashlib.sha256(chain + event).hexdigest().encode()


def _line(chain: bytes, event: bytes) -> bytes:
    return b"".join((_OPEN, chain, _MIDDLE, event, _CLOSE))


def _parse(event: bytes, path: Path, number: int) -> JsonObject:
    try:
        value = json.loads(event)
    except ValueError:
        raise _changed(path, number) from None
    if not isinstance(value, Mapping):
        raise _changed(path, number)
    return value


def _lock(files: Files, path: Path, held: ExitStack) -> None:
    if not held.enter_context(files.lock(path.with_name(path.name + ".lock"))):
        raise UsageError(
            "another process works on this run",
            code="ACI-U156",
            hint="wait for it, or stop it",
            location=Location(file=str(path)),
        )


def _missing(path: Path) -> UsageError:
    return UsageError(
        f"there is no journal `{path}`", code="ACI-U157", hint="list the runs with `agentci runs`"
    )


def _not_a_journal(path: Path) -> FormatError:
    return FormatError(
        f"`{path}` is not a journal", code="ACI-F130", hint="start a new run with `agentci run`"
    )


def _changed(path: Path, number: int) -> SafetyRefusal:
    return SafetyRefusal(
        f"line {number} of the journal was changed after it was written",
        code="ACI-P130",
        hint="start a new run with `agentci run`; this one cannot be trusted",
        location=Location(file=str(path), line=number),
    )
