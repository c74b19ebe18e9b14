"""What a reader of a run should know beyond its outcome, gathered from the steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject
    from agentci.steps.results import StepRecord

_SHOWN = 3


def run_notes(records: Iterable[StepRecord]) -> tuple[str, ...]:
    """Return notes on seeds that providers ignored, dropped files and tools that differed."""
    steps = tuple(records)
    return (*_ignored_seeds(steps), *_dropped_files(steps), *_differences(steps))


def _ignored_seeds(records: Sequence[StepRecord]) -> Iterator[str]:
    lanes: dict[str, list[str]] = {}
    for record in records:
        for reason in cast("Sequence[str]", record.notes.get("seed_ignored", ())):
            lanes.setdefault(reason, []).append(record.lane)
    for reason in sorted(lanes):
        yield f"no seed was sent by {_listed(lanes[reason])}: {reason}"


def _dropped_files(records: Sequence[StepRecord]) -> Iterator[str]:
    for record in records:
        paths = cast("Sequence[str]", record.notes.get("dropped", ()))
        if paths:
            yield (
                f"`{record.lane}` changed {_listed(list(paths))}, which was dropped; "
                "`side_effects: workspace` keeps it"
            )


def _differences(records: Sequence[StepRecord]) -> Iterator[str]:
    for record in records:
        for each in cast("Sequence[JsonObject]", record.notes.get("differences", ())):
            tool, lane, field = (f"`{each[name]}`" for name in ("tool", "lane", "field"))
            yield f"{tool} in {lane}, executed again, has another {field}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    rest = len(names) - _SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown
