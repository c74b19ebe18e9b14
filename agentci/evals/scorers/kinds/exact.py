"""The scorer `exact`: the answer is the expected text or value, to the character."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import ExpectedOptions, text_of
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.wording import difference


class ExactOptions(ExpectedOptions):
    """The answer is the expected text, to the character; other values by their canonical JSON."""

    strip: bool = Field(False, description="Leave out white space at both ends.")


class Exact:
    """Compares to the character."""

    kind: ClassVar[str] = "exact"
    version: ClassVar[int] = 1
    options: ClassVar[type[ExactOptions]] = ExactOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: ExactOptions, services: ScorerServices
    ) -> Score:
        """Compare."""
        del services
        expected, found = text_of(options.expected(subject)), options.text(subject)
        if options.strip:
            expected, found = expected.strip(), found.strip()
        equal = expected == found
        return Score(float(equal), equal, "" if equal else difference(expected, found))
