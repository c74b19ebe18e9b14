"""Where the recordings of a suite are: a folder for each trial of each case.

So trials and cases never share a lane, and shards never touch the same file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.core.digest import Digest, digest_json
from agentci.core.lane import Lane
from agentci.record.cassette import content_digest
from agentci.record.lane_path import SUFFIX, lane_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentci.core.effects import Files

JUDGES: Final = Lane("judge")
"""The lane above the lanes of a suite's judges."""


def flat_name(suite: str) -> str:
    """Return the name of a suite's folder below `cassettes/`, and of its cache.

    The dot keeps it apart from the folders of pipelines, whose names have none.
    """
    return ".".join(_segment(part) for part in suite.split("/")) if "/" in suite else f".{suite}"


def case_folder(case: str) -> str:
    """Return the name of a case's folder, different for different ids on every file system."""
    return _segment(case.replace("%", "%25").replace("/", "%2f"))


def trial_folder(top: Path, case: str, trial: int) -> Path:
    """Return the folder of a trial's recordings below `top`, the suite's folder."""
    return top / case_folder(case) / str(trial)


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
        return digest_json([self.target, self.judges])


_NOTHING: Final = TrialRecordings()


@dataclass(slots=True)
class RecordingIndex:
    """The recordings of a suite, listed once and digested by trial."""

    files: Files
    top: Path
    _trials: dict[tuple[str, str], list[Path]] = field(default_factory=dict)

    @classmethod
    def read(cls, files: Files, top: Path) -> RecordingIndex:
        """List the recordings in the suite's folder `top`."""
        index = cls(files, top)
        start = len(top.parts)
        for path in files.list(top):
            parts = path.parts[start:]
            if len(parts) > 2:
                index._trials.setdefault((parts[0], parts[1]), []).append(path)
        return index

    def trials(self, case: str) -> int:
        """Return the highest number of a trial of `case` that has recordings, or 0."""
        name = case_folder(case)
        numbers = [int(trial) for each, trial in self._trials if each == name and trial.isdigit()]
        return max(numbers, default=0)

    def of(self, case: str, trial: int) -> TrialRecordings:
        """Return what is recorded for a trial."""
        found = self._trials.get((case_folder(case), str(trial)))
        if not found:
            return _NOTHING
        return _digest(self.files, trial_folder(self.top, case, trial), found)


def recordings_of(files: Files, folder: Path) -> TrialRecordings:
    """Return what is recorded in a trial's folder now."""
    found = files.list(folder)
    return _digest(files, folder, list(found)) if found else _NOTHING


def _digest(files: Files, folder: Path, paths: list[Path]) -> TrialRecordings:
    start = len(folder.parts)
    target: dict[str, Digest | None] = {}
    judges: dict[str, Digest | None] = {}
    for path in paths:
        parts = path.parts[start:]
        # an object is named by its digest, and read by those that name it
        digest = content_digest(files.read(path)) if path.suffix == SUFFIX else None
        group = judges if parts[0] == JUDGES and len(parts) > 1 else target
        group["/".join(parts)] = digest
    return TrialRecordings(_of_group(target), _of_group(judges))


def _of_group(group: Mapping[str, Digest | None]) -> Digest | None:
    return digest_json(dict(group)) if group else None
