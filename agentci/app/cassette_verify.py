"""Proves that recordings are what was recorded: keys, objects, places, and no secrets.

An answer is covered by no key: that it was edited is seen by the run digest in `agentci.lock`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.cassette import CassetteRequest, OpenedCassette, open_cassettes
from agentci.core.digest import Digest, parse_digest
from agentci.core.errors import AgentciError, FormatError, Location, Problem
from agentci.record.cassette import Cassette
from agentci.record.keys import interaction_key
from agentci.record.stored_document import Place

if TYPE_CHECKING:
    from agentci.record.secrets.allow import AllowList

_REFERENCE: Final = re.compile(rb"sha256:[0-9a-f]{64}")
_UNSAFE: Final = "ACI-P"
_RESTORE: Final = "restore it from version control, or record again"


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What was looked at, and what is wrong with it."""

    cassettes: int
    interactions: int
    blobs: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    """What is odd and harms nothing: files and blobs that nothing refers to."""

    @property
    def was_tampered_with(self) -> bool:
        """Whether a problem is more than a file that cannot be read: changed bytes or a secret."""
        return any(problem.code.startswith(_UNSAFE) for problem in self.problems)


def verify(request: CassetteRequest) -> VerifyResult:
    """Check that every key is the digest of its request, and every blob has its bytes.

    Also looks for secrets. Problems are collected, not raised.

    Raises:
        NothingMatched: when there are no recordings.
    """
    files = wiring.files()
    problems: list[Problem] = []
    notes: list[str] = []
    interactions = blobs = 0
    opened_all = open_cassettes(request, files)
    from agentci.record.secrets.allow import load_allow_list  # noqa: PLC0415 - only here

    allowed = load_allow_list(files, opened_all[0].folder.folder.parent)
    for opened in opened_all:
        referenced: set[Digest] = set()
        for path in opened.folder.files():
            looked = _Look(opened, path, referenced, notes)
            for found in looked.problems(allowed):
                interactions += found is None
                problems += () if found is None else (found,)
        stored = set(opened.folder.objects.digests())
        blobs += len(stored)
        problems += _changed_blobs(opened)
        notes += (
            f"`{opened.name}`: nothing refers to the object `{digest}`"
            for digest in sorted(stored - referenced)
        )
        notes += (f"`{path.as_posix()}`: nothing reads it" for path in opened.folder.strangers())
    return VerifyResult(
        cassettes=len(opened_all),
        interactions=interactions,
        blobs=blobs,
        problems=tuple(problems),
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True)
class _Look:
    """A look into one file."""

    opened: OpenedCassette
    path: Path
    referenced: set[Digest]
    """Takes what the file refers to."""
    notes: list[str]

    def problems(self, allowed: AllowList) -> Iterator[Problem | None]:
        """Yield None for each sound recording, and a problem for each other one."""
        folder = self.opened.folder
        try:
            cassette = folder.load(folder.lane_of(self.path))
        except FormatError as error:
            yield self._problem(error)
            return
        found = _REFERENCE.findall(cassette.data)
        self.referenced.update(parse_digest(digest.decode()) for digest in found)
        self.notes.extend(cassette.notes)
        self.notes.extend(
            f"`{self.path.as_posix()}`: `{key}` is recorded more than once; the last one counts"
            for key, _ in cassette.replaced
        )
        from agentci.app.cassette_scan import secret_problems  # noqa: PLC0415 - slow to import

        file = self.path.as_posix()
        yield from secret_problems(cassette, file=file, name=self.opened.name, allowed=allowed)
        for place in cassette.documents:
            yield self._problem_at(cassette, place)

    def _problem_at(self, cassette: Cassette, place: Place) -> Problem | None:
        try:
            interaction = cassette.get(place)
            assert interaction is not None
            key = interaction_key(dict(interaction.request))
            _ = len(interaction.notes), len(interaction.provenance)  # they are read when asked for
        except AgentciError as error:
            return self._problem(error, self._line(cassette, place))
        if key == place[0]:
            return None
        message = f"the request of `{place[0]}` has another digest: it was changed by hand"
        where = Location(self.path.as_posix(), self._line(cassette, place), lane=cassette.lane)
        return Problem("ACI-P123", message, where, _RESTORE)

    @staticmethod
    def _line(cassette: Cassette, place: Place) -> int:
        document = cassette.documents[place]
        return document.source.count(b"\n", 0, document.start) + 1

    def _problem(self, error: AgentciError, line: int | None = None) -> Problem:
        known = error.location or Location()
        where = Location(self.path.as_posix(), known.line or line, lane=known.lane)
        return Problem(error.code, error.message, where, error.hint)


def _changed_blobs(opened: OpenedCassette) -> Iterator[Problem]:
    for digest in opened.folder.objects.verify():
        message = f"the object `{digest}` of `{opened.name}` is not what was stored"
        where = Location(opened.folder.objects.path(digest).as_posix())
        yield Problem("ACI-P121", message, where, _RESTORE)
