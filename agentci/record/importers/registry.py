"""The formats of other tools, found by content, and reading a file of any of them.

A new format is one file with `NAME`, `detects` and `read`, and one row here. Nothing here opens
a file: bytes in, exchanges out, and for everything else an error that says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, NoReturn

from agentci.core.errors import FormatError, Location
from agentci.record.http.content import nests_deeper
from agentci.record.http.encodings import UndecodableError, gunzip
from agentci.record.importers.exchange import Exchange, Foreign, MalformedError
from agentci.record.importers.recording import Recording, to_recording

IMPORTERS: Final = tuple(
    f"agentci.record.importers.{name}"
    for name in ("ruby_vcr", "langchain_pairs", "go_vcr", "vcrpy_v1", "single_pair", "nock")
)
"""Modules with `NAME`, `detects(document)` and `read(document)`; the first that detects, reads."""

SUFFIXES: Final = (".yaml", ".yml", ".json", ".yaml.gz", ".yml.gz", ".json.gz")
"""Names of files that may be recordings."""

_MAX_DEPTH = 200
_OURS = "agentci/cassette"


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """What a file of another tool holds."""

    format: str
    recordings: tuple[Recording, ...]


@dataclass(frozen=True, slots=True)
class _Importer:
    name: str
    detects: Callable[[Foreign], bool]
    read: Callable[[Foreign], Iterator[Exchange]]


def read_foreign(data: bytes, name: str, *, keep_headers: tuple[str, ...] = ()) -> ForeignFile:
    """Return the recordings in the file `name`, in their order.

    `keep_headers` are headers of answers, in small letters, that are kept besides the few that
    always are.

    Raises:
        FormatError: when the file cannot be read; ACI-F160 means that it is no recording.
        EnvironmentProblem: when the package for an encoding is not installed.
    """
    document = _document(data, name)
    importer = _find(document)
    if importer is None:
        _no_recording(document, name)
    recordings: list[Recording] = []
    try:
        for exchange in importer.read(document):
            recording = to_recording(exchange, keep_headers=keep_headers)
            recordings.append(recording)  # the number is in the error
    except MalformedError as error:
        message = f"`{name}`: interaction {len(recordings) + 1} cannot be read: {error}"
        hint = f"it was taken for {importer.name}; record it again, or correct it by hand"
        raise _error(message, "ACI-F164", name, hint) from None
    return ForeignFile(importer.name, tuple(recordings))


def _find(document: Foreign) -> _Importer | None:
    for module_name in IMPORTERS:
        module: Any = import_module(module_name)
        if module.detects(document):
            return _Importer(module.NAME, module.detects, module.read)
    return None


def _document(data: bytes, name: str) -> Foreign:
    try:
        text = (gunzip(data) if data.startswith(b"\x1f\x8b") else data).decode("utf-8-sig")
    except UndecodableError as error:
        raise _unreadable(name, f"its gzip is damaged: {error}") from None
    except UnicodeDecodeError as error:
        raise _unreadable(name, f"it is not UTF-8 (byte {error.start})") from None
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return _from_json(text, name)
        except ValueError:
            pass  # YAML in flow style begins alike
    return _from_yaml(text, name)


def _from_json(text: str, name: str) -> Foreign:
    try:
        value = json.loads(text)
    except RecursionError:
        raise _too_deep(name) from None
    if nests_deeper(value, _MAX_DEPTH):
        raise _too_deep(name)
    return value


def _from_yaml(text: str, name: str) -> Foreign:
    # PyYAML takes a while to import, and JSON does not need it.
    from agentci.record.importers import foreign_yaml  # noqa: PLC0415

    if f"format: {_OURS}" in text[:1000]:
        message = f"`{name}` is a cassette of agentci already"
        raise _error(message, "ACI-F160", name, "copy its folder into `cassettes/`")
    try:
        return foreign_yaml.parse_foreign(text)
    except foreign_yaml.ObjectTagError as error:
        hint = "such a tag runs code when it is loaded; put the plain text in its place"
        raise _error(f"`{name}` is not read: {error}", "ACI-F162", name, hint) from None
    except foreign_yaml.ForeignYamlError as error:
        raise _unreadable(name, str(error)) from None


def _no_recording(document: Foreign, name: str) -> NoReturn:
    hint = "vcrpy, go-vcr, Ruby VCR, LangChain, Datadog and nock files are read"
    found = document.get("interactions") if isinstance(document, dict) else document
    first = found[0] if isinstance(found, list) and found else None
    if found == {} and found is not document:
        message, code = "is empty: its `interactions` are a mapping without entries", "ACI-F163"
        hint = "remove it: there is nothing in it to replay"
    elif isinstance(first, dict) and ("direction" in first or "frames" in first):
        message, code = "holds frames of a WebSocket, which are not imported", "ACI-F163"
        hint = "only HTTP exchanges are; record it again with agentci"
    elif isinstance(first, dict) and found is document and "request" in first:
        message, code = "was written by vcrpy before version 1", "ACI-F163"
        hint = "migrate it with vcrpy first: `python -m vcr.migration PATH`"
    elif isinstance(first, dict) and found is not document:
        message, code = "has interactions that are no HTTP exchanges", "ACI-F163"
    else:
        message, code = "is no recording: it has the shape of no format that is read", "ACI-F160"
    raise _error(f"`{name}` {message}", code, name, hint)


def _unreadable(name: str, reason: str) -> FormatError:
    hint = "record it again, or correct it by hand"
    return _error(f"`{name}` cannot be read: {reason}", "ACI-F161", name, hint)


def _too_deep(name: str) -> FormatError:
    return _unreadable(name, f"it nests deeper than {_MAX_DEPTH} levels")


def _error(message: str, code: str, name: str, hint: str) -> FormatError:
    return FormatError(message, code=code, hint=hint, location=Location(file=name))
