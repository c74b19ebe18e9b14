"""Parts of a suite for several machines: which case belongs to which, and putting them together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from agentci.core.digest import digest_bytes, hex_of
from agentci.core.errors import UsageError
from agentci.evals.results import SuiteResult

_SHARD = re.compile(r"([1-9][0-9]{0,4})/([1-9][0-9]{0,4})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several equal parts."""

    index: int
    """Counted from 1."""
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def has(self, case: str) -> bool:
        """Say whether a case belongs to this part: by its id alone, wherever the others are."""
        return int(hex_of(digest_bytes(case.encode()))[:12], 16) % self.count == self.index - 1


def parse_shard(text: str) -> Shard:
    """Return `i/n` as a shard.

    Raises:
        UsageError: when it is none.
    """
    match = _SHARD.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise UsageError(
            f"`{text}` is no shard", code="ACI-U471", hint="write `--shard 1/4` for the first of 4"
        )
    return Shard(int(match[1]), int(match[2]))


def merge_suites(parts: Sequence[SuiteResult]) -> SuiteResult:
    """Return one suite from its parts, in whatever order they come.

    Raises:
        UsageError: when they are not of one state of the suite, or have a case twice.
    """
    first = parts[0]
    for other in parts[1:]:
        changed = [
            name
            for name in sorted({*first.digests, *other.digests})
            if first.digests.get(name) != other.digests.get(name)
        ]
        if first.trials != other.trials:
            changed.append("trials")
        if first.live != other.live:
            changed.append("live")
        if changed:
            shown = ", ".join(f"`{name}`" for name in changed)
            raise UsageError(
                f"the shards of `{first.suite}` are not of one state: they differ in {shown}",
                code="ACI-U472",
                hint="evaluate all shards at the same commit",
            )
    cases = sorted((case for part in parts for case in part.cases), key=lambda case: case.case)
    for before, after in pairwise(cases):
        if before.case == after.case:
            raise UsageError(
                f"the case `{after.case}` of `{first.suite}` is in two of the files",
                code="ACI-U473",
                hint="name the file of each shard once",
            )
    return replace(first, cases=tuple(cases))
