"""The scorer `numeric`: the answer is a number near the expected one."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from agentci.core.errors import UsageError
from agentci.core.json_types import JsonValue
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import ExpectedOptions, refuse_long, text_of
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.wording import quoted, shown

LIMIT: Final = 1_000_000
"""Characters of an answer that are judged."""

_NUMBER: Final = re.compile(
    "(?<![\\w.])[-+\N{MINUS SIGN}]?"
    r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)"
    r"(?:[eE][-+]?[0-9]{1,4}(?![0-9]))?"
)
_LONGEST: Final = 400


class NumericOptions(ExpectedOptions):
    """The answer is a number near the expected one, within the wider of both tolerances."""

    absolute: float = Field(
        0, ge=0, allow_inf_nan=False, description="How far the answer may be off."
    )
    relative: float = Field(
        0, ge=0, allow_inf_nan=False, description="The same as a share of the expected number."
    )
    extract: Literal["none", "first", "last", "only"] = Field(
        "none",
        description="Which number of a text is the answer; `none`: the text is just a number; "
        "`only`: there must not be a second one.",
    )


class Numeric:
    """Compares numbers."""

    kind: ClassVar[str] = "numeric"
    version: ClassVar[int] = 1
    options: ClassVar[type[NumericOptions]] = NumericOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: NumericOptions, services: ScorerServices
    ) -> Score:
        """Compare."""
        del services
        expected = _expected(subject, options)
        judged = options.judged(subject)
        text = text_of(judged)
        refused = refuse_long(text, LIMIT)
        if refused is not None:
            return refused
        found = _number(judged) if _is_number(judged) else _extract(text, options.extract)
        if isinstance(found, str):
            told = f"expected {shown(expected)}, got {found}: {quoted(text)}"
            return Score(0.0, passed=False, explanation=told)
        allowed = max(options.absolute, options.relative * abs(expected))
        off = abs(found - expected)
        # an infinite difference is never within an infinite tolerance
        passed = found == expected or (off <= allowed and math.isfinite(off))
        details: dict[str, JsonValue] = {"expected": expected, "found": found, "allowed": allowed}
        within = f" within {allowed:g}" if allowed else ""
        told = "" if passed else f"expected {expected!r}{within}, got {found!r}, {off:g} off"
        return Score(float(passed), passed, told, details if math.isfinite(allowed) else {})


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _expected(subject: Subject, options: NumericOptions) -> float:
    value = options.expected(subject)
    found = _number(value) if _is_number(value) else _extract(text_of(value), "none")
    if isinstance(found, str):
        raise UsageError(
            f"the expected answer of the case `{subject.case.id}` is {found}: {shown(value)}",
            code="ACI-U464",
            hint="give a number as the case's `expected`, or as the scorer's `value`",
        )
    return found


def _number(value: Any) -> float | str:
    """Return a finite number, or why it is none."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    return number if math.isfinite(number) else "no finite number"


def _extract(text: str, which: str) -> float | str:
    """Return a number of a text, or why there is none. Commas between thousands are left out."""
    if which == "none":
        match = _NUMBER.fullmatch(text.strip())
        return _read(match.group()) if match else "no number"
    found = [match.group() for match in _NUMBER.finditer(text)]
    if not found:
        return "no number"
    if which == "only" and len(found) > 1:
        return f"{len(found)} numbers"
    return _read(found[-1 if which == "last" else 0])


def _read(text: str) -> float | str:
    if len(text) > _LONGEST:
        return f"a number of {len(text):,} digits"
    return _number(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))
