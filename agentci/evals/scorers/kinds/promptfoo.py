"""The scorer `promptfoo`: assertions of an imported config, judged as promptfoo judges them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import AnswerOptions, refuse_long
from agentci.evals.scorers.foreign_json import LIMIT
from agentci.evals.scorers.foreign_rules import Answer, Rule, judge_all
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.wording import cut


class PromptfooOptions(AnswerOptions):
    """Assertions of promptfoo, as `agentci eval import` writes them, judged as promptfoo does.

    Regular expressions are those of Python, lists are lists, and there are no templates. No
    assertion always passes.
    """

    rules: tuple[Rule, ...] = Field(description="The assertions.")
    threshold: float | None = Field(
        None, description="The weighted mean from which on it passes; default: all have to hold."
    )


class Promptfoo:
    """Judges the assertions."""

    kind: ClassVar[str] = "promptfoo"
    version: ClassVar[int] = 1
    options: ClassVar[type[PromptfooOptions]] = PromptfooOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: PromptfooOptions, services: ScorerServices
    ) -> Score:
        """Judge all of them; the value is 1 where promptfoo says that the test passes."""
        del services
        text = options.text(subject)
        refused = refuse_long(text, LIMIT)
        if refused is not None:
            return refused
        answer = Answer(text, subject.metrics)
        judged = await judge_all(options.rules, answer, threshold=options.threshold)
        # a weighted mean of 1 may still be below a threshold, and one of 0.5 above it
        value = 1.0 if judged.passed else judged.score if judged.score < 1 else 0.0
        return Score(value, judged.passed, cut(judged.problem, 400), {"score": judged.score})
