"""The deterministic assertions of promptfoo, judged as promptfoo judges them (version 0.121.20).

An assertion is what the importer has made of the one in a config: its templates are filled in, its
regular expression is one of Python, its lists are lists. Reads nothing and starts nothing but
checks of regular expressions and schemas.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field, model_validator

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import UsageError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.evals.scorers.edits import levenshtein
from agentci.evals.scorers.foreign_json import (
    as_javascript,
    is_same,
    json_parts,
    parse_as_javascript,
)
from agentci.evals.scorers.patterns import matches
from agentci.evals.scorers.schema_process import find_violations
from agentci.evals.scorers.wording import cut, quoted, shown
from agentci.spec.pipeline import Model

_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_INVERSE: Final = "not-"
SET: Final = "assert-set"


class Rule(Model):
    """One assertion, or a set of them."""

    type: str = Field(description="Its name in promptfoo, also with `not-`; or `assert-set`.")
    value: Any = Field(None, description="What it compares with.")
    threshold: float | None = Field(None, description="Of `levenshtein`, `cost`, `latency`, sets.")
    weight: float = Field(1.0, ge=0, allow_inf_nan=False, description="0: it cannot fail.")
    rules: tuple[Rule, ...] = Field((), description="Of a set.")

    @model_validator(mode="after")
    def _is_known(self) -> Rule:
        if self.type == SET:
            if any(rule.type == SET for rule in self.rules):
                raise ValueError("a set holds no sets")
        elif base_type(self.type) not in KNOWN:
            raise ValueError(f"`{self.type[:80]}` is not an assertion that is judged here")
        return self


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of an assertion or of several."""

    passed: bool
    score: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is judged."""

    text: str
    metrics: Mapping[str, float]


def base_type(name: str) -> str:
    """Return the name of an assertion without `not-`."""
    return name.removeprefix(_INVERSE)


async def judge_all(
    rules: Sequence[Rule], answer: Answer, *, threshold: float | None = None
) -> Judged:
    """Return the verdict of several assertions: the weighted mean against a threshold, or all."""
    if not rules:
        return Judged(passed=True, score=1.0)
    total = weights = 0.0
    problems = []
    for rule in rules:
        judged = await _judge(rule, answer)
        total += judged.score * rule.weight
        weights += rule.weight
        if not judged.passed:
            problems.append(judged.problem)
    score = total / weights if weights > 0 else 0.0
    told = "; ".join(problems)
    if threshold is None:
        return Judged(not problems, score, told)
    passed = score >= threshold
    told = f"score {score:g} is below {threshold:g}" + (f": {told}" if told else "")
    return Judged(passed, score, "" if passed else told)


async def _judge(rule: Rule, answer: Answer) -> Judged:
    if rule.type == SET:
        judged = await judge_all(rule.rules, answer, threshold=rule.threshold)
    else:
        holds = await KNOWN[base_type(rule.type)](rule, answer)
        passed = holds is not rule.type.startswith(_INVERSE)
        problem = "" if passed else _problem(rule, answer)
        judged = Judged(passed, float(passed), problem)
    if rule.weight == 0 and rule.type != SET:
        return Judged(passed=True, score=judged.score)
    return judged


def _problem(rule: Rule, answer: Answer) -> str:
    limit = "" if rule.threshold is None else f" within {rule.threshold:g}"
    value = "" if rule.value is None else f" {shown(rule.value)}"
    return f"expected `{rule.type}`{cut(value, 200)}{limit}, got {quoted(answer.text)}"


def javascript_text(value: JsonValue) -> str:
    """Return a text, number or truth value as JavaScript writes it."""
    return value if isinstance(value, str) else canonical_bytes(value).decode()


async def _equals(rule: Rule, answer: Answer) -> bool:
    if rule.value is not None and isinstance(rule.value, str | bool | int | float):
        return javascript_text(rule.value) == answer.text
    try:
        found = parse_as_javascript(answer.text)
    except ValueError:
        return False
    return is_same(as_javascript(rule.value), found)


async def _contains(rule: Rule, answer: Answer) -> bool:
    return javascript_text(rule.value) in answer.text


async def _icontains(rule: Rule, answer: Answer) -> bool:
    return javascript_text(rule.value).lower() in answer.text.lower()


async def _contains_all(rule: Rule, answer: Answer) -> bool:
    return all(javascript_text(part) in answer.text for part in rule.value)


async def _contains_any(rule: Rule, answer: Answer) -> bool:
    return any(javascript_text(part) in answer.text for part in rule.value)


async def _icontains_all(rule: Rule, answer: Answer) -> bool:
    return all(javascript_text(part).lower() in answer.text.lower() for part in rule.value)


async def _icontains_any(rule: Rule, answer: Answer) -> bool:
    return any(javascript_text(part).lower() in answer.text.lower() for part in rule.value)


async def _starts_with(rule: Rule, answer: Answer) -> bool:
    return answer.text.startswith(rule.value)


async def _regex(rule: Rule, answer: Answer) -> bool:
    return bool(await matches(rule.value, [answer.text]))


async def _is_json(rule: Rule, answer: Answer) -> bool:
    try:
        found = parse_as_javascript(answer.text)
    except ValueError:
        return False
    return await _fits(rule.value, found)


async def _contains_json(rule: Rule, answer: Answer) -> bool:
    for part in json_parts(answer.text):
        if await _fits(rule.value, part):
            return True
    return False


async def _fits(schema: JsonObject | None, value: JsonValue) -> bool:
    if schema is None:
        return True
    # Ajv takes draft 7 where a schema does not say
    return not await find_violations({"$schema": _DIALECT, **schema}, value)


async def _levenshtein(rule: Rule, answer: Answer) -> bool:
    limit = 5 if rule.threshold is None else rule.threshold
    return levenshtein(_units(answer.text), _units(rule.value)) <= limit


def _units(text: str) -> Sequence[int]:
    """Return the UTF-16 code units, which JavaScript counts."""
    data = text.encode("utf-16-le", "surrogatepass")
    return memoryview(data).cast("H").tolist()


async def _cost(rule: Rule, answer: Answer) -> bool:
    return _measured("cost", answer) <= _limit(rule)


async def _latency(rule: Rule, answer: Answer) -> bool:
    return 1000 * _measured("latency", answer) <= _limit(rule)


def _measured(name: str, answer: Answer) -> float:
    found = answer.metrics.get(name)
    if found is None:
        raise UsageError(
            f"the {name} is not known",
            code="ACI-U500",
            hint="a cost needs a `price` of each model"
            if name == "cost"
            else "it is recorded for model calls that agentci sees",
        )
    return found


def _limit(rule: Rule) -> float:
    if rule.threshold is None:
        raise UsageError(f"`{rule.type}` needs a `threshold`", code="ACI-U501")
    return rule.threshold


KNOWN: Final[Mapping[str, Callable[[Rule, Answer], Awaitable[bool]]]] = {
    "contains": _contains,
    "contains-all": _contains_all,
    "contains-any": _contains_any,
    "contains-json": _contains_json,
    "cost": _cost,
    "equals": _equals,
    "icontains": _icontains,
    "icontains-all": _icontains_all,
    "icontains-any": _icontains_any,
    "is-json": _is_json,
    "latency": _latency,
    "levenshtein": _levenshtein,
    "regex": _regex,
    "starts-with": _starts_with,
}
"""The assertions that are judged, by their names without `not-`."""
