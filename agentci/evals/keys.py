"""The key of a trial's result: a digest of everything that can change it, part by part.

What all trials of a suite have in common is digested once. Knows no files: whoever plans a suite
says what its parts are.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from agentci.core.digest import Digest, digest_json
from agentci.core.json_types import JsonValue

KEY_VERSION: Final = 1
"""Version of what a key covers; raised when a release adds or drops a part, or when its code
judges otherwise."""

ChangeKind: TypeAlias = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class EvalKey:
    """A key, and the digest of each of its parts."""

    digest: Digest
    fields: Mapping[str, Digest]
    """By name, such as `prompts.prompts/ask.md`, `models.fast.id`, `case`, `trial`."""


@dataclass(frozen=True, slots=True)
class KeyParts:
    """Parts that many keys have in common."""

    fields: Mapping[str, Digest]
    """Sorted by name."""
    digest: Digest
    """Of them all."""

    def key(self, own: Mapping[str, JsonValue], *, on: EvalKey | None = None) -> EvalKey:
        """Return the key of one trial; `own` are the parts that it has for itself.

        What is computed from something with a key of its own stands `on` it: a change there is a
        change here.
        """
        fields = {name: digest_json(value) for name, value in own.items()}
        below = None if on is None else on.digest
        digest = digest_json(
            {"version": KEY_VERSION, "common": self.digest, "own": fields, "on": below}
        )
        maps = [fields, cast("dict[str, Digest]", self.fields)]
        if on is not None:
            maps.append(cast("dict[str, Digest]", on.fields))
        return EvalKey(digest, ChainMap(*maps))


def key_parts(parts: Mapping[str, JsonValue]) -> KeyParts:
    """Return parts that many keys have in common."""
    fields = {name: digest_json(parts[name]) for name in sorted(parts)}
    return KeyParts(fields, digest_json(dict(fields)))


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A part in which two keys differ."""

    field: str
    kind: ChangeKind

    @property
    def meaning(self) -> str:
        """What the part stands for, in words."""
        return _MEANING.get(self.field.partition(".")[0], "a part of the definition")

    def __str__(self) -> str:
        return f"{self.kind} `{self.field}`: {self.meaning}"


def key_changes(old: Mapping[str, Digest], new: Mapping[str, Digest]) -> tuple[KeyChange, ...]:
    """Return the parts in which two keys differ, sorted by name."""
    return tuple(
        KeyChange(name, "added" if name not in old else "removed" if name not in new else "changed")
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


_MEANING: Final = {
    "agentci": "agentci itself",
    "agents": "an agent's definition",
    "case": "the row of the dataset",
    "code": "Python code of the target, or a file that it may import",
    "inputs": "what the target is given",
    "judges": "recordings of the judges",
    "limits": "the limits of the pipeline",
    "models": "a model or its parameters",
    "pipelines": "a pipeline inside the target",
    "prompts": "a prompt file",
    "recordings": "the recordings of this trial",
    "repository": "the files to work on",
    "sandbox": "where commands run",
    "schemas": "the schema of an answer",
    "scorers": "a scorer: its code, options, files or threshold",
    "scripts": "a script of scripted replies",
    "seed": "the seed",
    "steps": "the steps of the target",
    "target": "the suite's target",
    "tools": "a tool's code or description",
    "trial": "the number of the trial",
}
