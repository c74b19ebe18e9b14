"""The agent loop: every outcome, repairs, tools and limits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.agents.loop import run_agent
from agentci.agents.protocol import (
    AgentEvent,
    AgentResult,
    AgentTask,
    RepairAsked,
    ToolFinished,
    TurnFinished,
    TurnStarted,
)
from agentci.core.digest import digest_bytes
from agentci.core.errors import UsageError
from agentci.core.lane import Lane
from agentci.core.messages import (
    BlobPart,
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolDefinition,
    ToolResultPart,
    Usage,
)
from agentci.core.seed import derive_seed
from agentci.spec.pipeline import AgentLimits, ModelSpec
from agentci.tools.toolbox import Toolbox
from tests.support.tool_fakes import MemorySession, make_context

LANE = Lane("fix/coder")
MODEL = ModelSpec(provider="scripted", id="m-1")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}},
    "required": ["approved"],
    "additionalProperties": False,
}
TOOL = ToolDefinition("look", "Looks.", {"type": "object"})


@dataclass(frozen=True)
class FakeSeed:
    value: int | None
    sent: bool = True
    reason: str = ""


@dataclass(frozen=True)
class FakeAnswer:
    response: ModelResponse
    source: str
    cost: float | None
    seed: FakeSeed


@dataclass
class FakeGateway:
    """Answers in order; keeps the requests."""

    answers: Sequence[ModelResponse]
    cost: float | None = 0.25
    requests: list[ModelRequest] = field(default_factory=list)

    async def complete(self, spec: ModelSpec, request: ModelRequest, *, lane: Lane) -> FakeAnswer:
        assert spec is MODEL
        assert lane == LANE
        self.requests.append(request)
        response = self.answers[len(self.requests) - 1]
        return FakeAnswer(response, "replayed", self.cost, FakeSeed(request.seed))


@dataclass
class FakeToolbox:
    """One tool that answers with the number of the call."""

    definitions: tuple[ToolDefinition, ...] = (TOOL,)
    calls: list[ToolCallPart] = field(default_factory=list)

    async def call(self, part: ToolCallPart, *, lane: Lane) -> ToolResultPart:
        assert lane == LANE
        self.calls.append(part)
        return ToolResultPart(part.id, part.name, f"result {len(self.calls)}")


def says(
    *parts: Part | str,
    reason: FinishReason | None = None,
    tokens: int = 10,
) -> ModelResponse:
    full = tuple(TextPart(part) if isinstance(part, str) else part for part in parts)
    asks = any(isinstance(part, ToolCallPart) for part in full)
    default = FinishReason.TOOL_CALLS if asks else FinishReason.STOP
    usage = Usage(tokens - 1, 1, 0, 1)
    return ModelResponse(Message("assistant", full), reason or default, usage, "m-1")


def asks(*names: str, first: int = 1) -> tuple[ToolCallPart, ...]:
    return tuple(ToolCallPart(f"c{first + i}", name, {"n": i}) for i, name in enumerate(names))


TASK = AgentTask(
    model=MODEL,
    messages=(Message("user", (TextPart("go"),)),),
    lane=LANE,
    system="You work.",
    seed=7,
)


def work(task: AgentTask, gateway: FakeGateway, toolbox: Any = None) -> AgentResult:
    return asyncio.run(run_agent(task, gateway=gateway, toolbox=toolbox or FakeToolbox()))


def limited(**limits: Any) -> AgentTask:
    return replace(TASK, limits=AgentLimits(**limits))


def test_an_answer_without_schema_is_its_text() -> None:
    gateway = FakeGateway([says("It is ", "done.")])
    result = work(TASK, gateway)
    assert (result.outcome, result.output) == ("done", {"text": "It is done."})
    assert result.problem == ""
    assert result.turns == 1
    assert result.usage == Usage(9, 1, 0, 1)
    assert result.cost == 0.25
    assert result.messages == (*TASK.messages, says("It is ", "done.").message)
    [request] = gateway.requests
    assert request.system == "You work."
    assert request.tools == (TOOL,)
    assert request.model == "m-1"
    assert request.output_schema is None


def test_the_seed_is_derived_by_lane_and_the_same_in_every_turn() -> None:
    gateway = FakeGateway([says(*asks("look")), says("ok")])
    result = work(TASK, gateway)
    seed = derive_seed(7, LANE, "model")
    assert [request.seed for request in gateway.requests] == [seed, seed]
    assert [note.value for note in result.seeds] == [seed, seed]
    unseeded = FakeGateway([says("ok")])
    work(replace(TASK, seed=None), unseeded)
    assert unseeded.requests[0].seed is None


def test_tools_run_in_order_and_their_results_go_back_together() -> None:
    thinking = ThinkingPart("hm", "sig")
    turn = says(thinking, "I look.", *asks("look", "look"))
    gateway = FakeGateway([turn, says("ok")])
    toolbox = FakeToolbox()
    result = work(TASK, gateway, toolbox)
    assert [call.id for call in toolbox.calls] == ["c1", "c2"]
    assert gateway.requests[1].messages == (
        *TASK.messages,
        turn.message,
        Message(
            "tool",
            (ToolResultPart("c1", "look", "result 1"), ToolResultPart("c2", "look", "result 2")),
        ),
    )
    assert gateway.requests[1].messages[1].parts[0] == thinking
    assert result.output == {"text": "ok"}
    assert result.usage.calls == 2
    assert result.cost == 0.5


def test_tool_calls_count_even_where_the_provider_says_stop() -> None:
    gateway = FakeGateway([says(*asks("look"), reason=FinishReason.STOP), says("ok")])
    assert work(TASK, gateway).turns == 2


def test_unknown_tools_and_malformed_arguments_are_results_with_an_error(tmp_path: Path) -> None:
    calls = (
        ToolCallPart("a", "shell", {}),
        ToolCallPart("b", "read_file", {"__unparsed__": "{"}),
        ToolCallPart("c", "read_file", {"file": "x"}),
        ToolCallPart("d", "list_files", {}),
    )
    gateway = FakeGateway([says(*calls), says("ok")])
    context = make_context(tmp_path / "ws", files={"x": "1"})
    box = Toolbox(("read_file", "list_files"), context=context, session=MemorySession())
    result = work(TASK, gateway, box)
    assert result.outcome == "done"
    answers = [part for part in result.messages[2].parts if isinstance(part, ToolResultPart)]
    assert [(a.id, a.is_error) for a in answers] == [
        ("a", True),
        ("b", True),
        ("c", True),
        ("d", False),
    ]


# structured answers


def test_a_structured_answer_is_its_value() -> None:
    gateway = FakeGateway([says('{"approved": true}')])
    result = work(replace(TASK, output_schema=SCHEMA), gateway)
    assert (result.outcome, result.output) == ("done", {"approved": True})
    assert gateway.requests[0].output_schema == SCHEMA
    assert gateway.requests[0].system.startswith("You work.\n\nWhen you are done")
    assert '"approved"' in gateway.requests[0].system


def test_a_wrong_answer_is_put_right_in_a_repair_turn() -> None:
    gateway = FakeGateway([says('{"approved": "yes"}'), says('```json\n{"approved": false}\n```')])
    result = work(replace(TASK, output_schema=SCHEMA), gateway)
    assert (result.outcome, result.output, result.turns) == ("done", {"approved": False}, 2)
    repair = gateway.requests[1].messages[-1]
    assert repair.role == "user"
    assert "- /approved must be of type boolean" in repair.text


def test_repairs_are_bounded() -> None:
    answers = [says("no JSON"), says("still none"), says("none"), says('{"approved": true}')]
    result = work(replace(TASK, output_schema=SCHEMA, repairs=2), FakeGateway(answers))
    assert (result.outcome, result.turns) == ("invalid_output", 3)
    assert result.output == {"text": "none"}
    assert "not JSON" in result.problem
    at_once = work(replace(TASK, output_schema=SCHEMA, repairs=0), FakeGateway(answers))
    assert (at_once.outcome, at_once.turns) == ("invalid_output", 1)


def test_an_agent_may_use_tools_between_repairs() -> None:
    gateway = FakeGateway([says("x"), says(*asks("look")), says('{"approved": true}')])
    result = work(replace(TASK, output_schema=SCHEMA, repairs=1), gateway)
    assert (result.outcome, result.turns) == ("done", 3)


def test_an_empty_answer_is_done_without_schema_and_repaired_with_one() -> None:
    assert work(TASK, FakeGateway([says()])).output == {"text": ""}
    gateway = FakeGateway([says(), says('{"approved": true}')])
    result = work(replace(TASK, output_schema=SCHEMA), gateway)
    assert result.outcome == "done"
    roles = [message.role for message in gateway.requests[1].messages]
    assert roles == ["user", "user"], "an empty message is never sent"
    assert "the answer was empty" in gateway.requests[1].messages[-1].text


def test_an_empty_answer_for_an_unknown_reason_is_asked_again() -> None:
    gateway = FakeGateway([says(reason=FinishReason.OTHER), says("ok")])
    assert work(TASK, gateway).output == {"text": "ok"}
    never = FakeGateway([says(reason=FinishReason.OTHER)] * 3)
    assert work(TASK, never).outcome == "invalid_output"


def test_thinking_alone_is_an_empty_answer_that_is_kept() -> None:
    gateway = FakeGateway([says(ThinkingPart("hm", "s")), says('{"approved": true}')])
    work(replace(TASK, output_schema=SCHEMA), gateway)
    assert gateway.requests[1].messages[1].parts == (ThinkingPart("hm", "s"),)


# what the model ends itself


@pytest.mark.parametrize("parts", [("part of",), asks("look"), ()])
def test_a_cut_answer_is_truncated_and_its_tools_do_not_run(parts: tuple[Any, ...]) -> None:
    toolbox = FakeToolbox()
    result = work(TASK, FakeGateway([says(*parts, reason=FinishReason.LENGTH)]), toolbox)
    assert result.outcome == "truncated"
    assert "max_tokens" in result.problem
    assert toolbox.calls == []


def test_a_refusal_is_refused() -> None:
    result = work(TASK, FakeGateway([says("I cannot.", reason=FinishReason.REFUSED)]))
    assert (result.outcome, result.output) == ("refused", {"text": "I cannot."})


# limits


def test_the_last_allowed_turn_may_answer_but_not_ask() -> None:
    answers = [says(*asks("look")), says("ok")]
    assert work(limited(turns=2), FakeGateway(answers)).outcome == "done"
    toolbox = FakeToolbox()
    result = work(limited(turns=1), FakeGateway(answers), toolbox)
    assert (result.outcome, result.turns) == ("limit_turns", 1)
    assert toolbox.calls == []
    assert "1 turns" in result.problem


def test_no_repair_is_asked_for_beyond_the_limit_of_turns() -> None:
    task = replace(limited(turns=1), output_schema=SCHEMA)
    result = work(task, FakeGateway([says("x")]))
    assert result.outcome == "limit_turns"
    assert result.messages[-1].role == "assistant"


@pytest.mark.parametrize(
    ("limit", "outcome", "turns"),
    [(19, "limit_tokens", 2), (20, "limit_tokens", 2), (21, "done", 3), (10, "limit_tokens", 1)],
)
def test_tokens_are_limited_at_the_border(limit: int, outcome: str, turns: int) -> None:
    answers = [says(*asks("look")), says(*asks("look")), says("ok")]
    result = work(limited(tokens=limit), FakeGateway(answers))
    assert (result.outcome, result.turns) == (outcome, turns)


def test_a_complete_answer_counts_also_at_and_beyond_a_limit() -> None:
    for limit in (9, 10, 11):
        assert work(limited(tokens=limit), FakeGateway([says("ok")])).outcome == "done"
    assert work(limited(cost=0.1), FakeGateway([says("ok")])).outcome == "done"


@pytest.mark.parametrize(
    ("limit", "outcome", "turns"),
    [(0.25, "limit_cost", 1), (0.26, "limit_cost", 2), (0.51, "done", 3)],
)
def test_cost_is_limited_at_the_border(limit: float, outcome: str, turns: int) -> None:
    answers = [says(*asks("look")), says(*asks("look")), says("ok")]
    result = work(limited(cost=limit), FakeGateway(answers))
    assert (result.outcome, result.turns) == (outcome, turns)


def test_a_cost_limit_without_a_price_is_an_error_and_no_price_no_cost() -> None:
    with pytest.raises(UsageError, match="needs a price"):
        work(limited(cost=1.0), FakeGateway([says("ok")], cost=None))
    assert work(TASK, FakeGateway([says("ok")], cost=None)).cost is None


# transcript and events


def test_attachments_are_sent_as_they_are() -> None:
    blob = BlobPart("image", "image/png", digest_bytes(b"x"), "a.png")
    task = replace(TASK, messages=(Message("user", (TextPart("see"), blob)),))
    gateway = FakeGateway([says("ok")])
    work(task, gateway)
    assert gateway.requests[0].messages == task.messages


def test_half_characters_of_an_endpoint_do_not_reach_the_output() -> None:
    result = work(TASK, FakeGateway([says("a\ud800b")]))
    assert result.output == {"text": "a\ufffdb"}


def test_events_tell_what_happens_in_order() -> None:
    events: list[AgentEvent] = []
    task = replace(TASK, output_schema=SCHEMA, on_event=events.append)
    work(task, FakeGateway([says(*asks("look")), says("x"), says('{"approved": true}')]))
    usage = Usage(9, 1, 0, 1)
    assert events[:3] == [
        TurnStarted(LANE, 1),
        TurnFinished(LANE, 1, "replayed", usage, FinishReason.TOOL_CALLS, ("look",)),
        ToolFinished(LANE, 1, "look", is_error=False),
    ]
    assert [type(event) for event in events[3:]] == [
        TurnStarted,
        TurnFinished,
        RepairAsked,
        TurnStarted,
        TurnFinished,
    ]


ANSWERS = st.lists(
    st.sampled_from(
        [
            says(*asks("look")),
            says("text", *asks("look", "look")),
            says("no JSON"),
            says(),
            says(ThinkingPart("hm")),
            says(ThinkingPart("hm"), *asks("look")),
            says('{"approved": true}'),
            says("x", reason=FinishReason.OTHER),
            says("cut", reason=FinishReason.LENGTH),
        ]
    ),
    min_size=1,
    max_size=8,
)


@given(ANSWERS, st.integers(0, 3), st.booleans())
def test_each_request_starts_with_the_transcript_before_it(
    answers: list[ModelResponse], repairs: int, structured: bool
) -> None:
    gateway = FakeGateway(answers)
    task = replace(
        limited(turns=len(answers)),
        repairs=repairs,
        output_schema=SCHEMA if structured else None,
    )
    result = work(task, gateway)
    sent = [request.messages for request in gateway.requests]
    for before, after in pairwise(sent):
        assert after[: len(before)] == before
    assert result.messages[: len(sent[-1])] == sent[-1]
    assert {request.system for request in gateway.requests} == {gateway.requests[0].system}
    assert all(request.tools == (TOOL,) for request in gateway.requests)
    assert result.turns == len(sent) == len(result.seeds) <= len(answers)


def test_what_is_sent_is_not_changed_later() -> None:
    gateway = FakeGateway([says(*asks("look")), says("ok")])
    work(TASK, gateway)
    assert gateway.requests[0].messages == TASK.messages


def test_errors_of_ports_are_not_swallowed() -> None:
    class Failing(FakeToolbox):
        async def call(self, part: ToolCallPart, *, lane: Lane) -> ToolResultPart:
            raise UsageError("stop")

    with pytest.raises(UsageError, match="stop"):
        work(TASK, FakeGateway([says(*asks("look"))]), Failing())
