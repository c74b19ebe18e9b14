"""Replaces the secrets in recordings by placeholders, and keys the recordings anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.cassette_scan import cassette_folders, find_in_cassette
from agentci.app.eval_cassettes import folder_name
from agentci.app.project import open_project
from agentci.core.digest import Digest, parse_digest
from agentci.core.errors import NothingMatched, UsageError
from agentci.core.lane import Lane
from agentci.record.document import Candidate, choose_parent, encode
from agentci.record.folder import CassetteFolder
from agentci.record.interaction import Address, Interaction
from agentci.record.keys import interaction_key
from agentci.record.object_store import ObjectStore
from agentci.record.secrets.marker import write_marker
from agentci.record.secrets.redactor import Redactor
from agentci.spec.suggestion import did_you_mean

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.core.json_types import JsonObject
    from agentci.record.cassette import Cassette
    from agentci.record.stored_document import Place

_REFERENCE: Final = re.compile(rb"sha256:[0-9a-f]{64}")
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,120}")
_WINDOW: Final = 8


@dataclass(frozen=True, slots=True)
class RedactRequest:
    """What to redact."""

    start: Path
    cassettes: tuple[str, ...] = ()
    """Folders below `cassettes/`; empty for all."""
    dry_run: bool = False
    always: bool = False
    """Redact, and do not refuse, what is recorded into these folders from now on. They need not be
    there yet."""


@dataclass(frozen=True, slots=True)
class RedactedFolder:
    """What became of a folder of recordings."""

    cassette: str
    secrets: int
    """Different ones."""
    changed: int
    """Recordings in which something was replaced."""
    lanes: tuple[Lane, ...]
    """Whose files changed."""
    unmatched: tuple[str, ...]
    """Keys of recordings that a replay will not find: their requests hold a secret that can be told
    only from another recording."""
    removed: int
    """Objects that nothing refers to any more."""
    remaining: int
    """Findings that could not be replaced: in the name of a lane."""


@dataclass(frozen=True, slots=True)
class RedactResult:
    """All folders that were looked into, sorted."""

    folders: tuple[RedactedFolder, ...]
    dry_run: bool


@dataclass(slots=True)
class _Rewrite:
    """The new text of one lane, document by document."""

    cassette: Cassette
    redactor: Redactor
    alone: Redactor
    """Knows what a replay of this lane alone would know."""
    put: Callable[[bytes], Digest]
    counts: dict[Digest, int] = field(default_factory=dict)
    moved: dict[Place, Place] = field(default_factory=dict)
    """Where documents are now, by where they were; only those whose request is as it was."""
    written: list[Candidate] = field(default_factory=list)
    changed: int = 0
    unmatched: list[str] = field(default_factory=list)

    def text(self) -> bytes:
        """Return the redacted file."""
        header = self.cassette.header
        assert header is not None
        note = self.redactor.redact_text(header.note)
        out = [replace(header, note=note).text() if note != header.note else header.text()]
        out += [self._document(address) for address in self.cassette.addresses()]
        return b"".join(out)

    def _document(self, address: Address) -> bytes:
        place = (address.key, address.occurrence)
        old = self.cassette.get(place)
        assert old is not None
        request = dict(old.request)
        new_request = self.redactor.redact(request)
        key = interaction_key(new_request)
        if interaction_key(self.alone.redact(request)) != key:
            self.unmatched.append(key)
        parts: JsonObject = {
            "response": dict(old.response),
            "notes": dict(old.notes),
            "provenance": dict(old.provenance),
        }
        new_parts = self.redactor.redact(parts)
        self.alone.redact(parts)
        self.counts[key] = self.counts.get(key, 0) + 1
        new = Address(address.lane, key, self.counts[key])
        is_same = new_request is request and new == address
        self.changed += new_request is not request or new_parts is not parts
        parent = self.cassette.parent(place)
        candidate = Candidate(new, new_request)
        if is_same:
            self.moved[place] = place
        if is_same and new_parts is parts and (parent is None or parent in self.moved):
            text = b"---\n" + self.cassette.documents[place].text
        else:
            continued = choose_parent(new_request, reversed(self.written))
            rebuilt = _rebuilt(Interaction(new, old.kind, new_request, {}), new_parts)
            text = encode(rebuilt, self.put, parent=continued)
        self.written = [*self.written[1 - _WINDOW :], candidate]
        return text if text.endswith(b"\n") else text + b"\n"


def redact(request: RedactRequest) -> RedactResult:
    """Replace every secret in recordings; folders without one stay as they are.

    Raises:
        NothingMatched: when there are no such recordings.
        UsageError: when a new folder cannot have that name.
        FormatError: when a recording cannot be read; nothing of its folder is changed.
        StorageError: when a file cannot be written.
    """
    files = wiring.files()
    project = open_project(request.start, files)
    top = project.root / project.config.cassettes
    folders: tuple[Path, ...]
    if request.always and request.cassettes:
        folders = tuple(top / _name(wanted) for wanted in sorted(set(request.cassettes)))
    else:
        folders = _wanted(cassette_folders(files, top), request, top=top)
    done = tuple(_folder(files, place, dry_run=request.dry_run) for place in folders)
    if request.always and not request.dry_run:
        for place in folders:
            write_marker(files, place)
    return RedactResult(done, request.dry_run)


def _name(wanted: str) -> str:
    name = Path(wanted).name
    if not _NAME.fullmatch(name):
        message = f"`{wanted}` is no name for a folder of recordings"
        raise UsageError(
            message, code="ACI-U323", hint="use letters, digits, `.`, `_`, `@` and `-`"
        )
    return name


def _wanted(folders: tuple[Path, ...], request: RedactRequest, *, top: Path) -> tuple[Path, ...]:
    # those of a suite's trials are wanted with the suite
    names = [folder.relative_to(top).parts[0] for folder in folders]
    for wanted in request.cassettes:
        if Path(wanted).name not in names:
            hint = did_you_mean(wanted, names) or "list them with `agentci cassette list`"
            raise NothingMatched(f"there are no recordings `{wanted}`", code="ACI-N312", hint=hint)
    chosen = {Path(wanted).name for wanted in request.cassettes}
    return tuple(
        folder for folder, name in zip(folders, names, strict=True) if not chosen or name in chosen
    )


def _folder(files: Files, place: Path, *, dry_run: bool) -> RedactedFolder:
    objects = ObjectStore(files, place, in_memory=dry_run)
    folder = CassetteFolder(files, place, objects)
    cassettes = [folder.load(lane) for lane in folder.lanes()]
    known: dict[str, str] = {}
    in_lanes = 0
    for cassette in cassettes:
        for found in find_in_cassette(cassette, ""):
            in_lanes += found.finding.path == "lane"
            known.setdefault(found.spotted.secret, found.spotted.kind)
    if not known:
        return RedactedFolder(folder_name(place), 0, 0, (), (), 0, in_lanes)
    new = {cassette.lane: _rewrite(cassette, known, objects) for cassette in cassettes}
    texts = {lane: rewrite.text() for lane, rewrite in new.items()}
    lanes = tuple(each.lane for each in cassettes if texts[each.lane] != each.data)
    removed: set[Digest] = set()
    if not dry_run:
        write_marker(files, place)
        for cassette in cassettes:
            if cassette.lane in lanes:
                files.write_atomic(folder.path(cassette.lane), texts[cassette.lane])
        removed = _references(each.data for each in cassettes) - _references(texts.values())
        for digest in sorted(removed):
            objects.remove(digest)
    return RedactedFolder(
        cassette=folder_name(place),
        secrets=len(known),
        changed=sum(rewrite.changed for rewrite in new.values()),
        lanes=lanes,
        unmatched=tuple(key for rewrite in new.values() for key in rewrite.unmatched),
        removed=len(removed),
        remaining=in_lanes,
    )


def _rewrite(cassette: Cassette, known: Mapping[str, str], objects: ObjectStore) -> _Rewrite:
    return _Rewrite(cassette, Redactor(known=known), Redactor(), objects.put)


def _rebuilt(interaction: Interaction, parts: JsonObject) -> Interaction:
    response, notes, provenance = parts["response"], parts["notes"], parts["provenance"]
    assert isinstance(response, Mapping)
    assert isinstance(notes, Mapping)
    assert isinstance(provenance, Mapping)
    return replace(interaction, response=response, notes=notes, provenance=provenance)


def _references(texts: Iterable[bytes]) -> set[Digest]:
    found = (match.decode() for text in texts for match in _REFERENCE.findall(text))
    return {parse_digest(digest) for digest in found}
