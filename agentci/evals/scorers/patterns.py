"""Regular expressions of a suite on hostile texts, with an end to the time they take."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator

from agentci.core.errors import StepFailed

if TYPE_CHECKING:
    from agentci.evals.scorers.kept_process import KeptProcess

SECONDS: Final = 5.0
"""Time for one expression on all its texts."""

_QUICK_STEPS: Final = 10_000_000
_CHOICES: Final = re.compile(r"[*+?{|]")
_REPEATED_GROUP: Final = re.compile(r"\)\s*[*+?{]")
_REFERENCE: Final = re.compile(r"\\[1-9]|\(P=|\(\(|#")
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
    flags = int(re.IGNORECASE if ignore_case else 0)
    if _is_quick(pattern, texts):
        search = re.compile(pattern, flags).search
        return frozenset(index for index, text in enumerate(texts) if search(text))
    request = json.dumps({"pattern": pattern, "texts": list(texts), "flags": flags})
    reply = await asyncio.to_thread(_process().ask, request.encode("ascii"), seconds=SECONDS)
    if reply is None:
        raise StepFailed(
            f"the regular expression `{pattern[:200]}` did not end within {SECONDS:g} seconds",
            code="ACI-S501",
            hint="write it without a repetition inside a repetition, such as `(a+)+`",
        )
    return frozenset(json.loads(reply))


@cache
def _process() -> KeptProcess:
    # a process is seldom needed, and what starts it takes long to import
    from agentci.evals.scorers.kept_process import kept_process  # noqa: PLC0415

    return kept_process("pattern_child.py")


def _whole(pattern: str) -> str:
    flags = _GLOBAL_FLAGS.match(pattern)
    start = flags.group() if flags else ""
    # with the flag `x` the expression may end in a comment
    end = "\n" if "x" in start else ""
    return rf"{start}\A(?:{pattern.removeprefix(start)}{end})\Z"


def _is_quick(pattern: str, texts: Sequence[str]) -> bool:
    """Say whether a search takes few steps, whatever the texts are.

    Where no group is repeated and nothing is referred back to, k repetitions and alternatives leave
    at most n ** k ways through n characters, and a search starts n times. What could hide a
    repetition from this look, such as a comment, is never quick.
    """
    plain = pattern.replace("(?", "(")
    if _REPEATED_GROUP.search(plain) or _REFERENCE.search(plain):
        return False
    size = max(2, *map(len, texts)) if texts else 2
    choices = len(_CHOICES.findall(plain))
    return choices < 20 and len(texts) * size ** (choices + 1) <= _QUICK_STEPS
