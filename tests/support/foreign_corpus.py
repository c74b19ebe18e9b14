"""Recordings of other projects, read a second time by other means, to compare an import with.

The files lie beside the repository where a copy is; nothing of them is part of it. This reading
shares no code with the importers.
"""

from __future__ import annotations

import base64
import gzip
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
NEEDS_CORPUS = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the recordings of other projects are not beside this repository"
)


class _Loader(yaml.CSafeLoader):
    """Also reads Ruby's tag for binary texts."""


def _binary(loader: Any, node: Any) -> bytes:
    return base64.b64decode(loader.construct_scalar(node))


_Loader.add_constructor("!binary", _binary)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a recording has to answer."""

    status: int
    body: bytes
    """Content encodings undone."""
    content_type: str
    boundaries: tuple[bytes, ...] | None
    """The pieces of a stream; None for what is no stream."""


def files() -> list[Path]:
    """Return all files of the copy, sorted."""
    return sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.name != "index.csv")


def is_http(path: Path) -> bool:
    """Say whether a file holds HTTP exchanges: not frames of a WebSocket, and not nothing."""
    document = _document(path)
    if "interactions" not in document:
        return True
    found = document["interactions"]
    return bool(found) and "request" in found[0]


def expected(path: Path) -> Iterator[Expected]:
    """Yield what the recordings of a file have to answer, in order."""
    document = _document(path)
    if "http_interactions" in document:
        responses = [item["response"] for item in document["http_interactions"]]
    elif "responses" in document:
        responses = document["responses"]
    else:
        responses = [item["response"] for item in document["interactions"]]
    for response in responses:
        status = response["code"] if "code" in response else response["status"]["code"]
        headers = {
            name.lower(): value[0] if isinstance(value, list) else value
            for name, value in (response.get("headers") or {}).items()
            if value
        }
        body = _body(response)
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        yield Expected(status, body, headers.get("content-type", ""), _boundaries(body))


def _document(path: Path) -> Any:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    return yaml.load(data, Loader=_Loader)


def _body(response: Any) -> bytes:
    if "parsed_body" in response:
        return json.dumps(response["parsed_body"]).encode()
    body = response.get("body")
    if isinstance(body, dict):
        body = body.get("string")
    if body is None:
        return b""
    return body if isinstance(body, bytes) else str(body).encode()


def _boundaries(body: bytes) -> tuple[bytes, ...] | None:
    if body.lstrip()[:5] in {b"data:", b"event"}:
        pieces: list[bytes] = []
        event = b""
        for line in body.splitlines(keepends=True):
            event += line
            if not line.strip(b"\r\n"):
                pieces.append(event)
                event = b""
        return tuple([*pieces, event] if event else pieces)
    if body[:1] == b"\x00":
        frames: list[bytes] = []
        while body:
            (length,) = struct.unpack(">I", body[:4])
            frames.append(body[:length])
            body = body[length:]
        return tuple(frames)
    return None
