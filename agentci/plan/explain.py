"""What changed between two cache keys of a step: the answer to `agentci why`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from agentci.core.digest import Digest, short
from agentci.plan.keys import StepKey

ChangeKind: TypeAlias = Literal["added", "removed", "changed"]

_MEANING = {
    "agent": "the agent's definition",
    "definition": "the step's definition",
    "env": "an environment variable",
    "files": "a declared file",
    "implementation": "agentci's own code for this kind of step",
    "iteration": "the loop iteration",
    "kind": "the kind of the step",
    "lane": "the lane",
    "model": "the model or its parameters",
    "prompt": "the prompt file",
    "recordings": "the cassettes of the step",
    "salt": "the salt",
    "sample": "the sample index",
    "sandbox": "the sandbox",
    "schema": "the schema of the answer",
    "seed": "the derived seed",
    "system": "the agent's instructions",
    "timeout": "the timeout",
    "tools": "a tool's code or description",
    "tree": "the files that the step starts from",
    "with": "an input value",
}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One part of a key that differs."""

    field: str
    """Name of the part: `prompt`, `with.task`, `env.PATH`."""
    kind: ChangeKind
    old: Digest | None
    new: Digest | None

    @property
    def meaning(self) -> str:
        """What the part stands for, in words."""
        return _MEANING.get(self.field.partition(".")[0], "a part of the key")

    def __str__(self) -> str:
        """Return one line for people."""
        if self.old is None or self.new is None:
            return f"`{self.field}` {self.kind} ({self.meaning})"
        return f"`{self.field}` changed ({self.meaning}): {short(self.old)} -> {short(self.new)}"


def explain(old: StepKey, new: StepKey) -> tuple[FieldChange, ...]:
    """Return every part that differs, sorted by name; empty where nothing changed."""
    names = sorted({*old.fields, *new.fields})
    return tuple(
        FieldChange(name, _kind(before, after), before, after)
        for name in names
        if (before := old.fields.get(name)) != (after := new.fields.get(name))
    )


def _kind(before: Digest | None, after: Digest | None) -> ChangeKind:
    if before is None:
        return "added"
    return "removed" if after is None else "changed"
