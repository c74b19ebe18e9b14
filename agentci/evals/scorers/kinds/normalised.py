"""The scorer `normalised`: the answer is the expected text, but for how it is written."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import ExpectedOptions, refuse_long, text_of
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.wording import difference

LIMIT: Final = 4_000_000
"""Characters of an answer that are judged."""


class NormalisedOptions(ExpectedOptions):
    """The answer is the expected text, but for how it is written."""

    case: bool = Field(False, description="Whether upper and lower case differ.")
    whitespace: Literal["keep", "collapse", "remove"] = Field(
        "collapse",
        description="`collapse`: white space is one blank, and none at the ends; `remove`: it does "
        "not count at all.",
    )
    punctuation: bool = Field(
        True, description="Whether punctuation counts (Unicode's categories P)."
    )
    unicode: Literal["keep", "NFC", "NFKC"] = Field(
        "NFC",
        description="Unicode normalisation form; `NFKC` also equates ligatures, wide letters and "
        "the like with plain ones.",
    )


class Normalised:
    """Compares what is left after normalisation."""

    kind: ClassVar[str] = "normalised"
    version: ClassVar[int] = 1
    options: ClassVar[type[NormalisedOptions]] = NormalisedOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: NormalisedOptions, services: ScorerServices
    ) -> Score:
        """Compare."""
        del services
        answer = options.text(subject)
        refused = refuse_long(answer, LIMIT)
        if refused is not None:
            return refused
        expected = _normalised(text_of(options.expected(subject)), options)
        found = _normalised(answer, options)
        equal = expected == found
        told = "" if equal else f"after normalisation, {difference(expected, found)}"
        return Score(float(equal), equal, told)


def _normalised(text: str, options: NormalisedOptions) -> str:
    if options.unicode != "keep":
        text = unicodedata.normalize(options.unicode, text)
    if not options.case:
        text = text.casefold()
        if options.unicode != "keep":  # case folding may leave what is no longer normalised
            text = unicodedata.normalize(options.unicode, text)
    if not options.punctuation:
        marks = {ord(char): None for char in set(text) if unicodedata.category(char)[0] == "P"}
        text = text.translate(marks)
    if options.whitespace == "keep":
        return text
    return ("" if options.whitespace == "remove" else " ").join(text.split())
