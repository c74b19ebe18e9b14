"""The cache key of a step instance: a digest of everything that can change its result.

Every part of the key keeps its name and a digest of its own, so that `explain` can say which part
changed. Two instances with equal keys give equal results, whatever their place in the pipeline;
a step that asks a model has its lane in the key, because two lanes that ask the same may have
recorded different answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agentci.core.digest import Digest, digest_json
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.lane import Lane
from agentci.plan.bundle import Bundle, agent_schema, blocks_of, model_json, python_target
from agentci.spec.pipeline import AgentStep, ModelSpec, PipelineStep, PythonStep, StepBase, kind_of

KEY_VERSION = 1
"""Version of what a key covers; raised when a release adds or drops a part."""

_NOT_THE_WORK = frozenset({"id", "needs", "when", "retry", "cache", "allow_failure"})
"""Fields that decide whether and when a step runs, not what it does."""
_OWN_FIELDS = frozenset({"salt", "timeout"})
_TRANSPORT = frozenset({"timeout", "attempts"})
"""Fields of a model that change how often an answer is asked for, not the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInstance:
    """What only the run knows about one execution of a step."""

    implementation: str
    """Version of the step kind's code."""
    tree: str
    """Git tree id of the workspace before the step."""
    seed: int
    """The seed derived for the step; for an agent, whether or not the provider honours it."""
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    """Every template of the step with its value: `with`, arguments, folder, standard input."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Git blob ids of the files that the step declares, by path."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The environment that the step sees."""
    sandbox: str = ""
    """Where commands run, with its image where it has one."""
    iteration: int | None = None
    """Of the innermost loop, counted from 1."""
    sample: int | None = None
    """Counted from 0."""
    lane: Lane | None = None
    """For steps that ask a model; None for steps that depend on nothing but their files."""
    recordings: Digest | None = None
    """Digest of what is recorded for the step's lanes, so that an edited cassette is noticed."""


@dataclass(frozen=True, slots=True)
class StepKey:
    """A cache key and the digest of each of its parts by name."""

    digest: Digest
    fields: Mapping[str, Digest]
    """Names like `prompt` or `with.task`, sorted."""


def step_key(bundle: Bundle, step: StepBase, *, instance: StepInstance) -> StepKey:
    """Return the key of `step` of the definition `bundle`, for one execution."""
    parts: dict[str, JsonValue] = {
        "kind": kind_of(step),
        "implementation": instance.implementation,
        "timeout": step.timeout,
        "salt": step.salt,
        "tree": instance.tree,
        "seed": instance.seed,
        "sandbox": instance.sandbox,
        "iteration": instance.iteration,
        "sample": instance.sample,
        "lane": instance.lane,
        "recordings": instance.recordings,
        **_each("definition", step_definition(bundle, step)),
        **_each("with", instance.inputs),
        **_each("files", instance.files),
        **_each("env", instance.env),
    }
    if isinstance(step, AgentStep):
        parts.update(_agent_parts(bundle, step))
    fields = {name: digest_json(parts[name]) for name in sorted(parts)}
    covered: JsonObject = {"version": KEY_VERSION, "fields": dict(fields)}
    return StepKey(digest_json(covered), fields)


def step_definition(bundle: Bundle, step: StepBase) -> JsonObject:
    """Return what a step is to do as JSON, with the digests of the code files that it names.

    Left out is what only decides whether and when it runs. The steps inside a container are
    complete.
    """
    found = dict(model_json(step, without=_NOT_THE_WORK | _OWN_FIELDS))
    if isinstance(step, PythonStep):
        found["code"] = bundle.python_files.get(python_target(step.python).file)
    if isinstance(step, AgentStep) and step.select is not None and step.select.best is not None:
        found["code"] = bundle.python_files.get(python_target(step.select.best).file)
    if isinstance(step, PipelineStep):
        child = bundle.children.get(step.pipeline)
        found["code"] = None if child is None else child.digest
    if blocks_of(step):
        # what the steps inside refer to is part of what a container does
        found["code"] = bundle.digest
    return found


def _agent_parts(bundle: Bundle, step: AgentStep) -> Mapping[str, JsonValue]:
    agent = bundle.spec.agents[step.agent]
    tools: JsonObject = {name: bundle.tool_digests.get(name) for name in agent.tools}
    model = bundle.spec.models[agent.model]
    return {
        "prompt": _prompt_digest(bundle, step.prompt),
        "system": None if agent.system is None else _prompt_digest(bundle, agent.system),
        "schema": agent_schema(bundle, step.agent),
        **_each("agent", model_json(agent, without=frozenset({"model", "system", "output"}))),
        "agent.sandbox": agent.sandbox or bundle.spec.sandbox,
        **_each("model", _model_definition(bundle, model)),
        **_each("tools", tools),
    }


def _model_definition(bundle: Bundle, model: ModelSpec) -> JsonObject:
    found = dict(model_json(model, without=_TRANSPORT))
    if model.script is not None:
        script = bundle.scripts.get(model.script)
        found["script"] = None if script is None else digest_json(script)
    return found


def _prompt_digest(bundle: Bundle, path: str) -> Digest | None:
    prompt = bundle.prompts.get(path)
    return None if prompt is None else prompt.digest


def _each(name: str, values: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Give every entry a part of its own, so that a change is named exactly."""
    return {f"{name}.{key}": value for key, value in values.items()}
