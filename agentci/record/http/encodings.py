"""Content encodings: gzip, deflate, br and zstd, undone within a limit on the size.

br and zstd come from optional packages. Nothing here knows where a body comes from.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from agentci.core.errors import EnvironmentProblem

MAX_DECODED: Final = 128 * 1024 * 1024
"""Bytes. What would grow beyond this stays encoded."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_BLOCK = 1024 * 1024
_NAMES = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "br": "br", "zstd": "zstd"}


class UndecodableError(ValueError):
    """A body is not what its encoding says, or grows beyond all bounds; the message says which."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body without its content encodings."""

    data: bytes
    undone: tuple[str, ...]
    """The encodings that were there, in the order in which the server applied them."""


def decode_content(data: bytes, encodings: str, *, is_text: bool = False) -> Decoded:
    """Undo what the header `content-encoding` names, where it has really been applied.

    Recorders often keep the header of a body that they have decoded. With `is_text`, the body was
    stored as text, which no encoding produces.

    Raises:
        UndecodableError: when the body is damaged, grows too large, or is encoded by other means.
        EnvironmentProblem: when the package for an encoding is not installed.
    """
    undone: list[str] = []
    names = [name.strip().lower() for name in encodings.split(",")]
    for name in reversed([name for name in names if name not in {"", "identity", "none"}]):
        if not data or is_text:
            break
        known = _NAMES.get(name)
        if known is None:
            message = f"the content encoding `{name[:40]}` is not known"
            raise UndecodableError(message)
        if not _applied(known, data):
            break
        data = _DECODERS[known](data)
        undone.append(known)
    return Decoded(data, tuple(reversed(undone)))


def gunzip(data: bytes) -> bytes:
    """Return what gzip has compressed, all members of it.

    Raises:
        UndecodableError: when it is damaged, cut short or grows beyond `MAX_DECODED`.
    """
    out: list[bytes] = []
    room = MAX_DECODED
    while data:
        decoder = zlib.decompressobj(wbits=31)
        out.append(_inflate(decoder, data, room))
        room -= len(out[-1])
        data = decoder.unused_data.lstrip(b"\x00")  # padding is allowed
    return b"".join(out)


def _applied(name: str, data: bytes) -> bool:
    if name == "gzip":
        return data.startswith(_GZIP)
    if name == "zstd":
        return data.startswith(_ZSTD)
    return True


def _inflate(decoder: Any, data: bytes, room: int) -> bytes:
    try:
        result: bytes = decoder.decompress(data, room + 1)
    except zlib.error as error:
        raise UndecodableError(str(error)) from None
    if len(result) > room:
        raise _too_large()
    if not decoder.eof:
        message = "the compressed body is cut short"
        raise UndecodableError(message)
    return result


def _deflate(data: bytes) -> bytes:
    """Undo deflate, which some servers send without the wrapping that the standard asks for."""
    wrapped = data[0] & 15 == 8 and len(data) > 1 and (data[0] * 256 + data[1]) % 31 == 0
    return _inflate(zlib.decompressobj(wbits=15 if wrapped else -15), data, MAX_DECODED)


def _brotli(data: bytes) -> bytes:
    try:
        import brotli  # noqa: PLC0415 - optional
    except ImportError:
        raise _missing("br", "brotli") from None
    decoder = brotli.Decompressor()
    out: list[bytes] = []
    size = 0
    try:
        while not decoder.is_finished():
            part = decoder.process(data, output_buffer_limit=_BLOCK)
            data = b""
            size += len(part)
            if size > MAX_DECODED:
                raise _too_large()
            if not part and decoder.can_accept_more_data():
                break
            out.append(part)
    except brotli.error as error:
        raise UndecodableError(str(error)) from None
    if not decoder.is_finished():
        message = "the compressed body is cut short"
        raise UndecodableError(message)
    return b"".join(out)


def _zstd(data: bytes) -> bytes:
    try:
        import zstandard  # noqa: PLC0415 - optional
    except ImportError:
        raise _missing("zstd", "zstandard") from None
    out: list[bytes] = []
    try:
        reader = zstandard.ZstdDecompressor(max_window_size=MAX_DECODED).stream_reader(
            data, read_across_frames=True
        )
        if len(reader.read(MAX_DECODED + 1)) > MAX_DECODED:
            raise _too_large()
        while data:  # the reader does not say whether a frame was whole
            decoder = zstandard.ZstdDecompressor(max_window_size=MAX_DECODED).decompressobj()
            out.append(decoder.decompress(data))
            if not decoder.eof:
                message = "the compressed body is cut short"
                raise UndecodableError(message)
            data = decoder.unused_data
    except zstandard.ZstdError as error:
        raise UndecodableError(str(error)) from None
    return b"".join(out)


_DECODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": gunzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}


def _too_large() -> UndecodableError:
    return UndecodableError(f"it grows beyond {MAX_DECODED // 1024 // 1024} MB")


def _missing(encoding: str, package: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"a body is encoded with `{encoding}`, and the package `{package}` is not installed",
        code="ACI-E160",
        hint="`pip install 'agentci-pipelines[import]'` installs it",
    )
