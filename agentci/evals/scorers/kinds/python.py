"""The scorer `python`: a function of the repository judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationError

from agentci.core.errors import StepFailed
from agentci.core.json_types import JsonObject, JsonValue
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import AnswerOptions, json_safe, text_of
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.wording import cut, shown
from agentci.spec.pipeline import Model


class PythonOptions(AnswerOptions):
    """A function judges: `def check(subject, **arguments)`, in a process of its own.

    `subject` is a dict with `case`, `output`, `text`, `outcome`, `message`, `trajectory`,
    `messages`, `changed_paths`, `patch` and `metrics`. It returns true or false, a number from 0 to
    1, or `{value, passed, explanation, details}`, where only `value` is needed.
    """

    function: str = Field(
        pattern=r"^[^:]+\.py:[A-Za-z_]\w*$",
        description="`file.py:function`, relative to the suite's folder.",
    )
    arguments: dict[str, Any] = Field(default_factory=dict, description="More keyword arguments.")


class _Verdict(Model):
    """What a function may return."""

    value: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | bool
    passed: bool | None = None
    explanation: str = ""
    details: dict[str, Any] = Field(default_factory=dict)


class Python:
    """Calls a function."""

    kind: ClassVar[str] = "python"
    version: ClassVar[int] = 1
    options: ClassVar[type[PythonOptions]] = PythonOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the file with the function."""
        function = options.get("function")
        return (function.partition(":")[0],) if isinstance(function, str) else ()

    async def score(
        self, subject: Subject, options: PythonOptions, services: ScorerServices
    ) -> Score:
        """Call it. A number passes when it is 1."""
        try:
            arguments = {**options.arguments, "subject": _subject(subject, options)}
        except RecursionError:
            return Score(0.0, passed=False, explanation="the answer nests too deep")
        returned = await services.call_python(options.function, arguments)
        verdict = _verdict(returned, options.function)
        value = float(verdict.value)
        passed = value >= 1 if verdict.passed is None else verdict.passed
        told = cut(verdict.explanation, 1000)
        if value < 1 and not told:
            told = f"`{options.function}` returned {shown(returned)}"
        return Score(value, passed, told, verdict.details)


def _subject(subject: Subject, options: PythonOptions) -> JsonObject:
    answer = options.judged(subject)
    return {
        "case": json_safe(subject.case.scope()),
        "output": json_safe(answer),
        "text": text_of(answer),
        "outcome": subject.outcome,
        "message": json_safe(subject.message),
        "trajectory": json_safe([asdict(use) for use in subject.trajectory]),
        "messages": json_safe(subject.messages),
        "changed_paths": json_safe(subject.changed_paths),
        "patch": json_safe(subject.patch),
        "metrics": json_safe(subject.metrics),
    }


def _verdict(returned: JsonValue, function: str) -> _Verdict:
    value = returned if isinstance(returned, Mapping) else {"value": returned}
    try:
        return _Verdict.model_validate(dict(value))
    except ValidationError as error:
        raise StepFailed(
            f"the scorer `{function}` returned {shown(returned)}, which is no score",
            code="ACI-S506",
            hint="return true, false, a number from 0 to 1, or a mapping with such a `value`, and "
            "with `passed`, `explanation` and `details` where needed",
        ) from error
