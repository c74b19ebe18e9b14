"""Rules for the paths that a change may, must and must not touch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from agentci.evals.scorers.verdicts import Check
from agentci.evals.scorers.wording import listed
from agentci.tools.protocol import ToolProblem
from agentci.tools.walk import path_filter


def _compiled(glob: str) -> re.Pattern[str]:
    try:
        found = path_filter(glob)
    except ToolProblem as error:
        raise ValueError(str(error)) from error
    if found is None:
        raise ValueError("a glob must not be empty")
    return found


def _checked(glob: str) -> str:
    _compiled(glob)
    return glob


Glob: TypeAlias = Annotated[str, AfterValidator(_checked)]
"""`*` stays in one folder, `**` spans several; without a slash it is for names in any folder."""


def path_checks(
    paths: Sequence[str],
    *,
    allowed: Sequence[str],
    required: Sequence[str],
    forbidden: Sequence[str],
) -> list[Check]:
    """Return a check for `allowed` as a whole, and for each of the other globs."""
    checks = []
    if allowed:
        patterns = [_compiled(glob) for glob in allowed]
        others = [path for path in paths if not any(each.fullmatch(path) for each in patterns)]
        told = f"expected changes only in {listed(list(allowed))}, got {listed(others)}"
        checks.append(Check(not others, told))
    for glob in required:
        pattern = _compiled(glob)
        got = listed(list(paths)) or "none"
        told = f"expected a change in `{glob}`, got {got}"
        checks.append(Check(any(pattern.fullmatch(path) for path in paths), told))
    for glob in forbidden:
        pattern = _compiled(glob)
        touched = [path for path in paths if pattern.fullmatch(path)]
        told = f"expected no change in `{glob}`, got {listed(touched)}"
        checks.append(Check(not touched, told))
    return checks
