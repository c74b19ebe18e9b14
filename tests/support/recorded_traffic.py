"""Answers of real endpoints, recorded by other projects, where a copy lies beside the repository.

Reads the cassette shapes of vcrpy, pydantic-ai (`parsed_body`), go-vcr and Ruby's VCR. Nothing of
the copy is part of the repository, so tests that use it skip where it is absent.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from agentci.core.wire import WireResponse
from agentci.models.dialect import Dialect
from agentci.models.providers import anthropic_messages, gemini, openai_chat, openai_responses

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"


@dataclass(frozen=True, slots=True)
class Recording:
    """One answer, and the dialect that its URL speaks."""

    file: str
    number: int
    dialect: Dialect
    request: Any
    response: WireResponse

    @property
    def name(self) -> str:
        """Short enough for a test's id."""
        return f"{self.file.split('/')[-1][-70:]}:{self.number}"


class _Loader(yaml.CSafeLoader):
    """Also reads Ruby's tag for binary texts."""


def _binary(loader: _Loader, node: yaml.Node) -> bytes:
    assert isinstance(node, yaml.ScalarNode)
    return base64.b64decode(loader.construct_scalar(node))


_Loader.add_constructor("!binary", _binary)


def recordings() -> Iterator[Recording]:
    """Yield every recorded answer of the four dialects."""
    for path in sorted(FOLDER.glob("*/*.y*ml")):
        document = yaml.load(path.read_bytes(), Loader=_Loader)
        items = document.get("interactions", document.get("http_interactions", []))
        if not isinstance(items, list):
            continue
        for number, item in enumerate(items):
            if "request" not in item:
                continue
            request, response = item["request"], item["response"]
            dialect = _dialect(request.get("uri") or request["url"])
            if dialect is None or str(request["method"]).upper() != "POST":
                continue
            yield Recording(
                f"{path.parent.name}/{path.name}", number, dialect, _body(request), _wire(response)
            )


def _dialect(url: str) -> Dialect | None:
    path = urlsplit(url).path
    if path.endswith("/chat/completions"):
        return openai_chat.COMPATIBLE
    if path.endswith("/responses"):
        return openai_responses.DIALECT
    if path.endswith("/messages") or "/publishers/anthropic/" in path:
        return anthropic_messages.DIALECT
    if path.endswith((":generateContent", ":streamGenerateContent")):
        return gemini.DIALECT
    return None


def _wire(response: Any) -> WireResponse:
    status = response.get("status") or response.get("code") or 200
    headers = {
        str(name).lower(): str(value[0] if isinstance(value, list) and value else value)
        for name, value in (response.get("headers") or {}).items()
    }
    data = _body(response)
    encoding = headers.get("content-encoding", "")
    if encoding == "gzip" and data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    elif encoding == "deflate":
        data = zlib.decompress(data)
    kept = {name: value for name, value in headers.items() if name == "content-type"}
    code = status["code"] if isinstance(status, dict) else int(str(status).split()[0])
    return WireResponse(code, kept, (data,))


def _body(side: Any) -> bytes:
    if "parsed_body" in side:
        return json.dumps(side["parsed_body"]).encode()
    body = side.get("body")
    if isinstance(body, dict):
        body = body.get("string", body.get("base64_string", ""))
    if isinstance(body, bytes):
        return body
    return (body or "").encode()
