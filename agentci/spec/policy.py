"""What blocks a merge: `policy.yaml`, or the key `policy` of a suite, version 1.

Field descriptions are the reference documentation.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from agentci.spec.pipeline import Model, Name

Blocking: TypeAlias = Literal["block", "report"]


class CasesPolicy(Model):
    """What the list of changed cases decides. It is exact: a replay has no sampling noise."""

    newly_broken: int = Field(
        0,
        ge=0,
        description="Cases that may break before the gate blocks. Required cases never count "
        "against it: one of them that breaks always blocks.",
    )
    not_judged: Blocking = Field(
        "block",
        description="What it means when a case of the base cannot be judged any more because "
        "its recordings do not fit: `block` ends with exit code 4.",
    )
    removed: Blocking = Field(
        "report", description="What it means when a case of the base is not in the suite any more."
    )
    new_failing: Blocking = Field(
        "report", description="What it means when a case that the base does not have fails."
    )


class StatisticsPolicy(Model):
    """Whether the difference generalises beyond the cases of the suite."""

    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Of intervals; one minus it is the level of the tests."
    )
    margin: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Largest loss of pass rate that is accepted, as a fraction. With it, the "
        "statistic blocks on an established regression; without, it is only reported.",
    )
    not_enough_evidence: Blocking = Field(
        "report",
        description="With a margin: what it means when neither a regression nor its absence "
        "can be shown.",
    )
    power: float = Field(
        0.8, gt=0, lt=1, description="Wanted probability of finding a drop of the size of `margin`."
    )
    without_power: Literal["refuse", "warn"] = Field(
        "warn",
        description="What happens when the suite is too small to find a drop of `margin` with "
        "that probability. `refuse` ends with exit code 2 before anything runs.",
    )


class MetricPolicy(Model):
    """How much a measured value may change against the base."""

    metric: str = Field(
        description="`cost`, `tokens`, `steps`, `latency`, or the name of a scorer with values "
        "between 0 and 1."
    )
    allowance: float = Field(
        ge=0,
        description="Accepted change for the worse: of the mean, as a fraction of the base's mean "
        "(0.1 is ten percent); for scorers as an absolute difference.",
    )
    action: Blocking = Field("block", description="What happens beyond it.")


class PolicySpec(Model):
    """What blocks."""

    cases: CasesPolicy = Field(
        default_factory=CasesPolicy, description="What changed cases decide, one by one."
    )
    statistics: StatisticsPolicy = Field(
        default_factory=StatisticsPolicy, description="What the difference of pass rates decides."
    )
    metrics: tuple[MetricPolicy, ...] = Field((), description="Allowances, for each metric one.")
    slices: tuple[Name, ...] = Field(
        (),
        description="Tags whose cases are also judged by themselves, corrected for looking "
        "several times (Holm).",
    )


class PolicyFile(PolicySpec):
    """The file `policy.yaml`."""

    format: Literal["agentci/policy"]
    version: Literal[1]
