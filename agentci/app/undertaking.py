"""A run that is about to be carried out, and where its parts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.core.digest import digest_json, short

if TYPE_CHECKING:
    from agentci.app.run_folder import RunFolder
    from agentci.app.run_request import RunRequest
    from agentci.core.json_types import JsonValue
    from agentci.engine.journal_events import RunHistory
    from agentci.engine.listener import RunListener
    from agentci.models.spending import SpendingPort
    from agentci.plan.bundle import Bundle
    from agentci.record.session import Mode
    from agentci.spec.config import ProjectConfig


@dataclass(frozen=True, slots=True)
class Undertaking:
    """What was asked for, read and checked."""

    request: RunRequest
    mode: Mode
    bundle: Bundle
    inputs: Mapping[str, JsonValue]
    """Complete."""
    config: ProjectConfig
    folder: RunFolder
    history: RunHistory
    """What earlier parts of the run have done; empty for a new run."""
    listener: RunListener
    spending: SpendingPort | None = None
    """Lets live calls through."""
    base: str | None = None
    """Commit of the project's repository to start from; None for its HEAD."""

    @property
    def seed(self) -> int:
        """The run seed."""
        given = self.request.seed
        return self.bundle.spec.seed if given is None else given

    @property
    def pipeline_name(self) -> str:
        """The pipeline's path in the project; its name in `agentci.lock`."""
        folder = self.request.pipeline.resolve()
        project = self.request.project.resolve()
        if folder.is_relative_to(project):
            return folder.relative_to(project).as_posix()
        return folder.as_posix()

    @property
    def cassettes(self) -> Path:
        """Folder of the recordings.

        A run with other inputs or another seed than the definition's own has a folder of its own,
        so that recording one task never drops the answers to another.
        """
        name = self.request.cassette
        if name is None:
            name = self.bundle.spec.name + self._variant()
        return self.request.project / self.config.cassettes / name

    def _variant(self) -> str:
        defaults = {name: each.default for name, each in self.bundle.spec.inputs.items()}
        if self.seed == self.bundle.spec.seed and dict(self.inputs) == defaults:
            return ""
        return "@" + short(digest_json({"inputs": dict(self.inputs), "seed": self.seed}))
