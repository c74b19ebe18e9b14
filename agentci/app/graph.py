"""Draws the plan of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, assert_never

from agentci.app import wiring
from agentci.app.definitions import checked_bundle
from agentci.app.project import open_project
from agentci.core.json_types import JsonValue
from agentci.plan.graph_text import to_dot, to_mermaid
from agentci.plan.planner import build_plan
from agentci.spec.pipeline import InputType, PipelineSpec

PictureFormat: TypeAlias = Literal["mermaid", "dot"]

_PLACEHOLDERS: dict[InputType, JsonValue] = {
    "string": "...",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "list": [],
    "object": {},
}
"""A picture shows steps, not values, so it needs no inputs from the user."""


@dataclass(frozen=True, slots=True)
class GraphRequest:
    """What to draw, and how."""

    start: Path
    pipeline: str
    format: PictureFormat = "mermaid"


@dataclass(frozen=True, slots=True)
class GraphResult:
    """A picture as text."""

    pipeline: str
    format: PictureFormat
    text: str


def execute(request: GraphRequest) -> GraphResult:
    """Draw a pipeline.

    Raises:
        NothingMatched: when there is no such pipeline.
        SpecError: when its definition is invalid.
    """
    files = wiring.files()
    project = open_project(request.start, files)
    bundle = checked_bundle(project.find_pipeline(request.pipeline), files, root=project.root)
    plan = build_plan(bundle, _stand_ins(bundle.spec))
    match request.format:
        case "mermaid":
            text = to_mermaid(plan)
        case "dot":
            text = to_dot(plan)
        case _:
            assert_never(request.format)
    return GraphResult(pipeline=plan.name, format=request.format, text=text)


def _stand_ins(spec: PipelineSpec) -> dict[str, JsonValue]:
    return {
        name: _PLACEHOLDERS[entry.type] for name, entry in spec.inputs.items() if entry.required
    }
