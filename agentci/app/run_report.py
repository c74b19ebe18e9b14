"""The sealed record of a run, `run.json` in its folder: what `show`, `runs` and `accept` read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentci.app.run_folder import RunFolder
    from agentci.app.run_request import RunReport
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.steps.results import StepRecord


def report_json(report: RunReport) -> JsonObject:
    """Return a report as one JSON object, as `run --json` prints it."""
    return {
        "run_id": report.run_id,
        "pipeline": report.pipeline,
        "mode": str(report.mode),
        "verdict": report.verdict,
        "reproducible": report.reproducible,
        "run_digest": report.run_digest,
        "matches_lock": report.lock.matches,
        "lock_note": report.lock.note,
        "base": report.base,
        "commit": report.commit,
        "tree": report.tree,
        "output": report.output,
        "steps": [step_json(record) for record in report.records],
        "lanes": list(lanes_of(report.records)),
        "unplayed": list(report.unplayed),
        "cassettes": report.cassettes,
        "notes": list(report.notes),
        "patch": report.patch,
        "lock_entry": report.lock_entry,
    }


def step_json(record: StepRecord) -> JsonObject:
    """Return a record, with those inside it, as JSON."""
    usage = record.usage
    return {
        "lane": record.lane,
        "step": record.step,
        "kind": record.kind,
        "outcome": record.outcome,
        "passed": record.passed,
        "source": record.source,
        "output": record.output,
        "tree": record.tree,
        "message": record.message,
        "calls": len(record.interactions),
        "tokens": {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cached": usage.cached_tokens,
        },
        "cost": record.cost,
        "seconds": round(record.seconds, 3),
        "notes": record.notes,
        "steps": [step_json(child) for child in record.children],
    }


def lanes_of(records: Sequence[StepRecord]) -> tuple[str, ...]:
    """Return every lane that got a recorded answer from a model, in plan order."""
    found: dict[str, None] = {}

    def visit(record: StepRecord) -> None:
        for child in record.children:
            visit(child)
        if record.kind == "agent":
            for each in record.interactions:
                found.setdefault(str(each["lane"]))

    for record in records:
        visit(record)
    return tuple(found)


def save_report(folder: RunFolder, report: RunReport) -> None:
    """Keep a report in the run's folder."""
    folder.write("run", report_json(report))


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in a list."""

    run_id: str
    pipeline: str
    verdict: str
    """`unfinished` where the run has no report."""
    mode: str
    run_digest: str
    matches_lock: bool | None
    message: str
    """Why an unfinished run stopped, if it could say so."""


def walk_steps(content: JsonObject) -> Iterable[JsonObject]:
    """Yield every step of a kept report, inner ones first."""
    for step in cast("Sequence[Mapping[str, JsonValue]]", content["steps"]):
        yield from walk_steps(step)
        yield step
