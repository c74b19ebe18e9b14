"""Static checks of what the steps use: inputs, models, agents, and the files that they name."""

from __future__ import annotations

import json
from collections.abc import Mapping

from agentci.core.json_types import JsonObject
from agentci.plan.bundle import (
    Bundle,
    DefinitionPaths,
    agent_schema,
    all_steps,
    collect_paths,
)
from agentci.plan.findings import Findings, Path, names_hint
from agentci.plan.inputs import has_type
from agentci.plan.places import located_steps, named_files
from agentci.plan.schema_checks import schema_mistakes
from agentci.spec.pipeline import AgentSpec, AgentStep, ModelSpec

SCRIPTED = "scripted"


def check_inputs(findings: Findings) -> None:
    """Check the defaults of inputs against their types."""
    for name, entry in findings.bundle.spec.inputs.items():
        if entry.required or entry.default is None or has_type(entry.default, entry.type):
            continue
        findings.add(
            "ACI-D321",
            ("inputs", name, "default"),
            message=f"the default of input `{name}` is not of type {entry.type}: "
            f"`{json.dumps(entry.default)[:80]}`",
            hint="change `type` or `default`",
        )


def check_models(findings: Findings) -> None:
    """Check providers and scripts of models."""
    for name, model in findings.bundle.spec.models.items():
        path: Path = ("models", name)
        known = findings.bundle.providers
        if known and model.provider not in known:
            findings.add(
                "ACI-D313",
                (*path, "provider"),
                message=f"model `{name}` names the provider `{model.provider}`, which is unknown",
                hint=names_hint(model.provider, known, what="known providers"),
            )
        if model.provider == SCRIPTED and model.script is None:
            findings.add(
                "ACI-D314",
                path,
                message=f"model `{name}` is scripted and names no script",
                hint="add `script:` with the file of the replies",
            )
        if model.provider != SCRIPTED and model.script is not None:
            findings.add(
                "ACI-D315",
                (*path, "script"),
                message=f"model `{name}` has a script, which provider `{model.provider}` ignores",
                hint=f"use `provider: {SCRIPTED}`, or remove `script`",
            )


def check_agents(findings: Findings) -> None:
    """Check what agents name: models, tools, schemas, limits."""
    for name, agent in findings.bundle.spec.agents.items():
        _check_agent_model(findings, name, agent=agent)
        _check_agent_tools(findings, name, agent=agent)
        schema = agent_schema(findings.bundle, name)
        if schema is not None:
            _check_schema(findings, name, agent=agent, schema=schema)


def _check_agent_model(findings: Findings, name: str, *, agent: AgentSpec) -> None:
    models = findings.bundle.spec.models
    model = models.get(agent.model)
    if model is None:
        findings.add(
            "ACI-D310",
            ("agents", name, "model"),
            message=f"agent `{name}` names the model `{agent.model}`, which is not defined",
            hint=names_hint(agent.model, models, what="defined models"),
        )
    elif agent.limits.cost is not None and _has_no_price(model):
        findings.add(
            "ACI-D312",
            ("agents", name, "limits", "cost"),
            message=f"agent `{name}` has a cost limit, and its model `{agent.model}` has no price",
            hint=f"add `price: {{input: ..., output: ...}}` to model `{agent.model}`",
        )


def _check_agent_tools(findings: Findings, name: str, *, agent: AgentSpec) -> None:
    known = findings.bundle.tool_digests
    for index, tool in enumerate(agent.tools):
        path: Path = ("agents", name, "tools", index)
        if known and tool not in known:
            findings.add(
                "ACI-D311",
                path,
                message=f"agent `{name}` names the tool `{tool}`, which is unknown",
                hint=names_hint(tool, known, what="known tools"),
            )
        if tool in agent.tools[:index]:
            findings.add(
                "ACI-D319",
                path,
                message=f"agent `{name}` names the tool `{tool}` twice",
                hint="remove one of them",
            )
    if agent.commands and "run_command" not in agent.tools:
        findings.add(
            "ACI-D318",
            ("agents", name, "commands"),
            message=f"agent `{name}` may start commands, and has no tool to do so",
            hint="add `run_command` to its `tools`, or remove `commands`",
        )


def _check_schema(findings: Findings, name: str, *, agent: AgentSpec, schema: JsonObject) -> None:
    for mistake in schema_mistakes(schema):
        place = "/".join(str(part) for part in mistake.path)
        where = f" (at `{place}`)" if place else ""
        if isinstance(agent.output, str):
            path: Path = ("agents", name, "output")
            where = f" (`{agent.output}`, at `{place or '/'}`)"
        else:
            path = ("agents", name, "output", *mistake.path)
        findings.add(
            "ACI-D317",
            path,
            message=f"the output schema of agent `{name}` is invalid: {mistake.message}{where}",
            hint=mistake.hint,
        )


def check_run_limits(findings: Findings) -> None:
    """Check that a cost limit of the run can be counted."""
    spec = findings.bundle.spec
    if spec.limits.cost is None:
        return
    used = {step.agent for step in all_steps(spec.steps) if isinstance(step, AgentStep)}
    currencies: set[str] = set()
    for name in sorted({spec.agents[agent].model for agent in used if agent in spec.agents}):
        model = spec.models.get(name)
        if model is None:
            continue
        if _has_no_price(model):
            findings.add(
                "ACI-D316",
                ("limits", "cost"),
                message=f"the run has a cost limit, and the model `{name}` has no price",
                hint=f"add `price: {{input: ..., output: ...}}` to model `{name}`",
            )
        if model.price is not None:
            currencies.add(model.price.currency)
    if len(currencies) > 1:
        findings.add(
            "ACI-D322",
            ("limits", "cost"),
            message=f"the run has a cost limit over prices in {', '.join(sorted(currencies))}",
            hint="give all prices in one currency; nothing is converted",
        )


def check_files(findings: Findings) -> None:
    """Report every file that the definition names and that could not be read."""
    bundle = findings.bundle
    paths = collect_paths(bundle.spec)
    for what, file in _absent(bundle, paths):
        place = _naming_place(bundle, file)
        reason = bundle.unreadable.get(file, "there is no such file")
        findings.add(
            "ACI-D320",
            place,
            message=f"{what} `{file}` cannot be read: {reason}",
            hint=f"looked for `{findings.shown_path(file)}`",
        )


def _absent(bundle: Bundle, paths: DefinitionPaths) -> list[tuple[str, str]]:
    kinds: tuple[tuple[str, tuple[str, ...], Mapping[str, object]], ...] = (
        ("prompt file", paths.prompts, bundle.prompts),
        ("schema file", paths.schemas, bundle.schemas),
        ("script", paths.scripts, bundle.scripts),
        ("python file", paths.python_files, bundle.python_files),
        ("pipeline", paths.pipelines, {**bundle.children, **bundle.recursive}),
    )
    return [(what, file) for what, named, read in kinds for file in named if file not in read]


def _naming_place(bundle: Bundle, file: str) -> Path:
    """Return the first place of the definition that names `file`."""
    for name, agent in bundle.spec.agents.items():
        if agent.system == file:
            return ("agents", name, "system")
        if agent.output == file:
            return ("agents", name, "output")
    for name, model in bundle.spec.models.items():
        if model.script == file:
            return ("models", name, "script")
    return _step_place(bundle, file) or ()


def _step_place(bundle: Bundle, file: str) -> Path | None:
    for placed in located_steps(bundle.spec.steps, ("steps",)):
        for field, value in named_files(placed.step).items():
            if value == file:
                return (*placed.path, *field)
    return None


def _has_no_price(model: ModelSpec) -> bool:
    return model.price is None and model.provider != SCRIPTED
