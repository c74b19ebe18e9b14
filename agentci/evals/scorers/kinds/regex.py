"""The scorer `regex`: a regular expression that the answer matches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import AnswerOptions, refuse_long
from agentci.evals.scorers.patterns import Pattern, matches
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.wording import cut, quoted

LIMIT: Final = 1_000_000
"""Characters of an answer that are judged."""


class RegexOptions(AnswerOptions):
    """A regular expression that the answer matches. It is stopped after five seconds."""

    pattern: Pattern = Field(
        description="Regular expression of Python; flags stand in it, such as `(?s)`."
    )
    mode: Literal["search", "fullmatch"] = Field(
        "search", description="Whether it is found somewhere, or matches the whole answer."
    )
    ignore_case: bool = Field(False, description="Whether upper and lower case are the same.")
    absent: bool = Field(False, description="Turn it round: it must not match.")


class Regex:
    """Matches a regular expression."""

    kind: ClassVar[str] = "regex"
    version: ClassVar[int] = 1
    options: ClassVar[type[RegexOptions]] = RegexOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: RegexOptions, services: ScorerServices
    ) -> Score:
        """Match."""
        del services
        answer = options.text(subject)
        refused = refuse_long(answer, LIMIT)
        if refused is not None:
            return refused
        found = await matches(
            options.pattern,
            [answer],
            whole=options.mode == "fullmatch",
            ignore_case=options.ignore_case,
        )
        passed = bool(found) is not options.absent
        how = "no match of" if options.absent else "a match of"
        whole = " of the whole answer" if options.mode == "fullmatch" else ""
        told = f"expected {how} `{cut(options.pattern)}`{whole}, got {quoted(answer)}"
        return Score(float(passed), passed, "" if passed else told)
