"""The agent loop: ask the model, run the tools it asks for, until it answers or a limit is reached.

The transcript only grows: what was sent in one turn is the start of what is sent in the next. The
loop knows neither providers nor tools, and it decides nothing by time or chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from agentci.agents.carriable import carriable
from agentci.agents.protocol import (
    AgentOutcome,
    AgentResult,
    AgentTask,
    AnswerPort,
    GatewayPort,
    RepairAsked,
    SeedPort,
    ToolboxPort,
    ToolFinished,
    TurnFinished,
    TurnStarted,
)
from agentci.agents.structured import (
    Reading,
    read_answer,
    repair_request,
    system_with_schema,
)
from agentci.core.errors import UsageError
from agentci.core.messages import (
    FinishReason,
    Message,
    ModelRequest,
    TextPart,
    ToolDefinition,
    Usage,
)
from agentci.core.seed import derive_seed
from agentci.core.text import replace_lone_surrogates


async def run_agent(task: AgentTask, *, gateway: GatewayPort, toolbox: ToolboxPort) -> AgentResult:
    """Let an agent work on `task` until it answers or must stop.

    A limit ends the work when one more call would be needed: an answer that is complete counts,
    also when it reaches the limit exactly or passes it. Tools that the model asked for in its last
    allowed turn are not run.

    Raises:
        CassetteMiss: when a call has no recording and none can be made.
        ProviderError: when the model's endpoint gives no answer.
        UsageError: when the definition cannot work, such as a cost limit without a price.
    """
    return await _Work(task, gateway, toolbox, list(task.messages)).run()


@dataclass(slots=True)
class _Work:
    """The state of one agent's work."""

    task: AgentTask
    gateway: GatewayPort
    toolbox: ToolboxPort
    messages: list[Message]
    usage: Usage = field(default_factory=Usage)
    cost: float | None = 0.0
    seeds: list[SeedPort] = field(default_factory=list)
    turns: int = 0
    repairs: int = 0
    last_text: str = ""

    async def run(self) -> AgentResult:
        system = system_with_schema(self.task.system, self.task.output_schema)
        tools = self.toolbox.definitions
        while True:
            answer = await self._ask(system, tools)
            message = answer.response.message
            ended = _ended_by_model(answer.response.finish_reason)
            if ended is not None:
                return self._stop(ended, _WHY[ended])
            problem: str | None = None
            if not message.tool_calls:
                reading = self._read(answer)
                problem = reading.problem
                if problem is None:
                    return self._result("done", reading)
                if self.repairs == self.task.repairs:
                    return self._stop("invalid_output", problem)
            limit = self._limit()
            if limit is not None:
                return self._stop(limit, self._limit_text(limit))
            if problem is None:
                await self._run_tools(message)
            else:
                self._ask_for_repair(problem)

    async def _ask(self, system: str, tools: tuple[ToolDefinition, ...]) -> AnswerPort:
        task = self.task
        self.turns += 1
        task.on_event(TurnStarted(task.lane, self.turns))
        request = ModelRequest(
            model=task.model.id,
            messages=tuple(self.messages),
            system=system,
            tools=tools,
            seed=None if task.seed is None else derive_seed(task.seed, task.lane, "model"),
            output_schema=task.output_schema,
        )
        answer = await self.gateway.complete(task.model, request, lane=task.lane)
        response = answer.response
        self.usage += response.usage
        self.seeds.append(answer.seed)
        self._charge(answer.cost)
        self.last_text = response.message.text
        if response.message.parts:  # no wire format carries an empty message
            self.messages.append(carriable(response.message))
        names = tuple(call.name for call in response.message.tool_calls)
        task.on_event(
            TurnFinished(
                task.lane,
                self.turns,
                answer.source,
                response.usage,
                response.finish_reason,
                names,
            )
        )
        return answer

    def _charge(self, cost: float | None) -> None:
        if cost is None and self.task.limits.cost is not None:
            raise UsageError(
                f"the cost limit of an agent needs a price for the model `{self.task.model.id}`",
                code="ACI-U152",
                hint="give the model a `price`, or remove `limits.cost`",
            )
        self.cost = None if cost is None or self.cost is None else self.cost + cost

    def _read(self, answer: AnswerPort) -> Reading:
        response = answer.response
        text = response.message.text
        stopped = response.finish_reason in {FinishReason.STOP, FinishReason.TOOL_CALLS}
        if not text.strip() and (not stopped or self.task.output_schema is not None):
            return Reading(None, "the answer was empty")
        return read_answer(text, self.task.output_schema)

    def _limit(self) -> AgentOutcome | None:
        """Return the limit that forbids another call of the model."""
        limits = self.task.limits
        if self.turns >= limits.turns:
            return "limit_turns"
        if limits.tokens is not None and self.usage.tokens >= limits.tokens:
            return "limit_tokens"
        if limits.cost is not None and self.cost is not None and self.cost >= limits.cost:
            return "limit_cost"
        return None

    def _limit_text(self, limit: AgentOutcome) -> str:
        limits = self.task.limits
        return {
            "limit_turns": f"no answer after {self.turns} turns, the limit",
            "limit_tokens": f"used {self.usage.tokens} tokens of at most {limits.tokens}",
            "limit_cost": f"cost {self.cost:.6g} of at most {limits.cost or 0:.6g}",
        }[limit]

    async def _run_tools(self, message: Message) -> None:
        results = []
        for call in message.tool_calls:  # in order: each sees what the one before did to the files
            result = await self.toolbox.call(call, lane=self.task.lane)
            results.append(result)
            self.task.on_event(ToolFinished(self.task.lane, self.turns, call.name, result.is_error))
        self.messages.append(Message("tool", tuple(results)))

    def _ask_for_repair(self, problem: str) -> None:
        self.repairs += 1
        self.task.on_event(RepairAsked(self.task.lane, self.turns, problem))
        text = repair_request(problem, self.task.output_schema)
        self.messages.append(Message("user", (TextPart(text),)))

    def _stop(self, outcome: AgentOutcome, problem: str) -> AgentResult:
        text = replace_lone_surrogates(self.last_text)
        return self._result(outcome, Reading({"text": text}, problem))

    def _result(self, outcome: AgentOutcome, reading: Reading) -> AgentResult:
        return AgentResult(
            outcome=outcome,
            output=reading.value,
            messages=tuple(self.messages),
            usage=self.usage,
            cost=self.cost,
            seeds=tuple(self.seeds),
            turns=self.turns,
            problem=reading.problem or "",
        )


_WHY = {
    "refused": "the model refused to answer",
    "truncated": "the answer was cut off at the model's token limit (`max_tokens`)",
}


def _ended_by_model(reason: FinishReason) -> AgentOutcome | None:
    """Return the outcome of an answer that cannot be used, whatever is in it."""
    if reason is FinishReason.REFUSED:
        return "refused"
    return "truncated" if reason is FinishReason.LENGTH else None
