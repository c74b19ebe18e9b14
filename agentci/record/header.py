"""The first document of a cassette: format, version, lane, and where the recordings come from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentci.core.errors import FormatError, Location
from agentci.core.json_types import JsonValue
from agentci.core.lane import Lane
from agentci.record.keys import KEY_VERSION
from agentci.record.yaml_read import YamlProblem, parse

FORMAT: Final = "agentci/cassette"
VERSION: Final = 1
RECORD_AGAIN: Final = "restore the file from version control, or remove it and record again"

_FIRST_KEYS: Final = 1
_COMMENT = "# Recorded answers, one document each, replayed by agentci. Record to change.\n"
_START = re.compile(rb"^format:[ \t]*['\"]?agentci/cassette['\"]?[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Header:
    """The first document of a cassette."""

    lane: Lane
    note: str = ""
    """Where the recordings come from, for a reader."""
    keys: int = KEY_VERSION
    """The version of their keys. A header without it has those of version 1."""

    def text(self) -> bytes:
        """Return the header as it stands in a file."""
        from agentci.record.yaml_text import emit_field  # noqa: PLC0415 - only to record

        fields = f"{_COMMENT}format: {FORMAT}\nversion: {VERSION}\n"
        fields += f"keys: {self.keys}\n" if self.keys != _FIRST_KEYS else ""
        fields += emit_field("lane", self.lane)
        return (fields + (emit_field("note", self.note) if self.note else "")).encode()


def read_header(text: bytes, name: str, *, alone: bool) -> Header | None:
    """Return the header in `text`, which ends where the first recording starts.

    None where there is nothing yet, or the beginning of a header that a killed writer left:
    only where the header stands `alone`.

    Raises:
        FormatError: when the file `name` is no cassette, or of a newer version.
    """
    if alone and _is_beginning(text):
        return None
    found = list(_START.finditer(text))
    if not found:
        raise _no_cassette(name, f"it does not start with `format: {FORMAT}`")
    try:
        fields = parse(text[found[-1].start() :])
    except YamlProblem as problem:
        raise _no_cassette(name, str(problem)) from None
    if not isinstance(fields, Mapping):
        raise _no_cassette(name, "its header is no mapping")
    version = fields.get("version")
    if version != VERSION or isinstance(version, bool):
        raise FormatError(
            f"`{name}` is a cassette of version `{version}`; this release reads {VERSION}",
            code="ACI-F111",
            hint="update agentci, or record again",
            location=Location(file=name),
        )
    lane, note = fields.get("lane"), fields.get("note", "")
    if not isinstance(lane, str) or not isinstance(note, str):
        raise _no_cassette(name, "its header names no lane")
    return Header(Lane(lane), note, _key_version(fields.get("keys", _FIRST_KEYS), name))


def _key_version(value: JsonValue, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < _FIRST_KEYS:
        raise _no_cassette(name, f"`keys: {value}` is no version of keys")
    if value > KEY_VERSION:
        raise FormatError(
            f"the keys in `{name}` are of version {value}; this release computes {KEY_VERSION}",
            code="ACI-F114",
            hint="update agentci, or record again",
            location=Location(file=name),
        )
    return value


def _is_beginning(text: bytes) -> bool:
    """Say whether `text` is a header of ours up to somewhere before the end of its lane."""
    if not _COMMENT.encode().startswith(text[: len(_COMMENT)]):
        return False
    return not text.endswith(b"\n") or b"\nlane:" not in text


def _no_cassette(name: str, reason: str) -> FormatError:
    return FormatError(
        f"`{name}` is no cassette: {reason}",
        code="ACI-F110",
        hint=RECORD_AGAIN,
        location=Location(file=name),
    )
