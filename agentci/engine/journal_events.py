"""The events of a run's journal, and reading them back.

    run.started          identity, plan digest, how the run was asked for
    step.started         lane, kind, cache key with its parts
    step.dispatched      an external effect is about to be sent (durable before it is)
    step.finished        a leaf step: everything that a resumed run needs of it
    approval.requested   lane, binding digest, the question
    approval.decided     binding digest, decision
    run.stopped          the run ended without a result, and why
    run.finished         run digest and outcome

What a digest must not cover (times, sources) stands under `volatile`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from agentci.core.digest import Digest
from agentci.core.lane import Lane
from agentci.core.messages import Usage
from agentci.record.session import is_below
from agentci.steps.results import StepRecord

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject, JsonValue
    from agentci.plan.keys import StepKey
    from agentci.steps.results import Outcome, Source


@dataclass(frozen=True, slots=True)
class FinishedStep:
    """A leaf step that an earlier part of a run has finished."""

    record: StepRecord
    key: Digest | None


@dataclass(frozen=True, slots=True)
class RunHistory:
    """What the journal of a run says has happened."""

    started: Mapping[str, JsonValue] = field(default_factory=dict)
    """The `run.started` event, or empty."""
    steps: Mapping[Lane, FinishedStep] = field(default_factory=dict)
    keys: Mapping[Lane, Mapping[str, Digest]] = field(default_factory=dict)
    """Parts of the cache key of each step that was started."""
    dispatched: frozenset[Lane] = frozenset()
    """External steps that were sent."""
    decisions: Mapping[Digest, JsonObject] = field(default_factory=dict)
    """What people decided, by binding digest."""
    requested: Mapping[Digest, JsonObject] = field(default_factory=dict)
    """Approvals that were asked for, by binding digest."""
    ended: Mapping[str, JsonValue] | None = None
    """The last `run.finished` or `run.stopped` event, if nothing came after it."""

    @property
    def base(self) -> str | None:
        """The commit that the run started from, or None where it has not started."""
        identity = cast("Mapping[str, JsonValue]", self.started.get("identity", {}))
        return cast("str | None", identity.get("base"))


def step_started(lane: Lane, kind: str, key: StepKey | None) -> JsonObject:
    """Return the event that a step starts."""
    event: dict[str, JsonValue] = {"type": "step.started", "lane": lane, "kind": kind}
    if key is not None:
        event["key"] = key.digest
        event["fields"] = dict(key.fields)
    return event


def step_finished(record: StepRecord, key: Digest | None) -> JsonObject:
    """Return the event that a leaf step has finished."""
    usage = record.usage
    return {
        "type": "step.finished",
        "key": key,
        "record": {
            **record.canonical(),
            "passed": record.passed,
            "message": record.message,
            "notes": record.notes,
            "usage": [usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.calls],
            "cost": record.cost,
        },
        "volatile": {"source": record.source, "seconds": round(record.seconds, 3)},
    }


def read_record(event: JsonObject) -> StepRecord:
    """Return the record in a `step.finished` event."""
    data = cast("Mapping[str, JsonValue]", event["record"])
    volatile = cast("Mapping[str, JsonValue]", event["volatile"])
    return StepRecord(
        lane=Lane(str(data["lane"])),
        step=str(data["step"]),
        kind=str(data["kind"]),
        outcome=cast("Outcome", data["outcome"]),
        output=data["output"],
        tree=str(data["tree"]),
        interactions=tuple(cast("Iterable[JsonObject]", data["interactions"])),
        passed=bool(data["passed"]),
        message=str(data["message"]),
        source=cast("Source", volatile["source"]),
        seconds=cast("float", volatile["seconds"]),
        usage=Usage(*cast("list[int]", data["usage"])),
        cost=cast("float", data["cost"]),
        notes=cast("JsonObject", data["notes"]),
    )


def read_history(events: Iterable[JsonObject]) -> RunHistory:
    """Put the events of a journal together."""
    reader = _Reader()
    for event in events:
        reader.take(event)
    return reader.history()


class _Reader:
    def __init__(self) -> None:
        self._started: JsonObject = {}
        self._steps: dict[Lane, FinishedStep] = {}
        self._keys: dict[Lane, Mapping[str, Digest]] = {}
        self._dispatched: set[Lane] = set()
        self._decisions: dict[Digest, JsonObject] = {}
        self._requested: dict[Digest, JsonObject] = {}
        self._ended: JsonObject | None = None

    def take(self, event: JsonObject) -> None:
        """Take one event in."""
        kind = event["type"]
        self._ended = event if kind in {"run.finished", "run.stopped"} else None
        if kind == "run.started":
            self._started = self._started or event
        elif kind == "step.started":
            fields = cast("Mapping[str, Digest]", event.get("fields", {}))
            self._keys[Lane(str(event["lane"]))] = fields
        elif kind == "step.dispatched":
            self._dispatched.add(Lane(str(event["lane"])))
        elif kind == "step.resend":
            self._dispatched.discard(Lane(str(event["lane"])))
        elif kind == "step.finished":
            record = read_record(event)
            key = event["key"]
            self._steps[record.lane] = FinishedStep(record, Digest(str(key)) if key else None)
            if record.outcome != "halted":
                done = {lane for lane in self._dispatched if is_below(lane, record.lane)}
                self._dispatched -= done
        elif kind == "approval.requested":
            self._requested[Digest(str(event["binding"]))] = event
        elif kind == "approval.decided":
            self._decisions[Digest(str(event["binding"]))] = event

    def history(self) -> RunHistory:
        """Return what was taken in."""
        return RunHistory(
            started=self._started,
            steps=self._steps,
            keys=self._keys,
            dispatched=frozenset(self._dispatched),
            decisions=self._decisions,
            requested=self._requested,
            ended=self._ended,
        )
