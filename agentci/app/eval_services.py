"""What a scorer may use: its lane and seed, judges' models, the files as the target left them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from agentci.app.eval_cassettes import JUDGES
from agentci.app.eval_repository import NoFiles
from agentci.core.errors import Location, StepFailed, UsageError
from agentci.core.lane import Lane, child_lane
from agentci.core.seed import derive_seed
from agentci.engine.blocks import Blocks
from agentci.steps.commands import environment
from agentci.steps.context import StepContext
from agentci.steps.python_call import PythonCall, call_function

if TYPE_CHECKING:
    from agentci.app.eval_repository import TrialRepository
    from agentci.core.effects import Sandbox, TreeChange, Workspace
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.core.messages import ModelRequest, ModelResponse
    from agentci.plan.bundle import Bundle
    from agentci.spec.pipeline import ModelSpec, StepBase
    from agentci.steps.context import Services
    from agentci.steps.results import StepRecord


@dataclass(frozen=True, slots=True)
class ScoringPlace:
    """What all scorers of a trial have in common."""

    services: Services
    """Of the trial's run."""
    repository: TrialRepository
    bundle: Bundle
    models: Mapping[str, ModelSpec]
    folder: Path
    """The suite's."""
    root: Path
    """The project's."""
    change: TreeChange
    """What the target did to the files."""
    sandbox: str


@dataclass(slots=True)
class TrialServices:
    """Implements `ScorerServices` for one scorer of one trial."""

    place: ScoringPlace
    name: str
    _opened: int = 0
    _workspaces: list[Workspace] = field(default_factory=list)

    @property
    def lane(self) -> Lane:
        """The scorer's own lane."""
        return child_lane(JUDGES, self.name)

    @property
    def seed(self) -> int:
        """Derived for this trial and scorer."""
        return derive_seed(self.place.services.seed, self.lane)

    @property
    def models(self) -> Mapping[str, ModelSpec]:
        """The models that judges may ask."""
        return self.place.models

    async def complete(
        self, spec: ModelSpec, request: ModelRequest, *, lane: Lane
    ) -> ModelResponse:
        """Ask a model, recorded or replayed."""
        answer = await self.place.services.gateway.complete(spec, request, lane=lane)
        return answer.response

    def workspace(self) -> Workspace:
        """Return a new workspace with the files as the target left them."""
        self._opened += 1
        change, repository = self.place.change, self.place.repository
        name = f"score/{self.name}/{self._opened}"
        shared = repository.shared
        if shared.unused:
            opened = repository.real_workspace(name, shared.repository().base_tree)
            self._workspaces.append(opened)
            return opened
        known = shared.repository().has_tree(change.after)
        opened = repository.real_workspace(name, change.after if known else change.before)
        self._workspaces.append(opened)
        if not known:
            opened.apply(change)
        return opened

    def sandbox(self) -> Sandbox:
        """Return where commands run."""
        return self.place.services.open_sandbox(self.place.sandbox)

    def command_environment(self) -> Mapping[str, str]:
        """Return the fixed environment of commands."""
        return environment(self._context(NoFiles()))

    async def call_python(self, target: str, arguments: JsonObject) -> JsonValue:
        """Call `file.py:function` of the suite's folder in a process of its own.

        Raises:
            StepFailed: when the function fails or returns what is not JSON.
        """
        workspace = self.workspace()
        try:
            reply = await call_function(PythonCall(target, arguments), self._context(workspace))
        finally:
            workspace.close()
        if reply.error is not None:
            raise StepFailed(reply.error, code="ACI-E452", location=Location(lane=self.lane))
        return reply.value

    def read(self, path: str) -> bytes:
        """Return a file of the suite's folder; raises UsageError outside of the project."""
        return self.place.services.effects.files.read(self._inside(path))

    def list_files(self, folder: str) -> tuple[str, ...]:
        """Return all files below a folder of the suite's folder; raises what `read` raises."""
        top = self.place.folder.resolve()
        found = self.place.services.effects.files.list(self._inside(folder))
        return tuple(
            Path(os.path.relpath(path, top)).as_posix()
            for path in found
            if "__pycache__" not in path.parts
        )

    def _inside(self, path: str) -> Path:
        target = (self.place.folder / path).resolve()
        if not target.is_relative_to(self.place.root.resolve()):
            raise UsageError(
                f"`{path}` is outside of the project",
                code="ACI-U469",
                hint="name a file of the suite's folder",
            )
        return target

    def close(self) -> None:
        """Close what the scorer has left open."""
        for workspace in self._workspaces:
            workspace.close()

    def _context(self, workspace: Workspace) -> StepContext:
        folder = self.place.folder.resolve()
        services = replace(self.place.services, folder_of=lambda _bundle: folder)
        return StepContext(
            lane=self.lane,
            workspace=workspace,
            scope={},
            bundle=self.place.bundle,
            services=services,
            blocks=Blocks(_NoSteps()),
        )


class _NoSteps:
    """A scorer has no steps to run."""

    async def run(self, step: StepBase, context: StepContext) -> StepRecord:
        raise AssertionError(step, context)

    def refuse(self, step: StepBase, context: StepContext, error: StepFailed) -> StepRecord:
        raise AssertionError(step, context, error)
