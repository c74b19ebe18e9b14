"""What a scorer is, and what it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from agentci.core.digest import Digest
from agentci.core.json_types import JsonObject, JsonValue

if TYPE_CHECKING:
    # a check reads the options of scorers, and needs nothing of a run for that
    from pydantic import BaseModel

    from agentci.core.effects import Sandbox, Workspace
    from agentci.core.lane import Lane
    from agentci.core.messages import ModelRequest, ModelResponse
    from agentci.evals.case import Subject
    from agentci.evals.results import Score
    from agentci.spec.pipeline import ModelSpec


class ScorerServices(Protocol):
    """What a scorer may use besides the answer. The use case that evaluates implements it."""

    @property
    def lane(self) -> Lane:
        """The scorer's own lane: recordings of what it asks are kept there."""

    @property
    def seed(self) -> int:
        """Derived for this trial and scorer."""

    @property
    def models(self) -> Mapping[str, ModelSpec]:
        """The models of the pipeline that the suite names, for judges."""

    async def complete(
        self, spec: ModelSpec, request: ModelRequest, *, lane: Lane
    ) -> ModelResponse:
        """Ask a model, recorded or replayed; raises CassetteMiss where neither is possible."""

    def workspace(self) -> Workspace:
        """Return a new workspace with the files as the target left them; the caller closes it."""

    def sandbox(self) -> Sandbox:
        """Return where commands run."""

    def command_environment(self) -> Mapping[str, str]:
        """Return the fixed environment of commands."""

    async def call_python(self, target: str, arguments: JsonObject) -> JsonValue:
        """Call `file.py:function` of the suite's folder in a process of its own.

        Raises:
            StepFailed: when the function fails or returns what is not JSON.
        """

    def read(self, path: str) -> bytes:
        """Return a file of the suite's folder; raises UsageError outside of the project."""

    def list_files(self, folder: str) -> tuple[str, ...]:
        """Return all files below a folder of the suite's folder, as paths there, sorted.

        Raises:
            UsageError: outside of the project.
        """


class Scorer(Protocol):
    """One way to judge an answer."""

    kind: ClassVar[str]
    version: ClassVar[int]
    """Raised with every change of what it computes; part of every result's key."""
    options: ClassVar[type[BaseModel]]
    """Options, validated before anything runs; templates in them are resolved before that."""

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the files of the suite's folder that raw `options` name: part of the key.

        A name that ends with `/` is a folder.
        """

    async def score(self, subject: Subject, options: Any, services: ScorerServices) -> Score:
        """Judge an answer. `options` is an instance of `self.options`.

        Raises:
            AgentciError: when it cannot judge; the trial is then an error, never a pass.
        """


@dataclass(frozen=True, slots=True)
class ScorerIdentity:
    """What a result's key holds of one scorer."""

    name: str
    kind: str
    version: int
    options: JsonObject
    """As written, templates unresolved."""
    files: Mapping[str, Digest]
    """Of code and data it uses; for Python code of everything it may import."""
    threshold: float
    gates: bool
