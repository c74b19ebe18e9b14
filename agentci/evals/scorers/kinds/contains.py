"""The scorer `contains`: texts that the answer has to have, and texts that it must not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator

from agentci.core.errors import UsageError
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import AnswerOptions, text_of
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.verdicts import Check, score_of_checks
from agentci.evals.scorers.wording import quoted


class ContainsOptions(AnswerOptions):
    """Texts that the answer has to have; default: the case's `expected`, all of it if a list."""

    all: tuple[str, ...] = Field((), description="Every one of these.")
    any: tuple[str, ...] = Field((), description="At least one of these.")
    none: tuple[str, ...] = Field((), description="Not one of these.")
    case: bool = Field(True, description="Whether upper and lower case differ.")

    @model_validator(mode="after")
    def _has_no_empty_text(self) -> ContainsOptions:
        if "" in (*self.all, *self.any, *self.none):
            raise ValueError("every text contains the empty text; leave it out")
        return self


class Contains:
    """Looks for texts."""

    kind: ClassVar[str] = "contains"
    version: ClassVar[int] = 1
    options: ClassVar[type[ContainsOptions]] = ContainsOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: ContainsOptions, services: ScorerServices
    ) -> Score:
        """Look for each text; the value is the share of expectations that hold."""
        del services
        answer = options.text(subject)
        wanted = options.all
        if not (options.all or options.any or options.none):
            wanted = _expected(subject)
        text = answer if options.case else answer.casefold()

        def place(part: str) -> int:
            return text.find(part if options.case else part.casefold())

        start = quoted(answer)
        checks = [
            Check(place(part) >= 0, f"expected {quoted(part)} in the answer, got {start}")
            for part in wanted
        ]
        if options.any:
            shown = ", ".join(quoted(part) for part in options.any[:5])
            found = any(place(part) >= 0 for part in options.any)
            checks.append(Check(found, f"expected one of {shown} in the answer, got {start}"))
        checks += [
            Check(
                place(part) < 0,
                f"did not expect {quoted(part)}, got {quoted(text, max(0, place(part)))}",
            )
            for part in options.none
        ]
        return score_of_checks(checks)


def _expected(subject: Subject) -> tuple[str, ...]:
    expected = subject.case.expected
    texts = expected if isinstance(expected, list | tuple) else [expected]
    parts = tuple(text_of(text) for text in texts if text is not None)
    if not parts or "" in parts:
        raise UsageError(
            f"the case `{subject.case.id}` does not say what the answer has to contain",
            code="ACI-U463",
            hint="give the case an `expected`, or the scorer one of `all`, `any`, `none`",
        )
    return parts
