"""What a commit touches: the pipelines, suites and recordings that a hook has to look at.

A pipeline or suite is touched by a change of its folder, of its recordings, or of any file that its
definition reads, wherever that lies. Where nothing is staged, everything is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from agentci.app.definitions import checked_bundle
from agentci.app.eval_cassettes import flat_name, recording_folders
from agentci.app.eval_request import EvalRequest
from agentci.app.evaluate import plan_for
from agentci.app.project import SUITE_FILE
from agentci.core.errors import AgentciError
from agentci.spec.config import CONFIG_FILE
from agentci.spec.lock import LOCK_FILE

if TYPE_CHECKING:
    from agentci.app.project import Project
    from agentci.core.effects import Files
    from agentci.core.staging import Staging


class _Seen:
    """Files that note which of them were read, alone or as a whole folder."""

    def __init__(self, files: Files) -> None:
        self._inner: Any = files
        self.files: list[Path] = []
        self.folders: list[Path] = []

    def read(self, path: Path) -> bytes:
        self.files.append(path)
        data: bytes = self._inner.read(path)
        return data

    def tree(self, folder: Path) -> Any:
        self.folders.append(folder)
        return self._inner.tree(folder)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@dataclass(frozen=True, slots=True)
class HookScope:
    """A project, and what is staged of it."""

    project: Project
    staged: tuple[Path, ...]
    """Absolute."""

    @classmethod
    def of(cls, project: Project, staging: Staging) -> HookScope:
        """Look at what the next commit changes."""
        top = staging.work_tree.resolve()
        return cls(project, tuple(top / path for path in staging.paths()))

    @property
    def everything(self) -> bool:
        """Whether the commit is about all there is: nothing is staged, or the settings are."""
        root = self.project.root.resolve()
        settings = {root / CONFIG_FILE, root / LOCK_FILE}
        return not self.staged or any(path in settings for path in self.staged)

    def pipelines(self) -> tuple[Path, ...]:
        """Return the folders of the pipelines that are touched and have recordings, sorted."""
        without_suites = replace(
            self, staged=tuple(path for path in self.staged if path.name != SUITE_FILE)
        )
        if self.staged and not without_suites.staged:
            return ()  # none would mean that everything is looked at
        return tuple(
            folder
            for folder in self.project.pipeline_folders()
            if without_suites.touches(folder, self._pipeline_names(folder), self._load_pipeline)
        )

    def suites(self) -> tuple[Path, ...]:
        """Return the folders of the suites that are touched, sorted."""
        root = self.project.root.resolve()
        return tuple(
            folder
            for folder in self.project.suite_folders()
            if self.touches(
                folder,
                (flat_name(folder.resolve().relative_to(root).as_posix()),),
                self._load_suite,
            )
        )

    def recordings(self) -> tuple[str, ...]:
        """Return the folders of recordings that are touched, relative to that of them all."""
        top = self.project.root / self.project.config.cassettes
        inside = [path.relative_to(top).parts for path in self.project.files.list(top)]
        names = recording_folders(inside)
        if self.everything:
            return names
        return tuple(each for each in names if self._has_staged(top / each))

    def staged_recordings(self) -> Iterator[Path]:
        """Yield the files below the recordings that the commit brings, as they are seen here."""
        top = self.project.root / self.project.config.cassettes
        if not self.staged:
            yield from self.project.files.list(top)
            return
        real = top.resolve()
        for path in self.staged:
            if path.is_relative_to(real) and self.project.files.exists(path):
                yield top / path.relative_to(real)

    def _pipeline_names(self, folder: Path) -> tuple[str, ...]:
        """Return the folders below the recordings that may be the pipeline's."""
        top = self.project.root / self.project.config.cassettes
        parts = (path.relative_to(top).parts for path in self.project.files.list(top))
        names = {each[0] for each in parts if len(each) > 1}
        own = folder.resolve().name
        return tuple(sorted(name for name in names if name.partition("@")[0] == own))

    def touches(
        self, folder: Path, names: tuple[str, ...], load: Callable[[Path, Project], None]
    ) -> bool:
        """Say whether the definition in `folder`, or its recordings in `names`, are touched."""
        if self.everything or self._has_staged(folder):
            return True
        top = self.project.root / self.project.config.cassettes
        return any(self._has_staged(top / name) for name in names) or self._reads(folder, load)

    def _has_staged(self, folder: Path) -> bool:
        place = folder.resolve()
        return any(path.is_relative_to(place) for path in self.staged)

    def _reads(self, folder: Path, load: Callable[[Path, Project], None]) -> bool:
        watch = _Seen(self.project.files)
        try:
            load(folder, replace(self.project, files=cast("Files", watch)))
        except AgentciError:
            return True  # whoever looks at it says what is wrong
        files = {path.resolve() for path in watch.files}
        folders = tuple(path.resolve() for path in watch.folders)
        return any(
            path in files or any(path.is_relative_to(folder) for folder in folders)
            for path in self.staged
        )

    @staticmethod
    def _load_pipeline(folder: Path, project: Project) -> None:
        checked_bundle(folder, project.files, root=project.root)

    @staticmethod
    def _load_suite(folder: Path, project: Project) -> None:
        plan_for(folder, project, EvalRequest(start=project.start))
