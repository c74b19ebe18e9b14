"""What `agentci.lock` says of a suite: the results that were accepted, a line for each case.

A trial's row carries the key of everything that can change it, so that a row counts for exactly
what it was accepted for, however old the file is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from agentci.core.digest import Digest, parse_digest
from agentci.core.json_types import JsonObject, JsonValue

_PARTS: Final = (
    "suite",
    "target",
    "prompts",
    "models",
    "tools",
    "dataset",
    "scorers",
    "cassettes",
)
_LARGE: Final = 1e300


@dataclass(frozen=True, slots=True)
class TrialLock:
    """One trial that was accepted."""

    key: Digest
    passed: bool
    scores: Mapping[str, float]
    """By scorer."""
    failing: tuple[str, ...] = ()
    """Scorers that gate and did not pass."""
    output: Digest | None = None
    recordings: Digest | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)

    def row(self) -> JsonObject:
        """Return the JSON form; what is empty is left out."""
        found: dict[str, JsonValue] = {"passed": self.passed, "scores": _written(self.scores)}
        if self.failing:
            found["failing"] = list(self.failing)
        if self.metrics:
            found["metrics"] = _written(dict(sorted(self.metrics.items())))
        for name in ("output", "recordings"):
            if getattr(self, name) is not None:
                found[name] = getattr(self, name)
        found["key"] = self.key
        return found


@dataclass(frozen=True, slots=True)
class SuiteLock:
    """The accepted results of one suite."""

    digests: Mapping[str, Digest]
    """What the suite was made of, by part."""
    passed: int
    """Cases of which all trials passed."""
    cases: Mapping[str, tuple[TrialLock, ...]]
    """By the case's id."""
    extra: JsonObject = field(default_factory=dict)
    """Fields of later revisions, kept as they are."""

    def fields(self) -> JsonObject:
        """Return the fields in the order of the file, without the seal."""
        known: dict[str, JsonValue] = {
            part: self.digests[part] for part in _PARTS if part in self.digests
        }
        known["passed"] = f"{self.passed} of {len(self.cases)}"
        known["cases"] = {
            case: [trial.row() for trial in self.cases[case]] for case in sorted(self.cases)
        }
        return known | {key: self.extra[key] for key in sorted(self.extra)}


def _written(values: Mapping[str, float]) -> JsonObject:
    """Return numbers as they are written: whole ones alike, whether they are of type int or not."""
    return {name: int(each) if each == int(each) else each for name, each in values.items()}


def read_suite_lock(value: Mapping[str, Any]) -> SuiteLock:
    """Return the entry that `fields` wrote.

    Raises:
        ValueError: when it is not one; the message says what is wrong.
    """
    cases = value.get("cases")
    if not isinstance(cases, Mapping):
        _refuse("`cases` has to be a mapping")
    rows = {str(case): _rows(str(case), found) for case, found in cases.items()}
    known = {*_PARTS, "passed", "cases", "seal"}
    return SuiteLock(
        digests={part: parse_digest(str(value[part])) for part in _PARTS if part in value},
        passed=sum(all(trial.passed for trial in trials) for trials in rows.values()),
        cases=rows,
        extra={key: item for key, item in value.items() if key not in known},
    )


def _rows(case: str, value: JsonValue) -> tuple[TrialLock, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        _refuse(f"the case `{case}` has to be a list of trials")
    return tuple(_row(case, each) for each in value)


def _row(case: str, value: JsonValue) -> TrialLock:
    if not isinstance(value, Mapping) or not isinstance(value.get("passed"), bool):
        _refuse(f"a trial of `{case}` is not a row of results")
    failing = value.get("failing", [])
    if not isinstance(failing, list):
        _refuse(f"`failing` of `{case}` has to be a list")
    return TrialLock(
        key=parse_digest(str(value.get("key"))),
        passed=bool(value["passed"]),
        scores=_numbers(case, value.get("scores", {})),
        failing=tuple(str(name) for name in failing),
        output=_digest(value.get("output")),
        recordings=_digest(value.get("recordings")),
        metrics=_numbers(case, value.get("metrics", {})),
    )


def _numbers(case: str, value: JsonValue) -> Mapping[str, float]:
    if not isinstance(value, Mapping) or not all(map(_is_number, value.values())):
        _refuse(f"scores and metrics of `{case}` have to be numbers")
    return {str(name): float(each) for name, each in value.items() if isinstance(each, int | float)}


def _is_number(value: JsonValue) -> bool:
    # a larger one is infinite, or no float can hold it
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGE


def _digest(value: JsonValue) -> Digest | None:
    return None if value is None else parse_digest(str(value))


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)


def suite_differences(old: SuiteLock, new: SuiteLock) -> tuple[str, ...]:
    """Return the parts that differ, and `results` where a case does; in the order of the file."""
    parts = [part for part in _PARTS if old.digests.get(part) != new.digests.get(part)]
    return (*parts, *(["results"] if _verdicts(old) != _verdicts(new) else []))


def _verdicts(lock: SuiteLock) -> dict[str, list[JsonObject]]:
    return {
        case: [{"passed": trial.passed, "scores": dict(trial.scores)} for trial in trials]
        for case, trials in lock.cases.items()
    }
