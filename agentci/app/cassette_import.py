"""Takes over recordings of other tools, file by file; one bad file stops no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from agentci.app import wiring
from agentci.app.project import open_project
from agentci.core.digest import digest_json
from agentci.core.errors import (
    AgentciError,
    FormatError,
    NothingMatched,
    SafetyRefusal,
    UsageError,
)
from agentci.core.lane import Lane
from agentci.record.importers.registry import SUFFIXES, ForeignFile, read_foreign
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import interaction_key
from agentci.record.redact import OnSecret, SecretGuard
from agentci.record.session import Mode, RecordingSession

if TYPE_CHECKING:
    from agentci.core.effects import Files

Outcome: TypeAlias = Literal["imported", "unchanged", "refused", "unreadable", "skipped"]
"""`refused`: for safety, or so that nothing is overwritten. `skipped`: no recording at all, found
while looking through a folder."""

_NO_RECORDING: Final = "ACI-F160"
_NOT_CLEAN: Final = "ACI-P120"
_REDACT_HINT: Final = (
    "`--redact` puts a placeholder in its place; what is no secret is allowed by an entry in "
    "`secrets.allow.yaml`"
)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to take over, and where to."""

    start: Path
    paths: tuple[Path, ...]
    """Files, or folders to look through."""
    cassette: str = "imported"
    """Folder below `cassettes/`."""
    lane: str | None = None
    """One lane for everything; None for a lane for each file, named like it."""
    replace: bool = False
    """Whether recordings that the lanes have already make way."""
    redact: bool = False
    """Whether secrets are replaced by placeholders; else their file is refused."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What became of one file."""

    file: str
    outcome: Outcome
    format: str = ""
    lane: str = ""
    interactions: int = 0
    model_calls: int = 0
    """How many of them are calls of a model in a known dialect."""
    bytes: int = 0
    """Of the response bodies, content encodings undone."""
    code: str = ""
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of all files."""

    cassette: str
    folder: str
    dry_run: bool
    files: tuple[ImportedFile, ...]
    """In the order of the paths; within a folder sorted."""
    interactions: int
    """In files that are imported or unchanged."""
    bytes: int


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    lane: Lane
    is_named: bool
    """Whether the user has typed this very path."""


@dataclass(slots=True)
class _Import:
    """One import: a session, and which file has which lane."""

    request: ImportRequest
    files: Files
    session: RecordingSession
    guard: SecretGuard
    taken: dict[Lane, str] = field(default_factory=dict)

    def take(self, source: _Source) -> ImportedFile:
        """Take one file over, or say why not."""
        name = source.path.as_posix()
        foreign: ForeignFile | None = None
        try:
            foreign = read_foreign(self.files.read(source.path), name)
            self._claim(source.lane, name)
            prepared = self._prepare(foreign, source.lane, name)
            added = self.request.dry_run or self._append(prepared, name)
        except AgentciError as error:
            return _failed(error, source, foreign)
        return ImportedFile(
            file=name,
            outcome="imported" if added or not foreign.recordings else "unchanged",
            format=foreign.format,
            lane=source.lane,
            interactions=len(foreign.recordings),
            model_calls=sum(recording.kind == "model" for recording in foreign.recordings),
            bytes=sum(recording.size for recording in foreign.recordings),
        )

    def _claim(self, lane: Lane, name: str) -> None:
        other = self.taken.setdefault(lane, name)
        if other != name and self.request.lane is None:
            raise UsageError(
                f"`{name}` and `{other}` have the same lane `{lane}`",
                code="ACI-U322",
                hint="import them one by one, each with `--lane NAME`",
            )

    def _prepare(self, foreign: ForeignFile, lane: Lane, name: str) -> list[Interaction]:
        """Return the recordings as they may be written; the whole file passes, or none of it."""
        if self.request.dry_run and self.request.redact:
            return []
        prepared: list[Interaction] = []
        for recording in foreign.recordings:
            request = self.guard.as_recorded(recording.request, lane)
            address = Address(lane, interaction_key(request), 1)
            interaction = Interaction(
                address=address,
                kind=recording.kind,
                request=request,
                response=recording.response,
                notes=recording.notes,
                provenance={
                    "imported": foreign.format,
                    "file": Path(name).name,
                    "url": recording.url,
                },
            )
            prepared.append(self.guard.checked(interaction, request))
        return prepared

    def _append(self, prepared: list[Interaction], name: str) -> int:
        """Append what is not there yet, and return how much that was."""
        missing: list[Interaction] = []
        for interaction in prepared:
            lane = interaction.address.lane
            address = self.session.reserve(lane, interaction.address.key)
            known = self.session.lookup(address)
            if known is None:
                missing.append(replace(interaction, address=address))
            elif digest_json(known.response) != digest_json(interaction.response):
                raise SafetyRefusal(
                    f"the lane `{lane}` has other answers than `{name}`",
                    code="ACI-P330",
                    hint="`--replace` puts the file's in their place, `--to NAME` elsewhere",
                )
        for interaction in missing:
            self.session.append(interaction)
        return len(missing)


def import_recordings(request: ImportRequest) -> ImportResult:
    """Take recordings over; what cannot be read is in the result, with its reason.

    Raises:
        UsageError: when a path is not there, or the name of the cassette is none.
        NothingMatched: when there is no file to read.
        StorageError: when nothing can be written.
    """
    if not _NAME.fullmatch(request.cassette):
        message = f"`{request.cassette}` is no name for a folder of recordings"
        raise UsageError(message, code="ACI-U321", hint="use letters, digits, `.`, `_` and `-`")
    files = wiring.files()
    project = open_project(request.start, files)
    folder = project.root / project.config.cassettes / request.cassette
    sources = tuple(_sources(request, files))
    if not sources:
        shown = ", ".join(f"`{path.as_posix()}`" for path in request.paths)
        message = f"there is no file of recordings in {shown}"
        hint = f"names end in {', '.join(f'`{suffix}`' for suffix in SUFFIXES)}"
        raise NothingMatched(message, code="ACI-N320", hint=hint)
    on_secret = OnSecret.of(redact=request.redact)
    session = RecordingSession(
        files,
        folder,
        mode=Mode.RECORD if request.replace else Mode.AUTO,
        record_all=request.replace,
        note="imported by `agentci cassette import`",
        on_secret=on_secret,
    )
    work = _Import(request, files, session, SecretGuard(files, folder, on_secret=on_secret))
    taken = tuple(work.take(source) for source in sources)
    if not request.dry_run:
        session.seal()
    session.close()
    done = [file for file in taken if file.outcome in {"imported", "unchanged"}]
    return ImportResult(
        cassette=request.cassette,
        folder=folder.as_posix(),
        dry_run=request.dry_run,
        files=taken,
        interactions=sum(file.interactions for file in done),
        bytes=sum(file.bytes for file in done),
    )


def _sources(request: ImportRequest, files: Files) -> Iterator[_Source]:
    seen: set[Path] = set()
    for path in request.paths:
        if not files.exists(path):
            message = f"there is no file or folder `{path.as_posix()}`"
            raise UsageError(message, code="ACI-U320")
        found = files.list(path) if path.is_dir() else (path,)
        for file in found:
            is_named = file == path
            if file in seen or not (is_named or file.name.endswith(SUFFIXES)):
                continue
            seen.add(file)
            below = Path(file.name) if is_named else file.relative_to(path)
            yield _Source(file, Lane(request.lane or _lane(below)), is_named)


def _lane(path: Path) -> str:
    """Return the name of a file below the folder that was asked for, without its suffix."""
    name = path.name
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix) and name != suffix:
            name = name.removesuffix(suffix)
            break
    return path.with_name(name).as_posix()


def _failed(error: AgentciError, source: _Source, foreign: ForeignFile | None) -> ImportedFile:
    outcome: Outcome = "unreadable" if foreign is None else "refused"
    if error.code == _NO_RECORDING and not source.is_named:
        outcome = "skipped"
    elif foreign is None and not isinstance(error, FormatError):
        outcome = "refused"
    return ImportedFile(
        file=source.path.as_posix(),
        outcome=outcome,
        format=foreign.format if foreign is not None else "",
        lane=source.lane,
        code=error.code,
        reason=error.message,
        hint=_REDACT_HINT if error.code == _NOT_CLEAN else error.hint or "",
    )
