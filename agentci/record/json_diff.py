"""Where two requests differ: the smallest parts that do, each with its path. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias, TypeGuard

from agentci.core.canonical import canonical_bytes
from agentci.core.json_types import JsonValue

Path: TypeAlias = tuple[str | int, ...]


class Absent(Enum):
    """The value of a part that is not there."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Difference:
    """A part that two requests do not have alike."""

    path: Path
    old: JsonValue | Absent
    new: JsonValue | Absent

    @property
    def place(self) -> str:
        """The path as a reader writes it: `body.messages[3].content`."""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return text.removeprefix(".")

    @property
    def weight(self) -> int:
        """How much differs, in characters."""
        return sum(len(str(side)) for side in (self.old, self.new) if side is not ABSENT)


def differences(old: JsonValue, new: JsonValue) -> tuple[Difference, ...]:
    """Return what differs, in the order of `old`, what only `new` has last."""
    return tuple(_walk(old, new, ()))


def _walk(old: JsonValue, new: JsonValue, path: Path) -> Iterator[Difference]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in [*old, *(name for name in new if name not in old)]:
            if name not in new:
                yield Difference((*path, name), old[name], ABSENT)
            elif name not in old:
                yield Difference((*path, name), ABSENT, new[name])
            else:
                yield from _walk(old[name], new[name], (*path, name))
    elif _is_list(old) and _is_list(new):
        yield from _walk_lists(old, new, path)
    elif not _same(old, new):
        yield Difference(path, old, new)


def _walk_lists(
    old: Sequence[JsonValue], new: Sequence[JsonValue], path: Path
) -> Iterator[Difference]:
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and _same(old[start], new[start]):
        start += 1
    end = 0
    while end < shorter - start and _same(old[-1 - end], new[-1 - end]):
        end += 1
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    for index in range(max(len(middle_old), len(middle_new))):
        at = (*path, start + index)
        if index >= len(middle_new):
            yield Difference(at, middle_old[index], ABSENT)
        elif index >= len(middle_old):
            yield Difference(at, ABSENT, middle_new[index])
        else:
            yield from _walk(middle_old[index], middle_new[index], at)


def _is_list(value: JsonValue) -> TypeGuard[Sequence[JsonValue]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _same(old: JsonValue, new: JsonValue) -> bool:
    """Compare as a key does: True is not 1, and 1.0 is."""
    return old == new and canonical_bytes(old) == canonical_bytes(new)
