"""Scorers that hold what was recorded of an answer against a maximum."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from agentci.core.errors import UsageError
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.spec.pipeline import Model

_UNITS: Final = {"cost": "", "tokens": " tokens", "steps": " model calls", "latency": " seconds"}


class LimitOptions(Model):
    """The maximum of something that was recorded; the value is maximum / measured beyond it."""

    max: float = Field(gt=0, allow_inf_nan=False, description="Up to this it passes.")


def score_of_metric(name: str, subject: Subject, maximum: float) -> Score:
    """Return 1 up to the maximum, and beyond it the share that it is of what was measured.

    Raises:
        UsageError: when nobody recorded the metric.
    """
    measured = subject.metrics.get(name)
    if measured is None or not 0 <= measured < float("inf"):
        raise UsageError(
            f"the {name} of the case `{subject.case.id}` is not known",
            code="ACI-U466",
            hint="a cost needs a `price` of each model"
            if name == "cost"
            else "it is recorded for model calls that agentci sees",
        )
    passed = measured <= maximum
    unit = _UNITS[name]
    told = f"expected at most {maximum:g}{unit}, got {measured:g}"
    return Score(
        1.0 if passed else maximum / measured,
        passed,
        "" if passed else told,
        {"measured": measured, "max": maximum},
    )
