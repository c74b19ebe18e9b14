"""The scorer `trajectory`: which tools the agents called, in which order, with which arguments."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from agentci.core.json_types import JsonObject
from agentci.evals.case import Subject, ToolUse
from agentci.evals.results import Score
from agentci.evals.scorers.answers import json_safe, text_of
from agentci.evals.scorers.json_compare import Rules, TooDifferent, differences
from agentci.evals.scorers.pairing import largest_pairing
from agentci.evals.scorers.patterns import matches
from agentci.evals.scorers.protocol import ScorerServices
from agentci.evals.scorers.verdicts import Check, score_of_checks
from agentci.evals.scorers.wording import listed, shown
from agentci.spec.pipeline import Model

_LONGEST = 20_000
"""Calls that are looked at."""

_LONGEST_TEXT = 100_000
"""Characters of an argument in which a regular expression is looked for."""


class CallSpec(Model):
    """A call of a tool."""

    name: str = Field(min_length=1, description="The tool.")
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="Its arguments, compared as `match` says."
    )
    match: Literal["subset", "exact", "regex"] = Field(
        "subset",
        description="`subset`: the call may have more arguments, and objects in them more members; "
        "`regex`: each value here is a regular expression, found in "
        "the first 100,000 characters of that argument as text.",
    )

    @property
    def shown(self) -> str:
        """The call for people."""
        return f"`{self.name}`" + (f" with {shown(self.arguments)}" if self.arguments else "")


class TrajectoryOptions(Model):
    """Which tools the agents called. Every given option is an expectation of its own."""

    required: tuple[CallSpec | str, ...] = Field(
        (), description="Calls that there have to be: names of tools, or calls with arguments."
    )
    order: Literal["any", "in_order", "exact"] = Field(
        "any",
        description="`in_order`: in this order, with others between them; `exact`: these calls "
        "and no others, in this order.",
    )
    forbidden: tuple[CallSpec | str, ...] = Field((), description="Calls that there must not be.")
    min_calls: int | None = Field(None, ge=0, description="Fewest calls of tools.")
    max_calls: int | None = Field(None, ge=0, description="Most calls of tools.")
    lane: str | None = Field(
        None, description="Only calls of agents in this lane, or in lanes below it."
    )
    succeeded: bool = Field(
        False, description="Whether only calls that the tool did not refuse count as `required`."
    )

    @model_validator(mode="after")
    def _expects_something(self) -> TrajectoryOptions:
        limits = (self.min_calls, self.max_calls)
        if not (self.required or self.forbidden or self.order == "exact") and limits == (
            None,
            None,
        ):
            raise ValueError("give `required`, `forbidden`, `min_calls` or `max_calls`")
        return self


class Trajectory:
    """Looks at the calls of tools."""

    kind: ClassVar[str] = "trajectory"
    version: ClassVar[int] = 1
    options: ClassVar[type[TrajectoryOptions]] = TrajectoryOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name no files."""
        del options
        return ()

    async def score(
        self, subject: Subject, options: TrajectoryOptions, services: ScorerServices
    ) -> Score:
        """Check each expectation; the value is the share that holds."""
        del services
        calls = [use for use in subject.trajectory if _is_in(use.lane, options.lane)]
        details: JsonObject = {"calls": [use.name for use in calls[:200]], "count": len(calls)}
        if len(calls) > _LONGEST:
            told = f"there are {len(calls):,} calls, more than the {_LONGEST:,} that are judged"
            return Score(0.0, passed=False, explanation=told, details=details)
        counted = [use for use in calls if not (options.succeeded and use.is_error)]
        checks = [
            *await _required(options, counted),
            *await _forbidden(options, calls),
            *_counts(options, len(calls)),
        ]
        return score_of_checks(checks, details)


async def _required(options: TrajectoryOptions, calls: Sequence[ToolUse]) -> list[Check]:
    wanted = [_spec(call) for call in options.required]
    fitting = [await _fitting(call, calls) for call in wanted]
    if options.order == "any":
        met = set(largest_pairing(len(wanted), len(calls), lambda one, at: at in fitting[one]))
    elif options.order == "in_order":
        met = _longest_sequence(fitting, len(calls))
    else:
        met = {index for index, fits in enumerate(fitting) if index in fits}
    came = listed([use.name for use in calls], 8) or "no calls"
    when = "" if options.order == "any" else " in its place"
    checks = [
        Check(index in met, f"expected a call of {call.shown}{when}, got {came}")
        for index, call in enumerate(wanted)
    ]
    if options.order == "exact":
        told = f"expected exactly {len(wanted)} calls, got {len(calls)}: {came}"
        checks.append(Check(len(wanted) == len(calls), told))
    return checks


async def _forbidden(options: TrajectoryOptions, calls: Sequence[ToolUse]) -> list[Check]:
    checks = []
    for each in options.forbidden:
        call = _spec(each)
        fits = await _fitting(call, calls)
        first = min(fits, default=0)
        told = f"did not expect a call of {call.shown}, call {first + 1} is one"
        checks.append(Check(not fits, told))
    return checks


def _counts(options: TrajectoryOptions, count: int) -> list[Check]:
    checks = []
    if options.min_calls is not None:
        told = f"expected at least {options.min_calls} calls of tools, got {count}"
        checks.append(Check(count >= options.min_calls, told))
    if options.max_calls is not None:
        told = f"expected at most {options.max_calls} calls of tools, got {count}"
        checks.append(Check(count <= options.max_calls, told))
    return checks


def _spec(call: CallSpec | str) -> CallSpec:
    return CallSpec(name=call) if isinstance(call, str) else call


def _is_in(lane: str, wanted: str | None) -> bool:
    return wanted is None or lane == wanted or lane.startswith((f"{wanted}/", f"{wanted}["))


async def _fitting(call: CallSpec, calls: Sequence[ToolUse]) -> frozenset[int]:
    """Return the positions of the calls that are as `call` says."""
    named = [index for index, use in enumerate(calls) if use.name == call.name]
    if call.match == "regex":
        return await _fitting_texts(call, calls, named)
    rules = Rules(extra=call.match == "subset")
    if not call.arguments and call.match == "subset":
        return frozenset(named)
    return frozenset(index for index in named if _is_equal(call, calls[index], rules))


def _is_equal(call: CallSpec, use: ToolUse, rules: Rules) -> bool:
    try:
        return not differences(call.arguments, json_safe(use.arguments), rules)
    except (RecursionError, TooDifferent):
        return False


async def _fitting_texts(
    call: CallSpec, calls: Sequence[ToolUse], named: Sequence[int]
) -> frozenset[int]:
    left = list(named)
    for name, pattern in sorted(call.arguments.items()):
        left = [index for index in left if name in calls[index].arguments]
        texts = [text_of(calls[index].arguments[name])[:_LONGEST_TEXT] for index in left]
        found = await matches(str(pattern), texts)
        left = [index for position, index in enumerate(left) if position in found]
    return frozenset(left)


def _longest_sequence(fitting: Sequence[frozenset[int]], count: int) -> set[int]:
    """Return which expectations are met when as many as possible are met in their order.

    `best[i]` holds, for each number of met expectations among the first i, how early in the calls
    that many can be done with.
    """
    best = [_State(-1, ())]
    for index, fits in enumerate(fitting):
        positions = sorted(fits)
        longer = [*best, _State(count, ())]
        for number, state in enumerate(best):
            at = bisect_right(positions, state.end)
            if at < len(positions) and positions[at] < longer[number + 1].end:
                longer[number + 1] = _State(positions[at], (*state.met, index))
        best = [state for state in longer if state.end < count]
    return set(best[-1].met)


@dataclass(frozen=True, slots=True)
class _State:
    end: int
    """Position of the last call that was used."""
    met: tuple[int, ...]
    """The expectations that are met."""
