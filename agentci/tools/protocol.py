"""What a tool is: a name, a schema, an effect and a function from arguments to text.

This module must not know any particular tool, nor how calls are recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from agentci.core.effects import Sandbox, Workspace
    from agentci.core.json_types import JsonObject
    from agentci.tools.masking import Masker

Effect: TypeAlias = Literal["pure", "workspace"]
"""`pure` tools only read the workspace; `workspace` tools may change its files."""


class ToolProblem(Exception):
    """A call that cannot be served, in words that the model can act on.

    It becomes a tool result with `is_error`, is recorded like any other, and never ends a run.
    """


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a tool answers."""

    content: str
    """Text for the model, the same on every machine."""
    is_error: bool = False
    masked: Mapping[str, int] = field(default_factory=dict)
    """How often each kind of volatile text was masked in `content`."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool may use. One context belongs to one workspace."""

    workspace: Workspace
    sandbox: Sandbox
    env: Mapping[str, str]
    """The complete environment of commands."""
    timeout: float
    """Seconds for one command."""
    commands: tuple[str, ...]
    """Programs that `run_command` may start; empty means any."""
    mask: Masker


class Tool(Protocol):
    """A tool. Implementations hold no state; equal arguments on equal trees mean equal calls."""

    @property
    def name(self) -> str:
        """The name that the model uses."""

    @property
    def version(self) -> int:
        """Raised with every change that can change an outcome, so that recordings go stale."""

    @property
    def description(self) -> str:
        """What the tool does, for the model."""

    @property
    def parameters(self) -> JsonObject:
        """JSON Schema of the arguments, of type `object`."""

    @property
    def effect(self) -> Effect:
        """What a call may change."""

    def refuse(self, arguments: JsonObject, context: ToolContext) -> str | None:
        """Say why policy forbids the call, whatever the files are; None where it does not.

        Asked before a recording is looked up, so that a policy also holds in a replay.
        """

    async def run(self, arguments: JsonObject, context: ToolContext) -> ToolOutcome:
        """Serve a call whose arguments fit `parameters`.

        Raises:
            ToolProblem: when the model can put it right.
            StorageError: when the machine is at fault (disk full, read-only).
        """
