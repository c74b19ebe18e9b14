"""The scorer `judge`: models judge the answer by a rubric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from agentci.agents.loop import run_agent
from agentci.agents.protocol import AgentTask
from agentci.core.errors import StepFailed, UsageError
from agentci.core.lane import Lane, child_lane, sample_lane
from agentci.core.messages import Message, TextPart
from agentci.evals.case import Subject
from agentci.evals.results import Score
from agentci.evals.scorers.answers import AnswerOptions, text_of
from agentci.evals.scorers.judging import Material, Question, Vote, agreement, question, value_of
from agentci.evals.scorers.wording import cut
from agentci.spec.pipeline import ModelSpec, Name

if TYPE_CHECKING:
    from agentci.core.messages import ModelRequest, ModelResponse, ToolCallPart, ToolResultPart
    from agentci.evals.scorers.protocol import ScorerServices

Part = Literal["input", "expected", "message", "trajectory", "messages", "patch"]


class JudgeOptions(AnswerOptions):
    """Models judge the answer by a rubric. Their calls are recorded like any other.

    Give exactly one of `rubric` and `rubric_file`.
    """

    rubric: str | None = Field(
        None, description="What counts, and what each verdict stands for. May hold expressions."
    )
    rubric_file: str | None = Field(
        None, description="File with the rubric, relative to the suite's folder, taken as it is."
    )
    models: tuple[Name, ...] = Field(
        (), description="Judges, from the pipeline's `models`; default: its only model."
    )
    repeats: int = Field(1, ge=1, le=50, description="Votes of each model.")
    vote: Literal["majority", "mean"] = Field(
        "majority",
        description="`majority`: the value of the most frequent verdict, the lower one of two; "
        "`mean`: the mean value of all votes.",
    )
    verdicts: dict[Annotated[str, Field(min_length=1)], Annotated[float, Field(ge=0, le=1)]] = (
        Field(
            default_factory=lambda: {"pass": 1.0, "fail": 0.0},
            min_length=2,
            description="The verdicts that a judge may give, and their values.",
        )
    )
    include: tuple[Part, ...] = Field(
        ("input", "expected"),
        description="What a judge sees beside the answer, where there is any.",
    )
    max_characters: int = Field(
        100_000, ge=100, description="Of each text; of longer ones the middle is left out."
    )
    repairs: int = Field(
        2, ge=0, le=10, description="Turns in which a judge may put right an answer of wrong form."
    )

    @model_validator(mode="after")
    def _has_one_rubric(self) -> JudgeOptions:
        if (self.rubric is None) == (self.rubric_file is None):
            raise ValueError("give exactly one of `rubric` and `rubric_file`")
        return self


class Judge:
    """Asks models."""

    kind: ClassVar[str] = "judge"
    version: ClassVar[int] = 1
    options: ClassVar[type[JudgeOptions]] = JudgeOptions

    @staticmethod
    def files(options: Mapping[str, Any]) -> tuple[str, ...]:
        """Name the file with the rubric."""
        path = options.get("rubric_file")
        return (path,) if isinstance(path, str) else ()

    async def score(
        self, subject: Subject, options: JudgeOptions, services: ScorerServices
    ) -> Score:
        """Ask each judge in turn; one that gives no verdict is an error."""
        asked = question(
            _rubric(options, services),
            _material(subject, options),
            tuple(options.verdicts),
            limit=options.max_characters,
        )
        seats = _seats(options, services)
        votes = [await _ask(seat, asked, services, repairs=options.repairs) for seat in seats]
        return _score(votes, options)


def _score(votes: list[Vote], options: JudgeOptions) -> Score:
    value = value_of(votes, options.verdicts, options.vote)
    passed = value >= 1
    agree = agreement(votes)
    against = next((vote for vote in votes if options.verdicts[vote.verdict] < 1), votes[0])
    shares = f"{value:g}" if len(votes) == 1 else f"{value:g} of {len(votes)} votes"
    told = f"{against.judge} says `{against.verdict}` (value {shares}): {cut(against.reasons, 300)}"
    return Score(
        value,
        passed,
        "" if passed else told,
        {
            "votes": [
                {"judge": vote.judge, "verdict": vote.verdict, "reasons": vote.reasons[:4000]}
                for vote in votes
            ],
            "agreement": agree,
        },
    )


def _rubric(options: JudgeOptions, services: ScorerServices) -> str:
    if options.rubric_file is None:
        return options.rubric or ""
    try:
        return services.read(options.rubric_file).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"`{options.rubric_file}` is not UTF-8", code="ACI-U467") from error


@dataclass(frozen=True, slots=True)
class _Seat:
    """One vote to ask for."""

    name: str
    model: str
    lane: Lane


def _seats(options: JudgeOptions, services: ScorerServices) -> list[_Seat]:
    seats = []
    for model in judges_of(options.models, services.models):
        lane = child_lane(services.lane, model)
        if options.repeats == 1:
            seats.append(_Seat(model, model, lane))
            continue
        seats += [
            _Seat(f"{model}#{number}", model, sample_lane(lane, number))
            for number in range(options.repeats)
        ]
    return seats


def judges_of(models: Sequence[str], pipeline: Iterable[str]) -> tuple[str, ...]:
    """Return who judges: `models`, or else the only one of `pipeline`.

    Raises:
        UsageError: when one of them is unknown, or none is named and the pipeline has several.
    """
    known = tuple(sorted(pipeline))
    wanted = tuple(models) or known
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted or (not models and len(known) > 1):
        what = (
            f"there is no model `{unknown[0]}`" if unknown else "it is not said which model judges"
        )
        names = ", ".join(f"`{name}`" for name in known) or "none"
        raise UsageError(
            what, code="ACI-U468", hint=f"name one under `models`; the pipeline has {names}"
        )
    return wanted


def _material(subject: Subject, options: JudgeOptions) -> tuple[Material, ...]:
    parts: dict[Part, Any] = {
        "input": subject.case.input,
        "expected": subject.case.expected,
        "message": subject.message or None,
        "trajectory": [
            {"tool": use.name, "arguments": use.arguments, "failed": use.is_error}
            for use in subject.trajectory
        ]
        or None,
        "messages": list(subject.messages) or None,
        "patch": subject.patch or None,
    }
    shown = [
        Material(name, text_of(parts[name]))
        for name in dict.fromkeys(options.include)
        if parts[name] is not None
    ]
    return (*shown, Material("answer", options.text(subject)))


async def _ask(seat: _Seat, asked: Question, services: ScorerServices, *, repairs: int) -> Vote:
    task = AgentTask(
        model=services.models[seat.model],
        messages=(Message("user", (TextPart(asked.prompt),)),),
        lane=seat.lane,
        system=asked.system,
        output_schema=asked.schema,
        repairs=repairs,
        seed=services.seed,
    )
    result = await run_agent(task, gateway=_Gateway(services), toolbox=_NoTools())
    output = result.output
    if result.outcome != "done" or not isinstance(output, Mapping):
        raise StepFailed(
            f"the judge `{seat.name}` gave no verdict: {cut(result.problem, 300)}",
            code="ACI-S507",
            hint="see what it answered in the recordings of its lane, and make the rubric clearer",
        )
    return Vote(seat.name, str(output["verdict"]), str(output["reasons"]))


@dataclass(frozen=True, slots=True)
class _NoSeed:
    value: int | None = None
    sent: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    response: ModelResponse
    source: str = ""
    cost: float | None = None
    seed: _NoSeed = _NoSeed()


@dataclass(frozen=True, slots=True)
class _Gateway:
    """A judge's way to models: costs and sources are counted by who implements the services."""

    services: ScorerServices

    async def complete(self, spec: ModelSpec, request: ModelRequest, *, lane: Lane) -> _Answer:
        return _Answer(await self.services.complete(spec, request, lane=lane))


class _NoTools:
    """A judge has no tools, so nothing in an answer can make it do something."""

    definitions = ()

    async def call(self, part: ToolCallPart, *, lane: Lane) -> ToolResultPart:
        raise StepFailed(
            f"a judge in the lane `{lane}` asked for the tool `{part.name}`, but judges have none",
            code="ACI-S508",
        )
