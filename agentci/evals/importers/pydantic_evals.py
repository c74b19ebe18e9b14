"""A dataset of pydantic-evals as a suite with a Python function as its target.

Source of the format: `pydantic_evals.Dataset.from_file`, read in 2.62.0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentci.core.errors import FormatError, UsageError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.evals.importers.findings import ImportedSuite, Notes, NotImportable
from agentci.evals.importers.foreign_documents import Spot, read_spot
from agentci.evals.scorers.answers import json_safe

FORMAT: Final = "pydantic-evals"
DATASET: Final = "cases.jsonl"
_TYPES: Final = frozenset({"bool", "dict", "float", "int", "list", "object", "str"})
_FIRST: Final = {
    "Contains": "value",
    "Equals": "value",
    "IsInstance": "type_name",
    "MaxDuration": "seconds",
}
"""The argument that may stand alone."""
_ARGUMENTS: Final = {
    "Contains": frozenset({"value", "case_sensitive", "as_strings", "evaluation_name"}),
    "Equals": frozenset({"value", "evaluation_name"}),
    "EqualsExpected": frozenset({"evaluation_name"}),
    "IsInstance": frozenset({"type_name", "evaluation_name"}),
    "MaxDuration": frozenset({"seconds"}),
}
_CASE: Final = frozenset({"name", "inputs", "expected_output", "metadata", "evaluators"})
_SET: Final = frozenset({"$schema", "cases", "evaluators", "name"})


def import_pydantic_evals(data: bytes, file: str, *, name: str) -> ImportedSuite:
    """Return the suite of a dataset.

    Raises:
        SpecError: when it is no YAML or JSON.
        FormatError: when it is no dataset.
        UsageError: when none of its cases can be taken over.
    """
    notes = Notes()
    dataset = read_spot(data, file)
    cases = dataset.at("cases")
    if not isinstance(dataset.value, Mapping) or not isinstance(cases.value, list | tuple):
        raise FormatError(f"`{file}` is no dataset of pydantic-evals", code="ACI-F493")
    for key in dataset.value:
        if key not in _SET:
            notes.add(dataset.at(key).place, f"`{key[:60]}`", "has no equal here")
    rows: list[JsonObject] = []
    names: dict[str, int] = {}
    for spot in cases.items():
        try:
            row = _row(spot, dataset, number=len(names) + 1, notes=notes)
        except NotImportable as problem:
            notes.add(spot.place, "case", str(problem))
            continue
        base = str(row["id"])
        count = names[base] = names.get(base, 0) + 1
        rows.append(row if count == 1 else {**row, "id": f"{base} #{count}"})
    if not rows:
        raise UsageError(f"no case of `{file}` can be taken over", code="ACI-U504")
    notes.add(
        file, "the task", "it is Python code: write `task.py` with `def task(...)` beside the suite"
    )
    lines = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    return ImportedSuite(
        FORMAT,
        {"suite.yaml": _suite(name), DATASET: lines.encode("utf-8", "surrogatepass")},
        cases=len(rows),
        suites=1,
        expectations=sum(len(_list(row["evaluators"])) for row in rows),
        notes=tuple(notes.found),
    )


def _suite(name: str) -> JsonObject:
    return {
        "format": "agentci/suite",
        "version": 1,
        "name": name,
        "description": "Imported from pydantic-evals.",
        "target": {"python": "task.py:task"},
        "dataset": {"path": DATASET},
        "scorers": [
            {"kind": "pydantic_evals", "with": {"evaluators": "${{ case.evaluators }}"}},
        ],
    }


def _row(spot: Spot, dataset: Spot, *, number: int, notes: Notes) -> JsonObject:
    fields = spot.fields()
    odd = sorted(set(fields) - _CASE)
    if odd:
        raise NotImportable(f"a case with `{odd[0]}`")
    expected = fields.get("expected_output")
    evaluators: list[JsonValue] = []
    left_out = 0
    for each in (*dataset.at("evaluators").items(), *spot.at("evaluators").items()):
        try:
            evaluators += evaluator_of(each.value, expected)
        except NotImportable as problem:
            left_out += 1
            notes.add(each.place, f"evaluator of the case at {spot.place}", str(problem))
    if left_out and not evaluators:
        raise NotImportable("none of its evaluators is taken over")
    described = str(fields.get("name") or f"case {number}")
    plain = " ".join("".join(char if char.isprintable() else " " for char in described).split())
    row: dict[str, JsonValue] = {
        "id": plain[:120] or f"case {number}",
        "input": json_safe(fields.get("inputs")),
        "evaluators": evaluators,
    }
    if expected is not None:
        row["expected"] = expected
    if isinstance(fields.get("metadata"), Mapping):
        row["metadata"] = json_safe(fields["metadata"])
    return row


def evaluator_of(value: JsonValue, expected: JsonValue) -> list[JsonValue]:
    """Return an evaluator for the scorer `pydantic_evals`; none where it judges nothing.

    Raises:
        NotImportable: when there is no equal.
    """
    call = _called(value)
    name = call.name
    if name == "HasMatchingSpan":
        raise NotImportable("`HasMatchingSpan` looks at traces, which are not recorded")
    if name == "LLMJudge":
        raise NotImportable("`LLMJudge`: write the scorer `judge` with a rubric and a model")
    if name not in _ARGUMENTS:
        raise NotImportable(f"`{name[:60]}` is Python code, which is never executed")
    arguments = _arguments(name, call.arguments)
    odd = sorted(set(arguments) - _ARGUMENTS[name])
    if odd:
        raise NotImportable(f"`{name}` with `{odd[0][:60]}`")
    if name == "EqualsExpected":
        return [] if expected is None else [{"type": "Equals", "value": expected}]
    if _FIRST[name] not in arguments:
        raise NotImportable(f"`{name}` without `{_FIRST[name]}`")
    found = arguments[_FIRST[name]]
    if name == "IsInstance" and (not isinstance(found, str) or found not in _TYPES):
        raise NotImportable(f"`IsInstance` of {str(found)[:60]}: answers are JSON")
    if name == "MaxDuration" and not _is_number(found):
        raise NotImportable("`MaxDuration` without a number of seconds")
    flags = {key: arguments[key] for key in ("case_sensitive", "as_strings") if key in arguments}
    if any(not isinstance(flag, bool) for flag in flags.values()):
        raise NotImportable(f"`{name}` with a flag that is neither true nor false")
    return [{"type": name, "value": found, **flags}]


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    arguments: JsonValue


def _called(value: JsonValue) -> _Call:
    if isinstance(value, str):
        return _Call(value, {})
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, arguments),) = value.items()
        return _Call(name, arguments)
    raise NotImportable("an evaluator that is neither a name nor a name with arguments")


def _arguments(name: str, given: JsonValue) -> Mapping[str, JsonValue]:
    """Return arguments by name: a mapping whose keys are all texts is such arguments."""
    if isinstance(given, Mapping):
        return given
    return {_FIRST.get(name, "value"): given}


def _is_number(value: JsonValue) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def _list(value: JsonValue) -> list[JsonValue]:
    return list(value) if isinstance(value, list | tuple) else []
