"""Content encodings are undone where they were applied, within bounds."""

from __future__ import annotations

import builtins
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from agentci.core.errors import EnvironmentProblem
from agentci.record.http import encodings
from agentci.record.http.encodings import UndecodableError, decode_content

TEXT = b'{"answer": "yes"}' * 20


def _raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": lambda data: gzip.compress(data[:40]) + gzip.compress(data[40:]),
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("name", ENCODERS)
def test_each_encoding_is_undone(name: str) -> None:
    decoded = decode_content(ENCODERS[name](TEXT), name)
    assert decoded.data == TEXT
    assert decoded.undone == ({"x-gzip": "gzip"}.get(name, name),)


def test_deflate_without_its_wrapping_is_undone() -> None:
    assert decode_content(_raw_deflate(TEXT), "deflate").data == TEXT


def test_several_encodings_are_undone_from_the_last() -> None:
    data = brotli.compress(gzip.compress(TEXT))
    assert decode_content(data, "gzip, BR").undone == ("gzip", "br")
    assert decode_content(data, "gzip, BR").data == TEXT


def test_a_header_without_its_encoding_changes_nothing() -> None:
    assert decode_content(TEXT, "gzip") == encodings.Decoded(TEXT, ())
    assert decode_content(TEXT, "zstd, identity").data == TEXT
    assert decode_content(TEXT, "br", is_text=True).data == TEXT
    assert decode_content(b"", "br").data == b""


@pytest.mark.parametrize("name", ENCODERS)
def test_what_is_cut_short_is_not_taken_for_whole(name: str) -> None:
    with pytest.raises(UndecodableError):
        decode_content(ENCODERS[name](TEXT)[:-3], name)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(UndecodableError, match="`aws-chunked` is not known"):
        decode_content(TEXT, "aws-chunked")


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_stays_closed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "MAX_DECODED", 4_000_000)
    bomb = ENCODERS[name](bytes(5_000_000))
    assert len(bomb) < 20_000
    with pytest.raises(UndecodableError, match="grows beyond"):
        decode_content(bomb, name)


@pytest.mark.parametrize(("name", "package"), [("br", "brotli"), ("zstd", "zstandard")])
def test_a_missing_package_is_named_with_the_extra(
    name: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def fail(wanted: str, *rest: Any) -> Any:
        if wanted == package:
            raise ImportError
        return real(wanted, *rest)

    data = ENCODERS[name](TEXT)
    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(EnvironmentProblem, match=package) as caught:
        decode_content(data, name)
    assert "agentci-pipelines[import]" in (caught.value.hint or "")


@given(data=st.binary(max_size=200), names=st.lists(st.sampled_from(sorted(ENCODERS)), max_size=3))
def test_no_bytes_break_a_decoder(data: bytes, names: list[str]) -> None:
    for magic in (b"", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"\x78\x9c"):
        try:
            decode_content(magic + data, ", ".join(names))
        except UndecodableError:
            continue
