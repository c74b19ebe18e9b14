"""What scorers read of an answer, whatever a target or a model has put there.

Answers are hostile: they may hold halves of characters, numbers that JSON has not, or hundreds of
megabytes. What comes from here is text that can be compared and stored.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import Field

from agentci.agents.carriable import replace_lone_surrogates
from agentci.core.canonical import canonical_bytes
from agentci.core.json_types import JsonValue
from agentci.evals.case import Subject
from agentci.spec.pipeline import Model

MAX_TEXT: Final = 4_000_000
"""Characters of an answer that scorers look at, unless they say otherwise."""


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
        """Return what is judged as text."""
        return text_of(self.judged(subject))


def text_of(value: JsonValue) -> str:
    """Return a text as it is, `{text: ...}` by its text, anything else as canonical JSON.

    Never fails: what canonical JSON cannot carry is written in Python's JSON, and what nests too
    deep for any is told in words.
    """
    if isinstance(value, dict) and set(value) == {"text"} and isinstance(value["text"], str):
        value = value["text"]
    if isinstance(value, str):
        return replace_lone_surrogates(value)
    try:
        return canonical_bytes(value).decode()
    except RecursionError:
        return "(nests too deep to be shown)"
    except ValueError:
        return replace_lone_surrogates(json.dumps(value, sort_keys=True, ensure_ascii=False))
