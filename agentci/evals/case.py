"""One case of a dataset."""

from __future__ import annotations

from dataclasses import dataclass, field

from agentci.core.canonical import canonical_bytes
from agentci.core.digest import Digest
from agentci.core.json_types import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Case:
    """A row of a dataset, with its fields in their places."""

    id: str
    """Unique in the dataset."""
    input: JsonValue
    expected: JsonValue
    """None where the row has none."""
    row: JsonObject
    """All fields as the dataset has them."""
    digest: Digest
    """Of `row`, and of the files of a task's folder."""
    group: str | None = None
    tags: tuple[str, ...] = ()
    """Sorted."""
    file: str | None = None
    """Where it stands, relative to the project, with `/`."""
    line: int | None = None
    """Counted from 1."""
    repository: str | None = None
    """For a folder of tasks: the folder with the files to work on, relative to the project."""
    required: bool = False

    def scope(self) -> JsonObject:
        """Return what expressions see as `case`: every field of the row, and the known ones."""
        known: JsonObject = {
            "id": self.id,
            "input": self.input,
            "expected": self.expected,
            "group": self.group,
            "tags": list(self.tags),
            "repository": self.repository,
        }
        return {**self.row, **known}


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool by an agent, as the trajectory has it."""

    name: str
    arguments: JsonObject
    lane: str
    """Of the agent that called."""
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """What is scored: what a target did with a case."""

    case: Case
    output: JsonValue
    """What the suite's `target.output` picks, else the target's whole output."""
    outcome: str
    """`passed`, or how the target's run ended: `failed`, `timed_out`, `waiting`."""
    message: str = ""
    """Why the target failed."""
    trajectory: tuple[ToolUse, ...] = ()
    """Of all agents, in plan order."""
    messages: tuple[JsonObject, ...] = ()
    """The conversations of the agents: `lane` and `messages`, in plan order, for reports and
    judges."""
    base_tree: str = ""
    """Git tree id of the files before."""
    tree: str = ""
    """Git tree id of the files after."""
    changed_paths: tuple[str, ...] = ()
    """Sorted."""
    patch: str = ""
    """Readable, from before to after."""
    metrics: dict[str, float] = field(default_factory=dict)
    """As `agentci.evals.results.METRICS` names them."""

    @property
    def text(self) -> str:
        """The output as text: a text as it is, `{text: ...}` by its text, else canonical JSON."""
        value = self.output
        if isinstance(value, dict) and set(value) == {"text"} and isinstance(value["text"], str):
            return value["text"]
        return value if isinstance(value, str) else canonical_bytes(value).decode()
