"""Regular expressions of a suite on hostile texts, with an end to the time they take."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import AfterValidator

from agentci.core.errors import StepFailed

SECONDS: Final = 5.0
"""Time for one expression on all its texts."""

_QUICK_TEXT: Final = 10_000
_REPEATS: Final = re.compile(r"[*+?{]")
_GLOBAL_FLAGS: Final = re.compile(r"\(\?[aiLmsux]+\)")


def _checked(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"it is not a regular expression of Python: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_checked)]
"""A regular expression of Python."""


async def matches(
    pattern: str, texts: Sequence[str], *, whole: bool = False, ignore_case: bool = False
) -> frozenset[int]:
    """Return the indices of the texts in which `pattern` is found, or that it matches as a `whole`.

    Raises:
        StepFailed: when it takes too long, as some expressions do on some texts.
    """
    if whole:
        pattern = _whole(pattern)
    if _is_quick(pattern, texts):
        search = re.compile(pattern, re.IGNORECASE if ignore_case else 0).search
        return frozenset(index for index, text in enumerate(texts) if search(text))
    # a process is seldom needed, and what starts it takes long to import
    from agentci.tools.regex_process import find_matching_lines  # noqa: PLC0415

    found = await asyncio.to_thread(
        find_matching_lines,
        pattern,
        [[text] for text in texts],
        ignore_case=ignore_case,
        limit=len(texts),
        timeout=SECONDS,
    )
    if found is None:
        raise StepFailed(
            f"the regular expression `{pattern[:200]}` did not end within {SECONDS:g} seconds",
            code="ACI-S501",
            hint="write it without a repetition inside a repetition, such as `(a+)+`",
        )
    return frozenset(place.text for place in found)


def _whole(pattern: str) -> str:
    flags = _GLOBAL_FLAGS.match(pattern)
    start = flags.group() if flags else ""
    # with the flag `x` the expression may end in a comment
    end = "\n" if "x" in start else ""
    return rf"{start}\A(?:{pattern.removeprefix(start)}{end})\Z"


def _is_quick(pattern: str, texts: Sequence[str]) -> bool:
    """Say whether a search takes at most quadratic time in short texts: with one repetition."""
    repeats = _REPEATS.findall(pattern.replace("(?", "("))
    return len(repeats) <= 1 and sum(map(len, texts)) <= _QUICK_TEXT
