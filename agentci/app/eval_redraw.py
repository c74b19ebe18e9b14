"""New recordings of a trial take the place of old ones: all of them or none, also if killed.

A trial is drawn again in a folder of its own, outside of the project. When it is complete, all its
files are kept together in one file below `.agentci/`, written atomically; only then are the old
ones replaced, file by file, and the kept one goes last. A process that is killed before has
touched nothing; for one that is killed after, the next evaluation that records completes it.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentci.app.eval_cassettes import is_of_trial
from agentci.app.state_folder import STATE_FOLDER, state_folder
from agentci.core.digest import digest_bytes, hex_of
from agentci.core.errors import FormatError, Location

if TYPE_CHECKING:
    from agentci.app.project import Project
    from agentci.core.effects import Files

_FOLDER: Final = "redrawn"
_FORMAT: Final = "agentci/redrawn"


@dataclass(frozen=True, slots=True)
class RedrawnTrials:
    """Puts new recordings in the place of old ones, for one project."""

    files: Files
    root: Path
    """The project's folder."""
    cassettes: Path
    """The folder of all its recordings."""

    @classmethod
    def of(cls, project: Project) -> RedrawnTrials:
        """Return those of a project."""
        return cls(project.files, project.root, project.root / project.config.cassettes)

    def replace(self, folder: Path, new: Path) -> None:
        """Replace the recordings in a trial's `folder` by those in `new`.

        Raises:
            StorageError: when they cannot be written; nothing of the old or all of the new is kept.
        """
        place = folder.relative_to(self.cassettes).as_posix()
        found = {
            path.relative_to(new).as_posix(): b64encode(self.files.read(path)).decode()
            for path in self.files.list(new)
        }
        kept = state_folder(self.root, self.files) / _FOLDER
        file = kept / f"{hex_of(digest_bytes(place.encode()))}.json"
        content = {"format": _FORMAT, "version": 1, "trial": place, "files": found}
        self.files.write_atomic(file, json.dumps(content, indent=1).encode() + b"\n")
        self._finish(file)

    def finish(self) -> None:
        """Go on with what a killed process has left.

        Raises:
            FormatError: when what it left was damaged since.
            StorageError: when the recordings cannot be written.
        """
        for file in self.files.list(self.root / STATE_FOLDER / _FOLDER):
            self._finish(file)

    def _finish(self, file: Path) -> None:
        try:
            content = json.loads(self.files.read(file))
            new = {name: b64decode(data) for name, data in content["files"].items()}
            known = content["format"] == _FORMAT and content["version"] == 1
            place = self._place(content, new)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(file) from error
        if not known or place is None:
            raise _damaged(file)
        for name, data in sorted(new.items()):
            self.files.write_atomic(place / name, data)
        for path in self.files.list(place):
            if path.relative_to(place).as_posix() not in new:
                self.files.remove(path)
        self.files.remove(file)

    def _place(self, content: Mapping[str, Any], new: Mapping[str, bytes]) -> Path | None:
        """Return the trial's folder, or None where anything would be written outside of it."""
        place = self.cassettes / content["trial"]
        top = place.resolve()
        inside = top.is_relative_to(self.cassettes.resolve())
        if not inside or not is_of_trial((*Path(content["trial"]).parts, "")):
            return None
        return place if all((place / each).resolve().is_relative_to(top) for each in new) else None


def _damaged(file: Path) -> FormatError:
    return FormatError(
        f"`{file.as_posix()}` holds no recordings that were drawn again",
        code="ACI-F472",
        hint="remove it; the recordings are as they were",
        location=Location(file.as_posix()),
    )
