"""The scorer `edit_distance`: how near the answer is to the expected text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import ExpectedOptions, refuse_long, text_of
from agentci.evals.scorers.edits import levenshtein
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.wording import difference

LIMIT: Final = 100_000
"""Characters of an answer that are judged: the time grows with the product of both lengths."""


class EditDistanceOptions(ExpectedOptions):
    """How near the answer is to the expected text: 1 less the share of characters to edit.

    The value is 1 - d / n, where d is the Levenshtein distance and n the length of the longer text.
    Give the scorer a `threshold`, or only equal texts pass.
    """


class EditDistance:
    """Measures the normalised Levenshtein distance."""

    kind: ClassVar[str] = "edit_distance"
    version: ClassVar[int] = 1
    options: ClassVar[type[EditDistanceOptions]] = EditDistanceOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: EditDistanceOptions, services: ScorerServices
    ) -> Score:
        """Measure."""
        del services
        expected, found = text_of(options.expected(subject)), options.text(subject)
        refused = refuse_long(found, LIMIT)
        if refused is not None:
            return refused
        distance = levenshtein(expected, found)
        longer = max(len(expected), len(found))
        value = 1 - distance / longer if longer else 1.0
        told = f"{distance} edits: {difference(expected, found)}" if distance else ""
        return Score(value, not distance, told, {"edits": distance, "length": longer})
