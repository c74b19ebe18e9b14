"""Reads the files of an Inspect log: one JSON document, or a ZIP archive of several.

An `.eval` file is a ZIP archive whose entries are deflated or, in newer versions, zstd frames
(method 93 of PKWARE's APPNOTE 6.3.8), which Python's `zipfile` cannot read. Logs are hostile:
sizes are limited before anything is unpacked, checksums are compared, names are only names.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentci.core.errors import FormatError
from agentci.core.json_types import JsonValue
from agentci.evals.datasets.rows import finite
from agentci.record.http.encodings import UndecodableError, decode_content

MAX_ENTRY: Final = 64 * 1024 * 1024
MAX_ALL: Final = 1024 * 1024 * 1024
MAX_ENTRIES: Final = 200_000
_ZSTD: Final = 93
_LOCAL: Final = struct.Struct("<4s5H3I2H")


def damaged(file: str, why: str) -> FormatError:
    """Return the refusal of a log."""
    return FormatError(
        f"`{file}` cannot be read as an Inspect log: {why}",
        code="ACI-F491",
        hint="export it again; `inspect log dump FILE` shows whether Inspect reads it",
    )


@dataclass(frozen=True, slots=True)
class Archive:
    """The entries of an `.eval` file."""

    file: str
    data: bytes
    entries: Mapping[str, zipfile.ZipInfo]

    def json(self, name: str) -> JsonValue:
        """Return an entry as JSON.

        Raises:
            FormatError: when it is damaged, too large or no JSON.
        """
        return parse(self._bytes(self.entries[name]), f"{self.file}: {name}")

    def _bytes(self, entry: zipfile.ZipInfo) -> bytes:
        start = self._start_of_data(entry)
        packed = self.data[start : start + entry.compress_size]
        try:
            data = _unpacked(packed, entry)
        except (zlib.error, UndecodableError) as error:
            raise damaged(self.file, f"`{entry.filename[:100]}`: {error}") from error
        if len(data) != entry.file_size or zlib.crc32(data) != entry.CRC:
            raise damaged(self.file, f"`{entry.filename[:100]}` is not what its checksum says")
        return data

    def _start_of_data(self, entry: zipfile.ZipInfo) -> int:
        header = self.data[entry.header_offset : entry.header_offset + _LOCAL.size]
        if len(header) < _LOCAL.size:
            raise damaged(self.file, f"`{entry.filename[:100]}` lies beyond its end")
        fields = _LOCAL.unpack(header)
        return entry.header_offset + _LOCAL.size + int(fields[9]) + int(fields[10])


def open_archive(data: bytes, file: str) -> Archive:
    """Return the entries of a ZIP archive; the last of several with one name counts.

    Raises:
        FormatError: when it is no ZIP archive, or larger than any log.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OSError) as error:
        raise damaged(file, str(error)) from error
    if len(entries) > MAX_ENTRIES:
        raise damaged(file, f"it has more than {MAX_ENTRIES:,} entries")
    for entry in entries:
        if entry.file_size > MAX_ENTRY:
            told = f"`{entry.filename[:100]}` has more than {MAX_ENTRY // 1024 // 1024} MB"
            raise damaged(file, told)
    if sum(entry.file_size for entry in entries) > MAX_ALL:
        raise damaged(file, f"it has more than {MAX_ALL // 1024 // 1024} MB")
    return Archive(file, data, {entry.filename: entry for entry in entries})


def _unpacked(packed: bytes, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & 1:
        message = "it is encrypted"
        raise UndecodableError(message)
    if entry.compress_type == zipfile.ZIP_STORED:
        return packed
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        return zlib.decompressobj(wbits=-15).decompress(packed, entry.file_size + 1)
    if entry.compress_type == _ZSTD:
        return decode_content(packed, "zstd").data
    message = f"the compression method {entry.compress_type} is not known"
    raise UndecodableError(message)


def parse(data: bytes, file: str) -> JsonValue:
    """Return JSON as Inspect writes it: NaN and infinity are null.

    Raises:
        FormatError: when it is none.
    """
    try:
        value: JsonValue = json.loads(
            data, parse_constant=lambda _name: None, parse_float=finite, parse_int=_integer
        )
    except (ValueError, RecursionError) as error:
        why = "it nests too deep" if isinstance(error, RecursionError) else str(error)
        raise damaged(file, why) from error
    return value


def _integer(text: str) -> int:
    if len(text) > 300:
        message = "a number is too large"
        raise ValueError(message)
    return int(text)
