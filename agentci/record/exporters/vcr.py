"""Recordings as a cassette of vcrpy, format 1, in YAML that plain vcrpy loads.

Bodies are written without content encoding, streams as one text; request headers were never kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from agentci.core.json_types import JsonObject
from agentci.record.http.form import load_answer, reason_of, request_body
from agentci.record.http.multipart import BOUNDARY
from agentci.record.importers.call_ids import restore_ids
from agentci.record.importers.dialects import base_path
from agentci.record.interaction import Interaction

_ORIGIN = re.compile(r"https?://[^/\s]+")
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True, slots=True)
class VcrExport:
    """A cassette for vcrpy."""

    data: bytes
    """The file; empty where nothing was left to write."""
    interactions: int
    left_out: tuple[str, ...]
    """What is no HTTP exchange, one line each."""


@dataclass(frozen=True, slots=True)
class _Sent:
    method: str
    url: str
    body: bytes
    content_type: str


def export_vcr(interactions: Iterable[Interaction]) -> VcrExport:
    """Return recordings of a lane as vcrpy keeps them, in their order.

    Raises:
        FormatError: when a recording is damaged.
    """
    written: list[dict[str, Any]] = []
    left_out: list[str] = []
    for number, interaction in enumerate(interactions, start=1):
        sent = _sent(interaction)
        if isinstance(sent, str):
            left_out.append(f"interaction {number}: {sent}")
        else:
            written.append({"request": _request(sent), "response": _response(interaction)})
    if not written:
        return VcrExport(b"", 0, tuple(left_out))
    text = yaml.dump({"version": 1, "interactions": written}, Dumper=_DUMPER)
    return VcrExport(text.encode(), len(written), tuple(left_out))


def _sent(interaction: Interaction) -> _Sent | str:
    """Return the request, or why there is none."""
    request = interaction.request
    method = str(request.get("method", "POST"))
    if interaction.kind == "http":
        kind = f"multipart/form-data; boundary={BOUNDARY}" if "parts" in request else ""
        kind = "application/json" if "body" in request else kind
        return _Sent(method, str(request.get("url")), request_body(request), kind)
    if interaction.kind != "model":
        return f"a recording of the kind `{interaction.kind}` is no HTTP exchange"
    url = _model_url(request, interaction.provenance)
    if url is None:
        return "its answer did not come over HTTP"
    ids = interaction.notes.get("call_ids")
    body = restore_ids(request.get("body"), ids if isinstance(ids, Mapping) else {})
    data = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return _Sent(method, url, data, "application/json")


def _model_url(request: JsonObject, provenance: JsonObject) -> str | None:
    """Return where a model was called: as imported, or put together as its SDK would."""
    url, origin = provenance.get("url"), provenance.get("from")
    if isinstance(url, str):
        return url
    if not isinstance(origin, str) or not _ORIGIN.fullmatch(origin):
        return None
    return f"{origin}{base_path(str(request.get('dialect')))}{request.get('path')}"


def _request(sent: _Sent) -> dict[str, Any]:
    return {
        "method": sent.method,
        "uri": sent.url,
        "body": _readable(sent.body) if sent.body else None,
        "headers": {"Content-Type": [sent.content_type]} if sent.content_type else {},
    }


def _response(interaction: Interaction) -> dict[str, Any]:
    answer = load_answer(interaction.response)
    return {
        "status": {"code": answer.status, "message": reason_of(interaction.response)},
        "headers": {name: [value] for name, value in sorted(answer.headers.items())},
        "body": {"string": _readable(answer.body)},
    }


def _readable(data: bytes) -> str | bytes:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data
