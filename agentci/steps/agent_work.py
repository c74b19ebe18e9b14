"""The work of one agent in one workspace: prompt, tools, loop, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentci.agents.loop import run_agent
from agentci.agents.prompt import PromptSource, build_prompt, read_attachments
from agentci.agents.protocol import AgentTask, ToolFinished, TurnStarted
from agentci.plan.bundle import agent_schema
from agentci.steps.commands import environment
from agentci.steps.results import StepResult
from agentci.tools.masking import Masker
from agentci.tools.protocol import ToolContext
from agentci.tools.toolbox import Toolbox

if TYPE_CHECKING:
    from agentci.agents.prompt import Prompt
    from agentci.agents.protocol import AgentEvent, AgentResult
    from agentci.core.effects import Workspace
    from agentci.core.json_types import JsonValue
    from agentci.core.lane import Lane
    from agentci.core.messages import BlobPart
    from agentci.spec.pipeline import AgentStep
    from agentci.steps.context import StepContext


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer of an agent and the files as it left them."""

    result: StepResult
    workspace: Workspace


@dataclass(frozen=True, slots=True)
class AgentWork:
    """What an agent step asks for, ready to be done once or several times."""

    step: AgentStep
    context: StepContext
    values: Mapping[str, JsonValue]
    """What the prompt file sees."""

    async def run(self, lane: Lane, workspace: Workspace) -> Sample:
        """Do the work at `lane` on the files of `workspace`."""
        spec = self.context.bundle.spec
        agent = spec.agents[self.step.agent]
        prompt = self._prompt(workspace)
        toolbox = self._toolbox(workspace)
        task = AgentTask(
            model=spec.models[agent.model],
            messages=prompt.messages,
            lane=lane,
            system=prompt.system,
            output_schema=agent_schema(self.context.bundle, self.step.agent),
            limits=agent.limits,
            repairs=agent.repairs,
            seed=self.context.services.seed,
            on_event=self._show,
        )
        result = await run_agent(task, gateway=self.context.services.gateway, toolbox=toolbox)
        return Sample(_step_result(result, toolbox), workspace)

    def _prompt(self, workspace: Workspace) -> Prompt:
        bundle = self.context.bundle
        system = bundle.spec.agents[self.step.agent].system
        attachments: tuple[BlobPart, ...] = ()
        if self.step.attachments:
            attachments = read_attachments(
                workspace.folder(),
                [self.context.text(path) for path in self.step.attachments],
                put_blob=self.context.services.session.blobs.put,
            )
        return build_prompt(
            PromptSource(self.step.prompt, bundle.prompts[self.step.prompt].text),
            self.values,
            system=PromptSource(system, bundle.prompts[system].text) if system else None,
            attachments=attachments,
        )

    def _toolbox(self, workspace: Workspace) -> Toolbox:
        services = self.context.services
        agent = self.context.bundle.spec.agents[self.step.agent]
        name = services.sandbox_override or agent.sandbox or self.context.bundle.spec.sandbox
        context = ToolContext(
            workspace=workspace,
            sandbox=services.open_sandbox(name),
            env=environment(self.context),
            timeout=agent.command_timeout,
            commands=agent.commands,
            mask=Masker(root=workspace.path, home=services.home),
        )
        return Toolbox(
            agent.tools,
            context=context,
            session=services.session,
            execute=services.execute_tools,
        )

    def _show(self, event: AgentEvent) -> None:
        if isinstance(event, TurnStarted):
            self.context.services.on_activity(event.lane, f"turn {event.turn}")
        elif isinstance(event, ToolFinished):
            self.context.services.on_activity(event.lane, event.name)


def _step_result(result: AgentResult, toolbox: Toolbox) -> StepResult:
    notes: dict[str, JsonValue] = {"turns": result.turns}
    ignored = sorted({seed.reason for seed in result.seeds if not seed.sent})
    if ignored:
        notes["seed_ignored"] = ignored
    if toolbox.differences:
        notes["differences"] = [
            {
                "tool": each.tool,
                "lane": each.address.lane,
                "field": each.field,
                "recorded": each.recorded,
                "executed": each.executed,
            }
            for each in toolbox.differences
        ]
    return StepResult(
        outcome=result.outcome,
        output=result.output,
        message=result.problem,
        usage=result.usage,
        cost=result.cost or 0.0,
        notes=notes,
    )
