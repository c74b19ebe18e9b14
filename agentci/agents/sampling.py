"""Choosing one of several samples. Pure; ties are broken by seed, never by what finished first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import StepFailed
from agentci.core.json_types import JsonValue
from agentci.core.seed import derive_seed


@dataclass(frozen=True, slots=True)
class Selection:
    """The sample that was chosen."""

    index: int
    """Counted from 0, in the order of the samples."""
    votes: int
    """How many samples are as good as this one: equal answers, or equal scores."""
    tied: int
    """Among how many candidates the seed decided; 1 where there was no tie."""


def select_majority(outputs: Sequence[JsonValue], *, seed: int) -> Selection:
    """Return the first sample with the answer that most samples gave.

    Answers are equal when their canonical JSON is. Among equally frequent answers the seed
    decides, whatever the order of the samples.

    Raises:
        StepFailed: when there are no samples.
    """
    groups: dict[bytes, list[int]] = {}
    for index, output in enumerate(outputs):
        groups.setdefault(canonical_bytes(output), []).append(index)
    _require_samples(len(outputs))
    votes = max(len(members) for members in groups.values())
    tied = sorted(form for form, members in groups.items() if len(members) == votes)
    chosen = tied[_draw(len(tied), seed=seed, purpose="majority")]
    return Selection(groups[chosen][0], votes, len(tied))


def select_best(scores: Sequence[Any], *, seed: int) -> Selection:
    """Return the sample with the highest score; among equal ones the seed decides.

    Raises:
        StepFailed: when there are no samples, or a score is not a finite number.
    """
    _require_samples(len(scores))
    for index, score in enumerate(scores):
        if isinstance(score, bool) or not isinstance(score, int | float) or not _finite(score):
            raise StepFailed(
                f"the score of sample {index} is `{score!r:.80}`, not a finite number",
                code="ACI-S151",
                hint="let the scorer of `select.best` return one number for each sample",
            )
    best = max(scores)
    tied = [index for index, score in enumerate(scores) if score == best]
    index = tied[_draw(len(tied), seed=seed, purpose="best")]
    return Selection(index, len(tied), len(tied))


def select_first_passing(passed: Sequence[bool]) -> Selection | None:
    """Return the first sample that passed its check, in the order of the samples; None if none."""
    _require_samples(len(passed))
    if True not in passed:
        return None
    return Selection(list(passed).index(True), sum(passed), 1)


def _finite(score: float) -> bool:
    try:
        return math.isfinite(score)
    except OverflowError:  # an integer beyond the range of doubles
        return True


def _draw(count: int, *, seed: int, purpose: str) -> int:
    return derive_seed(seed, "select", purpose) % count


def _require_samples(count: int) -> None:
    if not count:
        raise StepFailed(
            "no sample has an answer to select from",
            code="ACI-S154",
            hint="`agentci show RUN` tells why each of them has none",
        )
