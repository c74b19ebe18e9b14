"""What scorers read of an answer, whatever a target or a model has put there.

Answers are hostile: they may hold halves of characters, numbers that JSON has not, or hundreds of
megabytes. What comes from here is text that can be compared and stored, and JSON that can be sent.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import Field

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import StepFailed, UsageError
from agentci.core.json_types import JsonValue
from agentci.core.text import replace_lone_surrogates
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.spec.pipeline import Model

_MAX_BITS: Final = 10_000
"""Python writes no numbers of more than 4300 digits."""


class AnswerOptions(Model):
    """Options of scorers that look at the answer."""

    answer: Any = Field(
        None, description="What is judged; default: the target's output. Takes an expression."
    )

    def judged(self, subject: Subject) -> JsonValue:
        """Return what is judged."""
        value: JsonValue = self.answer if "answer" in self.model_fields_set else subject.output
        return value

    def text(self, subject: Subject) -> str:
        """Return what is judged as text.

        Raises:
            StepFailed: when it nests too deep, or has a number that is too long, for any text.
        """
        text = _text(self.judged(subject))
        if text is None:
            raise StepFailed(
                f"the answer to the case `{subject.case.id}` cannot be written as text",
                code="ACI-S509",
                hint="pick the part to judge with the target's `output`",
            )
        return text


class ExpectedOptions(AnswerOptions):
    """Options of scorers that compare the answer with an expected one."""

    value: Any = Field(None, description="What is expected; default: the case's `expected`.")

    def expected(self, subject: Subject) -> JsonValue:
        """Return what is expected.

        Raises:
            UsageError: when neither the options nor the case say it.
        """
        if "value" in self.model_fields_set:
            value: JsonValue = self.value
            return value
        if subject.case.expected is None:
            raise UsageError(
                f"the case `{subject.case.id}` has no expected answer",
                code="ACI-U462",
                hint="give the case an `expected`, or the scorer a `value`",
            )
        return subject.case.expected


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """An answer as a JSON value."""

    value: JsonValue
    problem: str = ""
    """Why it is none, for people; empty where it is."""


def text_of(value: JsonValue) -> str:
    """Return a text as it is, `{text: ...}` by its text, anything else as canonical JSON.

    Never fails: what canonical JSON cannot carry is written in Python's JSON, and what that cannot
    write is told in words.
    """
    text = _text(value)
    return "(cannot be shown)" if text is None else text


def _text(value: JsonValue) -> str | None:
    plain = _unwrapped(value)
    if isinstance(plain, str):
        return replace_lone_surrogates(plain)
    try:
        return canonical_bytes(plain).decode()
    except RecursionError:
        return None
    except ValueError:
        pass  # NaN, halves of characters: worth a look
    try:
        return replace_lone_surrogates(json.dumps(plain, sort_keys=True, ensure_ascii=False))
    except (RecursionError, ValueError):
        return None


def json_of(value: JsonValue, *, limit: int) -> JsonAnswer:
    """Return an answer as JSON: a text is read, alone or in one fenced block, the rest is taken.

    Texts of more than `limit` characters are not read.
    """
    plain = _unwrapped(value)
    if not isinstance(plain, str):
        try:
            canonical_bytes(plain).decode()
        except RecursionError:
            return JsonAnswer(None, "the answer nests too deep")
        except ValueError:
            return JsonAnswer(None, "the answer has text or numbers that JSON cannot carry")
        return JsonAnswer(plain)
    if len(plain) > limit:
        return JsonAnswer(None, _too_long(plain, limit))
    from agentci.agents.structured import read_answer  # noqa: PLC0415 - a check reads no answers

    reading = read_answer(plain, {})
    if reading.problem is not None:
        return JsonAnswer(None, f"the answer is no JSON value: {reading.problem}")
    return JsonAnswer(reading.value)


def json_safe(value: Any) -> JsonValue:
    """Return `value` as canonical JSON can carry it: halves of characters replaced.

    NaN, infinite and endless numbers become texts.

    Raises:
        RecursionError: when it nests too deep.
    """
    if isinstance(value, str):
        return replace_lone_surrogates(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return hex(value)
    if isinstance(value, Mapping):
        return {replace_lone_surrogates(str(key)): json_safe(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [json_safe(item) for item in value]
    plain: JsonValue = value
    return plain


def refuse_long(text: str, limit: int) -> Score | None:
    """Return the score of an answer that is too long to be judged, or None where it is not."""
    return (
        Score(0.0, passed=False, explanation=_too_long(text, limit)) if len(text) > limit else None
    )


def _too_long(text: str, limit: int) -> str:
    return f"the answer has {len(text):,} characters, more than the {limit:,} that are judged"


def _unwrapped(value: JsonValue) -> JsonValue:
    if isinstance(value, dict) and set(value) == {"text"} and isinstance(value["text"], str):
        return value["text"]
    return value
