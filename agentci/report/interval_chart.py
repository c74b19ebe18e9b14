"""Where the marks of an interval stand in a small drawing, so that a template only has to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agentci.report.wording import (
    difference,
    interval_words,
    is_metric,
    is_rate,
    title_of,
)

if TYPE_CHECKING:
    from agentci.gate.decision import Comparison

WIDTH: Final = 260
"""Of the drawing, in its own units; its height is the template's business."""
_EDGE: Final = 8.0


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """One difference; all places are distances from the left."""

    zero: str
    point: str
    low: str | None
    high: str | None
    allowance: str | None
    """Where what the policy accepts ends."""
    worse_from: str
    """The side on which a change is for the worse, up to the edge."""
    worse_width: str
    label: str
    """In words, for who does not see it."""
    tone: str
    """`bad`, `good` or `open`: whether all of the interval lies on one side."""


def charts(comparisons: Sequence[Comparison]) -> tuple[IntervalChart, ...]:
    """Return a drawing for each comparison; those of one unit share their scale.

    Rates are drawn in points, what is spent relative to its base, scores as they are.
    """
    scales: dict[str, float] = {}
    for each in comparisons:
        scales[_unit(each)] = max(scales.get(_unit(each), 0.0), *map(abs, _values(each)))
    return tuple(_chart(each, scales[_unit(each)] or 1.0) for each in comparisons)


def _unit(comparison: Comparison) -> str:
    return "rate" if is_rate(comparison) else "spent" if is_metric(comparison) else "score"


def _relative(comparison: Comparison, value: float) -> float:
    if is_metric(comparison) and comparison.base:
        return value / comparison.base
    return value


def _values(comparison: Comparison) -> list[float]:
    found = [comparison.difference, comparison.allowance or 0.0]
    if comparison.interval is not None:
        found += [comparison.interval.low, comparison.interval.high]
    return [_relative(comparison, value) for value in found]


def _chart(comparison: Comparison, scale: float) -> IntervalChart:
    def place(value: float) -> str:
        half = WIDTH / 2
        return f"{half + _relative(comparison, value) / scale * (half - _EDGE):.1f}"

    interval, allowance = comparison.interval, comparison.allowance
    worse_left = comparison.higher_is_better
    limit = None if allowance is None else -allowance if worse_left else allowance
    zero = place(0.0)
    words = interval_words(comparison)
    label = f"{title_of(comparison)}: {difference(comparison)}"
    return IntervalChart(
        zero=zero,
        point=place(comparison.difference),
        low=None if interval is None else place(interval.low),
        high=None if interval is None else place(interval.high),
        allowance=None if limit is None else place(limit),
        worse_from="0" if worse_left else zero,
        worse_width=f"{WIDTH / 2:.1f}",
        label=f"{label}, interval {words}" if words else label,
        tone=_tone(comparison),
    )


def _tone(comparison: Comparison) -> str:
    found = comparison.interval
    if found is None or found.low <= 0 <= found.high:
        return "open"
    return "good" if (found.low > 0) is comparison.higher_is_better else "bad"
