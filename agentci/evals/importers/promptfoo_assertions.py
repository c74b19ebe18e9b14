"""Assertions of a promptfoo config as rules of the scorer `promptfoo`, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentci.core.errors import AgentciError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.evals.importers.findings import NotImportable, ReadFile
from agentci.evals.importers.foreign_documents import PREFIX, Spot, read_reference
from agentci.evals.importers.javascript_regex import python_pattern
from agentci.evals.importers.javascript_schema import draft7
from agentci.evals.importers.nunjucks import render
from agentci.evals.scorers.foreign_rules import KNOWN, SET, base_type
from agentci.spec.yaml_document import parse_document

_LISTS: Final = frozenset({"contains-all", "contains-any", "icontains-all", "icontains-any"})
_SCHEMAS: Final = frozenset({"is-json", "contains-json"})
_LIMITS: Final = frozenset({"cost", "latency"})
_FIELDS: Final = frozenset({"type", "value", "threshold", "weight", "metric", "description"})
_RUBRIC: Final = "llm-rubric"
_CODE: Final = {
    "javascript": "JavaScript code",
    "python": "Python code",
    "ruby": "Ruby code",
    "webhook": "a call of a web service",
}


@dataclass(frozen=True, slots=True)
class Rubric:
    """What a model judges."""

    text: str
    provider: JsonValue = None


@dataclass(frozen=True, slots=True)
class AssertionReader:
    """Reads assertions of one test."""

    values: Mapping[str, JsonValue]
    """The test's variables."""
    read: ReadFile
    templates: Mapping[str, JsonValue]
    """`assertionTemplates` of the config."""

    def assertion(self, spot: Spot, *, in_set: bool = False) -> JsonObject | Rubric:
        """Return the rule, or a rubric for a judge.

        Raises:
            NotImportable: when it cannot be taken over.
            AgentciError: when a file that it names cannot be read.
        """
        raw = self._fields(spot)
        name = raw.get("type")
        if not isinstance(name, str):
            raise NotImportable("it has no `type`")
        if name == SET and not in_set:
            return self._set(spot, raw)
        unknown = sorted(set(raw) - _FIELDS - {"provider"})
        if unknown:
            raise NotImportable(f"`{name}` with `{unknown[0]}`")
        if name == _RUBRIC and not in_set:
            return self._rubric(raw)
        if base_type(name) in _CODE:
            raise NotImportable(f"`{name}` is {_CODE[base_type(name)]}, which is never executed")
        if base_type(name) not in KNOWN or "provider" in raw:
            raise NotImportable(f"there is no equal of `{name}`")
        rule: dict[str, JsonValue] = {"type": name}
        value = self._value(base_type(name), raw)
        if value is not None or base_type(name) == "equals":
            rule["value"] = value
        threshold = number(raw, "threshold")
        if threshold is not None:
            rule["threshold"] = threshold
        elif base_type(name) in _LIMITS:
            raise NotImportable(f"`{name}` without `threshold`, on which promptfoo fails")
        return rule | _weight(raw)

    def _fields(self, spot: Spot) -> Mapping[str, JsonValue]:
        raw = spot.fields()
        reference = raw.get("$ref")
        if reference is None:
            return raw
        prefix = "#/assertionTemplates/"
        name = reference.removeprefix(prefix) if isinstance(reference, str) else ""
        found = self.templates.get(name)
        if not isinstance(found, Mapping):
            raise NotImportable("a `$ref` that does not lead to one of `assertionTemplates`")
        return {**found, **{key: value for key, value in raw.items() if key != "$ref"}}

    def _set(self, spot: Spot, raw: Mapping[str, JsonValue]) -> JsonObject:
        rules = []
        for inner in spot.at("assert").items():
            rule = self.assertion(inner, in_set=True)
            if isinstance(rule, Rubric):
                raise NotImportable("a set with a rubric")
            rules.append(rule)
        threshold = number(raw, "threshold")
        found: dict[str, JsonValue] = {"type": SET, "rules": rules}
        if threshold is not None:
            found["threshold"] = threshold
        if not rules:
            raise NotImportable("a set without assertions")
        return found | _weight(raw)

    def _rubric(self, raw: Mapping[str, JsonValue]) -> Rubric:
        text = raw.get("value")
        if not isinstance(text, str) or text.startswith((PREFIX, "package:")):
            raise NotImportable("a rubric that is no plain text")
        if "threshold" in raw or raw.get("weight", 1) != 1:
            raise NotImportable("a rubric with `threshold` or `weight`")
        return Rubric(render(text, self.values), raw.get("provider"))

    def _value(self, base: str, raw: Mapping[str, JsonValue]) -> JsonValue:
        value = self._rendered(raw.get("value"))
        if base in _LIMITS:
            return None
        if base in _SCHEMAS:
            return _schema(value)
        if base in _LISTS:
            return _list(base, value)
        if base == "equals":
            if "value" not in raw:
                raise NotImportable("`equals` without `value`")
            return value
        if base in {"contains", "icontains"}:
            if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
                raise NotImportable(f"`{base}` without a text or number, on which promptfoo fails")
            return value
        if not isinstance(value, str) or (value == "" and base != "levenshtein"):
            raise NotImportable(f"`{base}` without a text, on which promptfoo fails")
        return python_pattern(value) if base == "regex" else value

    def _rendered(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            if value.startswith("package:"):
                raise NotImportable("a package of npm, which is never executed")
            if value.startswith(PREFIX):
                return read_reference(value, self.read)
            return render(value, self.values)
        if isinstance(value, Sequence):
            return [self._rendered(each) if isinstance(each, str) else each for each in value]
        return value


def number(raw: Mapping[str, JsonValue], name: str) -> float | None:
    """Return a field that is a number, or None where it is not there.

    Raises:
        NotImportable: when it is no finite number.
    """
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotImportable(f"a `{name}` that is no number")
    return value


def _weight(raw: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    weight = number(raw, "weight")
    if weight is None:
        return {}
    if weight < 0:
        raise NotImportable("a `weight` below 0")
    return {"weight": weight}


def _list(base: str, value: JsonValue) -> JsonValue:
    if isinstance(value, str) and value:
        return list(comma_separated(value))
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise NotImportable(f"`{base}` without a list, on which promptfoo fails")
    if any(each is None or not isinstance(each, str | int | float) for each in value):
        raise NotImportable(f"`{base}` with something else than texts and numbers")
    return list(value)


def comma_separated(text: str) -> tuple[str, ...]:
    """Return the parts of a list in one text: between commas, or in double quotes.

    Raises:
        NotImportable: when a quote does not end, or no comma follows it.
    """
    found: list[str] = []
    at = 0
    while True:
        while at < len(text) and (text[at].isspace() or text[at] == ","):
            at += 1
        if at >= len(text):
            return tuple(found)
        if text[at] != '"':
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            found.append(text[at:end].strip())
            at = end
            continue
        part = []
        at += 1
        while text[at : at + 1] != '"' or text[at : at + 2] == '""':
            if at >= len(text):
                raise NotImportable("a list with a quote that does not end")
            at += text[at : at + 2] in {'\\"', "\\\\", '""'}
            part.append(text[at])
            at += 1
        found.append("".join(part))
        at += 1
        while text[at : at + 1].isspace():
            at += 1
        if text[at : at + 1] not in {"", ","}:
            raise NotImportable("a list with a quote that no comma follows")


def _schema(value: JsonValue) -> JsonObject | None:
    if isinstance(value, str) and value:
        try:
            value = parse_document(value.encode(), "schema").value
        except AgentciError as error:
            raise NotImportable(f"a schema that is not read: {error.message}") from error
    if value == "" or (not value and not isinstance(value, Mapping | Sequence)):
        return None
    if not isinstance(value, Mapping):
        raise NotImportable("a schema that is no mapping")
    return draft7(value)
