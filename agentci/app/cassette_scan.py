"""Looks for secrets in recordings, and in any other file that somebody is about to take over."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentci.app import wiring
from agentci.app.eval_cassettes import folder_name, recording_folders
from agentci.app.project import open_project
from agentci.core.errors import AgentciError, FormatError, Location, NothingMatched, Problem
from agentci.core.json_types import JsonValue
from agentci.core.lane import Lane
from agentci.record.folder import CassetteFolder
from agentci.record.object_store import ObjectStore
from agentci.record.secrets.allow import AllowList, load_allow_list
from agentci.record.secrets.scan import Spotted, spot, spot_in

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.record.cassette import Cassette

_HINT: Final = (
    "replace it with a new one where it is in use, then `agentci cassette redact`; what is no "
    "secret is allowed by an entry in `secrets.allow.yaml`"
)
_GZIP: Final = b"\x1f\x8b"
_LONGEST_LINE: Final = 200


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What to look into."""

    start: Path
    targets: tuple[str, ...] = ()
    """Folders below `cassettes/`, or paths of other files and folders; empty for all recordings."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What looks like a secret. Never holds it."""

    kind: str
    file: str
    line: int
    lane: str
    """Empty outside our own recordings."""
    key: str
    path: str


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and in memory only the secret that it is about."""

    finding: Finding
    spotted: Spotted


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What was found."""

    findings: tuple[Finding, ...]
    """By file, then in the order of the file."""
    files: int
    bytes: int
    allowed: int
    """Findings that the list of allowed ones is about."""
    unused: tuple[int, ...]
    """Entries of that list, counted from 1, that are about nothing; only where all is looked at."""
    problems: tuple[Problem, ...]
    """Recordings that could not be read."""


@dataclass(slots=True)
class _Scan:
    """One scan, and what it has found so far."""

    files: Files
    allowed: AllowList
    findings: list[Finding]
    problems: list[Problem]
    count: int = 0
    bytes: int = 0
    passed: int = 0

    def folder(self, place: Path) -> None:
        """Look into a folder of recordings."""
        folder = CassetteFolder(self.files, place, ObjectStore(self.files, place))
        for path in folder.files():
            self.count += 1
            self.bytes += len(self.files.read(path))
        for lane in folder.lanes():
            try:
                cassette = folder.load(lane)
                file = folder.path(lane).as_posix()
                for found in find_in_cassette(cassette, file):
                    self._keep(found, cassette=folder_name(place))
            except FormatError as error:
                place_of = error.location or Location()
                self.problems.append(Problem(error.code, error.message, place_of, error.hint))

    def file(self, path: Path) -> None:
        """Look into any file."""
        data = self.files.read(path)
        self.count += 1
        self.bytes += len(data)
        name = path.as_posix()
        for found in find_in_file(data, name):
            self._keep(found, cassette=name)

    def _keep(self, found: Found, *, cassette: str) -> None:
        if self.allowed.allows(found.spotted, cassette=cassette, lane=found.finding.lane):
            self.passed += 1
        else:
            self.findings.append(found.finding)


def scan(request: ScanRequest) -> ScanResult:
    """Look for secrets.

    Raises:
        NothingMatched: when there are no recordings, or a target is not there.
        SpecError: when the list of allowed findings is invalid.
    """
    files = wiring.files()
    project = open_project(request.start, files)
    top = project.root / project.config.cassettes
    work = _Scan(files, load_allow_list(files, top), [], [])
    if request.targets:
        for target in request.targets:
            _target(work, target, start=request.start, top=top)
    else:
        for place in cassette_folders(files, top):
            work.folder(place)
    return ScanResult(
        findings=tuple(work.findings),
        files=work.count,
        bytes=work.bytes,
        allowed=work.passed,
        unused=() if request.targets else work.allowed.unused,
        problems=tuple(work.problems),
    )


def cassette_folders(files: Files, top: Path) -> tuple[Path, ...]:
    """Return the folders of recordings below `top`, sorted.

    Raises:
        NothingMatched: when there are none.
    """
    inside = (path.relative_to(top).parts for path in files.list(top))
    names = recording_folders(inside)
    if not names:
        message = f"there are no recordings below `{top.as_posix()}`"
        hint = "`agentci run pipelines/<name>` records with an endpoint"
        raise NothingMatched(message, code="ACI-N311", hint=hint)
    return tuple(top / name for name in names)


def _target(work: _Scan, target: str, *, start: Path, top: Path) -> None:
    typed = start / target
    if typed.parent.resolve() == top.resolve() and typed.is_dir():
        work.folder(top / typed.name)
    elif work.files.exists(top / target) and "/" not in target:
        work.folder(top / target)
    elif typed.is_dir():
        for path in work.files.list(typed):
            work.file(path)
    elif work.files.exists(typed):
        work.file(typed)
    else:
        message = f"there are no recordings and no file `{target}`"
        hint = "`agentci cassette list` shows the recordings"
        raise NothingMatched(message, code="ACI-N314", hint=hint)


def find_in_cassette(cassette: Cassette, file: str) -> Iterator[Found]:
    """Yield the findings in our own recordings.

    Raises:
        FormatError: when a recording cannot be read.
    """
    lane = cassette.lane
    header = {"lane": lane, "note": cassette.header.note if cassette.header is not None else ""}
    for spotted in spot(header):
        yield Found(Finding(spotted.kind, file, 1, lane, "", spotted.path), spotted)
    for address in cassette.addresses():
        place = (address.key, address.occurrence)
        interaction = cassette.get(place)
        assert interaction is not None
        document = cassette.documents[place]
        stored = cassette.stored_request(place)
        for spotted in spot_in(interaction, stored.delta.request, keeps=stored.delta.keeps):
            line = _line(cassette.data, spotted.secret, start=document.start, end=document.end)
            finding = Finding(spotted.kind, file, line, lane, address.key, spotted.path)
            yield Found(finding, spotted)


def find_in_file(data: bytes, name: str) -> Iterator[Found]:
    """Yield the findings in a file of any kind: structured where it is JSON or YAML, else text."""
    if data.startswith(_GZIP):
        with suppress(OSError, EOFError, zlib.error):
            data = gzip.decompress(data)
    for spotted in spot(_value(data)):
        line = _line(data, spotted.secret, start=0, end=len(data))
        yield Found(Finding(spotted.kind, name, line, "", "", spotted.path), spotted)


def secret_problems(
    cassette: Cassette, *, file: str, name: str, allowed: AllowList
) -> Iterator[Problem]:
    """Yield a problem for each finding in the recordings `name` that is not allowed."""
    try:
        for found in find_in_cassette(cassette, file):
            finding = found.finding
            if not allowed.allows(found.spotted, cassette=name, lane=cassette.lane):
                message = f"this looks like a secret: `{finding.kind}` in `{finding.path}`"
                place = Location(file, finding.line, lane=Lane(finding.lane))
                yield Problem("ACI-P311", message, place, _HINT)
    except AgentciError:
        return  # what cannot be read is another check's problem


def _value(data: bytes) -> JsonValue:
    """Return what a file holds; binary parts become texts of the same characters."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _texts(data)
    try:
        return _texts(json.loads(text))
    except (ValueError, RecursionError):
        pass
    from agentci.record.importers.foreign_yaml import (  # noqa: PLC0415 - only for other files
        ForeignYamlError,
        parse_foreign,
    )

    try:
        value = parse_foreign(text)
    except (ForeignYamlError, RecursionError):
        return text
    return _texts(value) if isinstance(value, dict | list) else text


def _texts(value: Any) -> JsonValue:
    """Return `value` as JSON. Bytes are unpacked, as a text of their own."""
    if isinstance(value, bytes):
        from agentci.record.secrets.wrappings import unwrap  # noqa: PLC0415

        return unwrap(value).text
    if isinstance(value, dict):
        return {str(name): _texts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _line(data: bytes, secret: str, *, start: int, end: int) -> int:
    """Return the line where a secret stands, or its document where it is wrapped or escaped."""
    head = secret.encode("utf-8", "replace").split(b"\n", 1)[0][:_LONGEST_LINE]
    found = data.find(head, start, end) if head else -1
    return data.count(b"\n", 0, found if found >= 0 else start) + 1
