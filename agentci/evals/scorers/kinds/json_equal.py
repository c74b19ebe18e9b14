"""The scorer `json_equal`: the answer is JSON with the expected parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import ExpectedOptions, json_of
from agentci.evals.scorers.json_compare import Rules, TooDifferent, differences
from agentci.evals.scorers.protocol import ScorerServices

LIMIT: Final = 16_000_000
"""Characters of an answer that are read."""

Pointer = Annotated[str, Field(pattern=r"^(/.*)?$")]


class JsonEqualOptions(ExpectedOptions):
    """The answer is JSON, alone or in one fenced block, and equal to what is expected."""

    ignore: tuple[Pointer, ...] = Field(
        (), description="JSON pointers of parts that do not count; `*` is any name or index."
    )
    unordered: tuple[Pointer, ...] | bool = Field(
        False,
        description="Lists whose order does not count: all, or those at these JSON pointers.",
    )
    extra: bool = Field(False, description="Whether objects may have more members than expected.")
    absolute: float = Field(
        0, ge=0, allow_inf_nan=False, description="How far a number may be off."
    )
    relative: float = Field(
        0, ge=0, allow_inf_nan=False, description="The same as a share of the expected number."
    )


class JsonEqual:
    """Compares JSON values."""

    kind: ClassVar[str] = "json_equal"
    version: ClassVar[int] = 1
    options: ClassVar[type[JsonEqualOptions]] = JsonEqualOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: JsonEqualOptions, services: ScorerServices
    ) -> Score:
        """Compare."""
        del services
        expected = _expected(options.expected(subject))
        answer = json_of(options.judged(subject), limit=LIMIT)
        if answer.problem:
            return Score(0.0, passed=False, explanation=answer.problem)
        try:
            found = differences(expected, answer.value, _rules(options))
        except TooDifferent:
            told = "the lists in any order have too little in common to be compared"
            return Score(0.0, passed=False, explanation=told)
        except RecursionError:
            return Score(0.0, passed=False, explanation="the answer nests too deep")
        if not found:
            return Score(1.0, passed=True)
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return Score(0.0, False, f"{found[0]}{more}", {"differences": list(found)})


def _expected(value: Any) -> Any:
    """Return what is expected; a text that is JSON of a list or an object stands for that."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    read = json_of(value, limit=LIMIT)
    return value if read.problem else read.value


def _rules(options: JsonEqualOptions) -> Rules:
    unordered = options.unordered
    pointers = (("**",) if unordered else ()) if isinstance(unordered, bool) else unordered
    return Rules(options.ignore, pointers, options.extra, options.absolute, options.relative)
