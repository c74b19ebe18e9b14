"""Where the recordings of a suite are: a folder for each trial of each case.

So trials and cases never share a lane, and shards never touch the same file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.core.digest import Digest, digest_bytes
from agentci.core.lane import Lane
from agentci.record.cassette import content_digest
from agentci.record.lane_path import SUFFIX, lane_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentci.core.effects import Files

JUDGES: Final = Lane("judge")
"""The lane above the lanes of a suite's judges."""


def flat_name(suite: str) -> str:
    """Return the name of a suite's folder below `cassettes/`, and of its cache.

    The dot keeps it apart from the folders of pipelines, whose names have none.
    """
    return ".".join(_segment(part) for part in suite.split("/")) if "/" in suite else f".{suite}"


@lru_cache(maxsize=16)
def case_folder(case: str) -> str:
    """Return the name of a case's folder, different for different ids on every file system."""
    return _segment(case.replace("%", "%25").replace("/", "%2f"))


def trial_folder(top: Path, case: str, trial: int) -> Path:
    """Return the folder of a trial's recordings below `top`, the suite's folder."""
    return top / case_folder(case) / str(trial)


def recording_folders(inside: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the folders of recordings, relative to that of them all, sorted.

    `inside` are the parts of the paths of its files. Those of a suite are three levels deep, one
    for each trial; all others are at the top.
    """
    found = {
        "/".join(parts[:3]) if is_of_trial(parts) else parts[0]
        for parts in inside
        if len(parts) > 1
    }
    return tuple(sorted(found))


def folder_name(place: Path) -> str:
    """Return how a folder of recordings is called: by its path below that of them all."""
    trial = place.parts[-3:]
    of_trial = is_of_trial((*trial, "")) and place.parts[-3] not in {".", ".."}
    return "/".join(trial) if of_trial else place.name


def is_of_trial(parts: tuple[str, ...]) -> bool:
    """Say whether a file with these parts below the folder of recordings is of a suite's trial."""
    return len(parts) > 3 and "." in parts[0] and parts[2].isdecimal()


def _segment(text: str) -> str:
    return lane_path(Lane(text)).name.removesuffix(SUFFIX)


@dataclass(frozen=True, slots=True)
class TrialRecordings:
    """What is recorded for one trial."""

    target: Digest | None = None
    """Of the recordings of the target; None where there are none."""
    judges: Digest | None = None

    @property
    def all(self) -> Digest | None:
        """Of all of them together."""
        if self.target is None and self.judges is None:
            return None
        return digest_bytes(f"{self.target} {self.judges}".encode())


_NOTHING: Final = TrialRecordings()


@dataclass(frozen=True, slots=True)
class RecordingIndex:
    """The recordings of a suite, listed once and digested by trial."""

    files: Files
    top: Path
    cases: Mapping[str, Mapping[str, list[Path]]]
    """The files of each trial, by the folders of case and trial."""

    @classmethod
    def read(cls, files: Files, top: Path) -> RecordingIndex:
        """List the recordings in the suite's folder `top`."""
        cases: dict[str, dict[str, list[Path]]] = {}
        start = len(top.parts)
        for path in files.list(top):
            parts = path.parts[start:]
            if len(parts) > 2:
                cases.setdefault(parts[0], {}).setdefault(parts[1], []).append(path)
        return cls(files, top, cases)

    def trials(self, case: str) -> int:
        """Return the highest number of a trial of `case` that has recordings, or 0."""
        numbers = self.cases.get(case_folder(case), ())
        return max((int(number) for number in numbers if number.isdecimal()), default=0)

    def of(self, case: str, trial: int) -> TrialRecordings:
        """Return what is recorded for a trial."""
        folder = case_folder(case)
        found = self.cases.get(folder, {}).get(str(trial))
        if not found:
            return _NOTHING
        return _digest(self.files, self.top / folder / str(trial), found)


def recordings_of(files: Files, folder: Path) -> TrialRecordings:
    """Return what is recorded in a trial's folder now."""
    found = files.list(folder)
    return _digest(files, folder, list(found)) if found else _NOTHING


def _digest(files: Files, folder: Path, paths: list[Path]) -> TrialRecordings:
    start = len(folder.parts)
    target: list[str] = []
    judges: list[str] = []
    for path in paths:
        parts = path.parts[start:]
        # an object is named by its digest, and read by those that name it
        digest = content_digest(files.read(path)) if path.suffix == SUFFIX else ""
        group = judges if parts[0] == JUDGES and len(parts) > 1 else target
        group.append(f"{'/'.join(parts)} {digest}\n")
    return TrialRecordings(_of_group(target), _of_group(judges))


def _of_group(lines: list[str]) -> Digest | None:
    return digest_bytes("".join(sorted(lines)).encode()) if lines else None
