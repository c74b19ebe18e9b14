"""A definition with everything that it refers to, already read.

The app reads the files that `collect_paths` names and puts them together; from then on the
definition is one value with one digest. Nothing here reads a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from pydantic import BaseModel

from agentci.core.digest import Digest, digest_json
from agentci.core.errors import Location
from agentci.core.json_types import JsonObject, JsonValue
from agentci.spec.pipeline import (
    AgentStep,
    ForeachStep,
    LoopStep,
    ParallelStep,
    PipelineSpec,
    PipelineStep,
    PythonStep,
    StepBase,
)


class Locator(Protocol):
    """Says where in a file a value of the definition stands. `spec` implements it."""

    def locate(self, path: tuple[str | int, ...], /) -> Location:
        """Return the place of the value at `path`, or of the nearest value around it."""


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A prompt file: its text, and the digest of its raw bytes."""

    text: str
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A pipeline definition and the content of every file that it names.

    The maps of files have the path text of the definition as key. A file that could not be read
    is missing from its map; `check_bundle` reports it.
    """

    spec: PipelineSpec
    positions: Locator
    folder_name: str = ""
    """Name of the pipeline's folder. No digest covers it."""
    prompts: Mapping[str, PromptFile] = field(default_factory=dict)
    schemas: Mapping[str, JsonObject] = field(default_factory=dict)
    scripts: Mapping[str, JsonObject] = field(default_factory=dict)
    python_files: Mapping[str, Digest] = field(default_factory=dict)
    children: Mapping[str, Bundle] = field(default_factory=dict)
    """Sub-pipelines. One that would contain itself stands in `recursive` instead."""
    recursive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Sub-pipelines that are already being read: path text to the chain of pipeline names."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Why a named file is missing from its map, where that is more than not being there."""
    tool_digests: Mapping[str, Digest] = field(default_factory=dict)
    """Every tool that is known on this machine, used by the definition or not."""
    providers: tuple[str, ...] = ()
    """Every model provider that is known on this machine; empty where nobody asked."""

    @property
    def digest(self) -> Digest:
        """Digest of all that the definition consists of; tools that it does not use left out."""
        used = {tool for agent in self.spec.agents.values() for tool in agent.tools}
        return digest_json(
            {
                "spec": spec_json(self.spec),
                "prompts": {path: prompt.digest for path, prompt in self.prompts.items()},
                "schemas": dict(self.schemas),
                "scripts": dict(self.scripts),
                "python_files": dict(self.python_files),
                "children": {path: child.digest for path, child in self.children.items()},
                "tools": {name: self.tool_digests.get(name) for name in sorted(used)},
            }
        )


@dataclass(frozen=True, slots=True)
class DefinitionPaths:
    """The files that a definition names, as written, sorted, each once."""

    prompts: tuple[str, ...]
    schemas: tuple[str, ...]
    scripts: tuple[str, ...]
    python_files: tuple[str, ...]
    pipelines: tuple[str, ...]
    """Folders of sub-pipelines."""


@dataclass(frozen=True, slots=True)
class PythonTarget:
    """A `file.py:function` of a definition."""

    file: str
    function: str


def python_target(text: str) -> PythonTarget:
    """Split `file.py:function`; a part that is missing comes back empty."""
    file, _, function = text.rpartition(":")
    return PythonTarget(file or function, function if file else "")


def collect_paths(spec: PipelineSpec) -> DefinitionPaths:
    """Return every file that `spec` names, relative to the pipeline's folder."""
    steps = tuple(all_steps(spec.steps))
    prompts = {step.prompt for step in steps if isinstance(step, AgentStep)}
    prompts |= {agent.system for agent in spec.agents.values() if agent.system is not None}
    schemas = {agent.output for agent in spec.agents.values() if isinstance(agent.output, str)}
    scripts = {model.script for model in spec.models.values() if model.script is not None}
    functions = {step.python for step in steps if isinstance(step, PythonStep)}
    functions |= {
        step.select.best
        for step in steps
        if isinstance(step, AgentStep) and step.select is not None and step.select.best is not None
    }
    pipelines = {step.pipeline for step in steps if isinstance(step, PipelineStep)}
    return DefinitionPaths(
        prompts=tuple(sorted(prompts)),
        schemas=tuple(sorted(schemas)),
        scripts=tuple(sorted(scripts)),
        python_files=tuple(sorted({python_target(text).file for text in functions})),
        pipelines=tuple(sorted(pipelines)),
    )


def blocks_of(step: StepBase) -> Mapping[str, Sequence[StepBase]]:
    """Return the blocks of steps inside `step`: branches by name, another body under `""`."""
    if isinstance(step, LoopStep):
        return {"": step.loop.steps}
    if isinstance(step, ForeachStep):
        return {"": step.foreach.steps}
    if isinstance(step, ParallelStep):
        return {name: steps for name, steps in step.parallel.branches.items()}  # noqa: C416  # widens the value type
    return {}


def all_steps(steps: Sequence[StepBase]) -> Iterator[StepBase]:
    """Yield `steps` and every step inside them, outer before inner, as written."""
    for step in steps:
        yield step
        for block in blocks_of(step).values():
            yield from all_steps(block)


def agent_schema(bundle: Bundle, agent: str) -> JsonObject | None:
    """Return the JSON Schema of the answers of `agent`, or None where it answers with text."""
    output = bundle.spec.agents[agent].output
    return bundle.schemas.get(output) if isinstance(output, str) else output


def spec_json(spec: PipelineSpec) -> JsonObject:
    """Return a definition as JSON, without values that equal their default.

    So neither a default that is written out nor a field that a later release adds changes a
    digest. An input's `default: null` is kept, because it makes the input optional.
    """
    value = dict(model_json(spec))
    if spec.inputs:
        value["inputs"] = {
            name: {**model_json(entry), "required": entry.required}
            for name, entry in spec.inputs.items()
        }
    return value


def model_json(model: BaseModel, *, without: frozenset[str] = frozenset()) -> JsonObject:
    """Return a spec model as JSON, without defaults and without the fields `without`."""
    found = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {name: cast("JsonValue", item) for name, item in found.items() if name not in without}
