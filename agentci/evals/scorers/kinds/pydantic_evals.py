"""The scorer `pydantic_evals`: evaluators of an imported dataset, judged as pydantic-evals does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from agentci.core.errors import StepFailed, UsageError
from agentci.core.json_types import JsonValue
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import AnswerOptions, json_safe
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.verdicts import Check, score_of_checks
from agentci.evals.scorers.wording import shown
from agentci.spec.pipeline import Model

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "bool": (bool,),
    "dict": (dict,),
    "float": (float,),
    "int": (int,),
    "list": (list,),
    "object": (object,),
    "str": (str,),
}


class Evaluator(Model):
    """One evaluator."""

    type: Literal["Contains", "Equals", "IsInstance", "MaxDuration"]
    value: Any = Field(None, description="What it compares with.")
    case_sensitive: bool = Field(True, description="Of `Contains`, for texts.")
    as_strings: bool = Field(False, description="Of `Contains`: compare as texts.")


class PydanticEvalsOptions(AnswerOptions):
    """Evaluators of pydantic-evals, as `agentci eval import` writes them."""

    evaluators: tuple[Evaluator, ...] = Field(description="All of them have to hold.")


class PydanticEvals:
    """Judges the evaluators."""

    kind: ClassVar[str] = "pydantic_evals"
    version: ClassVar[int] = 1
    options: ClassVar[type[PydanticEvalsOptions]] = PydanticEvalsOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: PydanticEvalsOptions, services: ScorerServices
    ) -> Score:
        """Judge all of them."""
        del services
        if not options.evaluators:
            return Score(1.0, passed=True)
        try:
            output = _plain(json_safe(options.judged(subject)))
        except RecursionError:
            return Score(0.0, passed=False, explanation="the answer nests too deep")
        checks = [
            Check(
                _holds(each, output, subject.metrics),
                f"expected {each.type} {shown(each.value)}, got {shown(output)}",
            )
            for each in options.evaluators
        ]
        return score_of_checks(checks)


def _plain(value: JsonValue) -> JsonValue:
    """Return an answer as the task of a dataset would: lists and dicts of Python, texts alone."""
    if isinstance(value, Mapping):
        if set(value) == {"text"} and isinstance(value["text"], str):
            return value["text"]
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _holds(each: Evaluator, output: JsonValue, metrics: Mapping[str, float]) -> bool:
    if each.type == "Equals":
        return bool(output == _plain(each.value))
    if each.type == "IsInstance":
        return isinstance(output, _TYPES.get(each.value, ()))
    if each.type == "MaxDuration":
        if "latency" not in metrics:
            raise UsageError(
                "the duration is not known",
                code="ACI-U500",
                hint="it is recorded for model calls that agentci sees",
            )
        return bool(metrics["latency"] <= each.value)
    return _contains(each, output)


def _contains(each: Evaluator, output: Any) -> bool:
    value = _plain(each.value)
    if each.as_strings or (isinstance(value, str) and isinstance(output, str)):
        if isinstance(output, dict | list) or isinstance(value, dict | list):
            raise StepFailed(
                "lists and mappings as texts of Python are not compared", code="ACI-S516"
            )
        text, part = str(output), str(value)
        if not each.case_sensitive:
            text, part = text.lower(), part.lower()
        return part in text
    if isinstance(output, dict) and isinstance(value, dict):
        return all(key in output and output[key] == value[key] for key in value)
    try:
        return value in output
    except TypeError:  # what has no parts contains nothing
        return False
