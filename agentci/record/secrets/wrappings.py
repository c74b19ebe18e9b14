"""Texts inside base64 and compression: taken out to be looked at, and put back when changed.

What is put back is never compressed again, because the bytes of a compressor depend on its version
and a key must not. Zstandard is read where a package for it is installed. Knows no secrets.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

MAX_UNPACKED: Final = 16_000_000
"""Bytes of a compressed text that are looked at; the rest is not."""
MAX_LEVELS: Final = 5

Codec: TypeAlias = Literal["base64", "base64url", "gzip", "zlib", "zstd", "utf-8", "latin-1"]

_WRAPPED: Final = re.compile(
    r"(?:[A-Za-z0-9+/]{60,100}+\r?\n){1,200000}+[A-Za-z0-9+/]{1,100}+={0,2}"
)
_RUN: Final = re.compile(r"[A-Za-z0-9+/_-]{20,}+={0,2}")
_GZIP: Final = b"\x1f\x8b\x08"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZLIB: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_BLOCK: Final = 65_535
_ZSTD_BLOCK: Final = 100_000


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """What was inside, and what it was inside of."""

    text: str
    codecs: tuple[Codec, ...]
    """From the outside to the inside; the last one turns the bytes into `text`."""

    @property
    def is_text(self) -> bool:
        """Whether a person could read it."""
        return self.codecs[-1] == "utf-8"


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of base64 in a text, and what they hold."""

    start: int
    end: int
    inside: Unwrapped


def runs_in(text: str) -> Iterator[Run]:
    """Yield what base64 in `text` holds, where it is text, or compressed."""
    at = 0
    if "\n" in text:
        for match in _WRAPPED.finditer(text):
            yield from _runs(text, at, match.start())
            inside = _decoded("".join(match[0].split()))
            if inside is not None:
                yield Run(match.start(), match.end(), inside)
            at = match.end()
    yield from _runs(text, at, len(text))


def _runs(text: str, start: int, end: int) -> Iterator[Run]:
    for match in _RUN.finditer(text, start, end):
        inside = _decoded(match[0])
        if inside is not None:
            yield Run(match.start(), match.end(), inside)


def _decoded(text: str) -> Unwrapped | None:
    body = text.rstrip("=")
    if len(body) % 4 == 1:
        body = body[:-1]
    codec: Codec = "base64url" if "-" in body or "_" in body else "base64"
    if codec == "base64url":
        body = body.replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return None
    inside = unwrap(data)
    return Unwrapped(inside.text, (codec, *inside.codecs))


def unwrap(data: bytes) -> Unwrapped:
    """Return what `data` holds, decompressed and as text."""
    codecs: list[Codec] = []
    while len(codecs) < MAX_LEVELS:
        codec = _compression(data)
        unpacked = _unpacked(data, codec) if codec is not None else None
        if codec is None or unpacked is None:
            break
        codecs.append(codec)
        data = unpacked
    try:
        return Unwrapped(data.decode("utf-8"), (*codecs, "utf-8"))
    except UnicodeDecodeError:
        return Unwrapped(data.decode("latin-1"), (*codecs, "latin-1"))


def wrap(text: str, codecs: tuple[Codec, ...]) -> str:
    """Return the base64 text that holds `text` in the way that `codecs` says."""
    data = wrap_bytes(text, codecs[1:])
    encode = base64.urlsafe_b64encode if codecs[0] == "base64url" else base64.b64encode
    return encode(data).decode("ascii")


def wrap_bytes(text: str, codecs: tuple[Codec, ...]) -> bytes:
    """Return the bytes that hold `text`; the compressed forms hold it stored, not compressed."""
    data = text.encode(codecs[-1])
    for codec in reversed(codecs[:-1]):
        if codec == "gzip":
            data = _stored_gzip(data)
        elif codec == "zlib":
            data = b"\x78\x01" + _stored_blocks(data) + zlib.adler32(data).to_bytes(4, "big")
        elif codec == "zstd":
            data = _stored_zstd(data)
    return data


def _compression(data: bytes) -> Codec | None:
    if data.startswith(_GZIP):
        return "gzip"
    if data.startswith(_ZSTD):
        return "zstd"
    return "zlib" if data.startswith(_ZLIB) else None


def _unpacked(data: bytes, codec: Codec) -> bytes | None:
    """Return the content, or its beginning where the rest is cut off or too large."""
    if codec == "zstd":
        return _unpacked_zstd(data)
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | (16 if codec == "gzip" else 0))
    out = b""
    try:
        out = unpacker.decompress(data, MAX_UNPACKED)
    except zlib.error:
        return None
    return out or None


def _unpacked_zstd(data: bytes) -> bytes | None:
    try:
        import zstandard  # noqa: PLC0415 - only where there is something to unpack
    except ImportError:
        return None
    try:
        reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(data)
        return reader.read(MAX_UNPACKED) or None
    except (zstandard.ZstdError, MemoryError):
        return None


def _stored_gzip(data: bytes) -> bytes:
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    size = len(data) & 0xFFFFFFFF
    return (
        head + _stored_blocks(data) + zlib.crc32(data).to_bytes(4, "little")
        + size.to_bytes(4, "little")
    )  # fmt: skip


def _stored_blocks(data: bytes) -> bytes:
    out: list[bytes] = []
    for start in range(0, max(len(data), 1), _BLOCK):
        block = data[start : start + _BLOCK]
        last = start + _BLOCK >= len(data)
        size = len(block)
        out += (bytes([last]), size.to_bytes(2, "little"), (size ^ 0xFFFF).to_bytes(2, "little"))
        out.append(block)
    return b"".join(out)


def _stored_zstd(data: bytes) -> bytes:
    out = [_ZSTD, b"\xa0", len(data).to_bytes(4, "little")]
    for start in range(0, max(len(data), 1), _ZSTD_BLOCK):
        block = data[start : start + _ZSTD_BLOCK]
        last = start + _ZSTD_BLOCK >= len(data)
        out += ((len(block) << 3 | last).to_bytes(3, "little"), block)
    return b"".join(out)
