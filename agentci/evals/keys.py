"""The key of a trial's result: a digest of everything that can change it, part by part.

What all trials of a suite have in common is digested once. Knows no files: whoever plans a suite
says what its parts are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from agentci.core.digest import Digest, digest_bytes, digest_json
from agentci.core.json_types import JsonValue

KEY_VERSION: Final = 2
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

    def key(self, own: Mapping[str, Digest], *, on: EvalKey | None = None) -> EvalKey:
        """Return the key of one trial; `own` are the parts that it has for itself.

        What is computed from something with a key of its own stands `on` it: a change there is a
        change here.
        """
        below = "" if on is None else on.digest
        lines = [f"{KEY_VERSION} {self.digest} {below}"]
        lines += (f"{own[name]} {name}" for name in sorted(own))
        maps = [own, self.fields] if on is None else [own, self.fields, on.fields]
        return EvalKey(digest_bytes("\n".join(lines).encode()), _Joined(tuple(maps)))


@dataclass(frozen=True, slots=True)
class _Joined(Mapping[str, Digest]):
    """Several maps as one, without a copy for each of many trials."""

    maps: tuple[Mapping[str, Digest], ...]

    def __getitem__(self, name: str) -> Digest:
        for each in self.maps:
            if name in each:
                return each[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({name for each in self.maps for name in each}))

    def __len__(self) -> int:
        return sum(1 for _name in self)


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
