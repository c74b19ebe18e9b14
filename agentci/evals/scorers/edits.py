"""The distance of two texts in edits, by a library that is an extra."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from agentci.core.errors import EnvironmentProblem


def levenshtein(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Return the Levenshtein distance of two texts, or of two lists of characters.

    Raises:
        EnvironmentProblem: when the package for it is not installed.
    """
    try:
        from rapidfuzz.distance import Levenshtein  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise EnvironmentProblem(
            "an edit distance needs the package `rapidfuzz`",
            code="ACI-S502",
            hint="`pip install 'agentci-pipelines[scorers]'`",
        ) from error
    return int(Levenshtein.distance(one, other))
