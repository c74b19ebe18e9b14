"""Patches in answers: finding the text, and asking git whether it applies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentci.evals.scorers.wording import cut

if TYPE_CHECKING:
    from agentci.evals.scorers.workplace import Workplace

_FENCE: Final = re.compile(r"^[ ]{0,3}```[ \t]*(?P<word>[a-zA-Z]*)[ \t]*\r?$", re.MULTILINE)
_START: Final = re.compile(r"^(?:diff --git |--- [^\n]*\n\+\+\+ )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Applied:
    """What git says of a patch."""

    paths: tuple[str, ...]
    """The files that it changes, sorted."""
    problem: str = ""
    """Why it does not apply; empty where it does."""


def read_patch(text: str) -> str:
    """Return the patch in an answer: fenced blocks that are one, or all from its first header.

    Empty where there is none.
    """
    blocks = [block for block in _blocks(text) if _START.search(block)]
    if not blocks:
        start = _START.search(text)
        blocks = [text[start.start() :]] if start else []
    return "".join(block if block.endswith("\n") else f"{block}\n" for block in blocks)


async def apply_patch(
    place: Workplace,
    patch: str,
    *,
    timeout: float,  # noqa: ASYNC109 - the sandbox kills what it has started
    strip: int = 1,
    check: bool = False,
) -> Applied:
    """Apply a patch to the workspace, whole or not at all; with `check` only say whether it would.

    git refuses paths that leave the folder, and such that lead through symbolic links.

    Raises:
        EnvironmentProblem: when there is no git.
    """
    flags = (f"-p{strip}", "--whitespace=nowarn", "--numstat", "-z")
    how = "--check" if check else "--apply"
    ran = await place.run(
        ("git", "apply", *flags, how, "-"), timeout=timeout, stdin=patch.encode("utf-8", "replace")
    )
    if ran.timed_out:
        return Applied((), f"git did not end within {timeout:g} seconds")
    if ran.exit_code != 0:
        errors = [
            line.removeprefix("error: ")
            for line in ran.stderr.splitlines()
            if line.startswith(("error: ", "fatal: "))
        ]
        return Applied((), cut("; ".join(errors) or ran.tail or "git refuses it", 300))
    return Applied(_paths(ran.printed))


def _blocks(text: str) -> list[str]:
    """Return the texts between pairs of fences."""
    fences = list(_FENCE.finditer(text))
    blocks = []
    position = 0
    while position + 1 < len(fences):
        start, end = fences[position], fences[position + 1]
        blocks.append(text[start.end() + 1 : end.start()])
        position += 2
    return blocks


def _paths(numstat: str) -> tuple[str, ...]:
    """Read `added TAB removed TAB path NUL`; of a rename git lists only the new name."""
    fields = [record.split("\t", 2) for record in numstat.split("\0") if record.count("\t") >= 2]
    return tuple(sorted({path for _added, _removed, path in fields}))
