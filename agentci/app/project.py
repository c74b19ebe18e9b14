"""The project around a call: where it is, its settings, its pipelines."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.core.errors import NothingMatched, UsageError
from agentci.spec.config import find_project, load_config
from agentci.spec.loader import PIPELINE_FILE
from agentci.spec.suggestion import did_you_mean

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.spec.config import ProjectConfig

SUITE_FILE = "suite.yaml"
SUITES_FOLDER = "suites"
"""In a pipeline's folder: a folder for each of several suites."""


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with pipelines and settings."""

    root: Path
    config: ProjectConfig
    start: Path
    """Where the call was made; paths that a user types are relative to it."""
    files: Files

    @property
    def pipelines(self) -> Path:
        """The folder of the pipelines."""
        return self.root / self.config.pipelines

    def pipeline_folders(self) -> tuple[Path, ...]:
        """Return the folders that hold a pipeline, sorted."""
        found = (
            path.parent
            for path in self.files.list(self.pipelines)
            if path.name == PIPELINE_FILE and len(path.relative_to(self.pipelines).parts) == 2
        )
        return tuple(sorted(found))

    def suite_folders(self) -> tuple[Path, ...]:
        """Return the folders that hold a suite, sorted: of a pipeline, or in its `suites`."""
        found = (
            path.parent
            for path in self.files.list(self.pipelines)
            if path.name == SUITE_FILE and _holds_suite(path.relative_to(self.pipelines).parts)
        )
        return tuple(sorted(found))

    def find_pipeline(self, name: str) -> Path:
        """Return the folder of a pipeline that a user typed: a path, or the folder's name.

        Raises:
            NothingMatched: when there is none.
        """
        for candidate in (self.start / name, self.pipelines / name):
            folder = candidate.parent if candidate.name == PIPELINE_FILE else candidate
            if self.files.exists(folder / PIPELINE_FILE):
                return folder
        names = [folder.name for folder in self.pipeline_folders()]
        hint = did_you_mean(Path(name).name, names) or _listed(names)
        raise NothingMatched(f"there is no pipeline `{name}`", code="ACI-N301", hint=hint)

    def find_pipelines(self, names: tuple[str, ...]) -> tuple[Path, ...]:
        """Return the folders of `names`, or of all pipelines where none is given.

        Raises:
            NothingMatched: when there is no such pipeline, or none at all.
        """
        folders = tuple(self.find_pipeline(name) for name in names) or self.pipeline_folders()
        if not folders:
            message = f"there is no pipeline below `{self.pipelines.as_posix()}`"
            raise NothingMatched(message, code="ACI-N302", hint="`agentci init` writes a first one")
        return folders


def open_project(start: Path, files: Files) -> Project:
    """Find the project around `start` and read its settings.

    Raises:
        UsageError: when there is no such folder, or the settings are invalid.
    """
    if not files.exists(start):
        raise UsageError(f"there is no folder `{start.as_posix()}`", code="ACI-U303")
    here = start.resolve()
    # Places in messages are shown as the user would type them: relative to where the call was made.
    root = start / os.path.relpath(find_project(here, files), here)
    return Project(root=root, config=load_config(root, files), start=start, files=files)


def _holds_suite(parts: tuple[str, ...]) -> bool:
    return len(parts) == 2 or (len(parts) == 4 and parts[1] == SUITES_FOLDER)


def _listed(names: list[str]) -> str:
    if not names:
        return "`agentci init` writes a first one"
    return f"there are {', '.join(f'`{name}`' for name in names)}"
