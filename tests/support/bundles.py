"""Definitions for tests, from YAML text, with real places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import dedent
from typing import Any

from agentci.core.digest import digest_bytes
from agentci.core.errors import Problem
from agentci.plan.bundle import Bundle, PromptFile, collect_paths
from agentci.plan.references import check_bundle
from agentci.spec.pipeline import PipelineSpec, StepBase
from agentci.spec.validation import validate
from agentci.spec.yaml_document import parse_document

HEADER = "format: agentci/pipeline\nversion: 1\nname: test\n"
TOOLS = ("edit_file", "list_files", "read_file", "run_command", "search", "write_file")
AGENTS = """
models:
  small: {provider: scripted, id: m, script: replies.yaml}
agents:
  coder: {model: small}
  reviewer:
    model: small
    output:
      type: object
      properties:
        approved: {type: boolean}
        comments: {type: array, items: {type: object, properties: {line: {type: integer}}}}
      required: [approved]
"""


def bundle_of(
    text: str,
    *,
    prompts: Mapping[str, str] | None = None,
    children: Mapping[str, Bundle] | None = None,
    without: Iterable[str] = (),
    name: str = "pipelines/test/pipeline.yaml",
    **fields: Any,
) -> Bundle:
    """Return the bundle of a definition; files that it names exist unless they are in `without`."""
    document = parse_document((HEADER + dedent(text)).encode(), name)
    spec = validate(document, PipelineSpec)
    paths = collect_paths(spec)
    texts = {path: "Do it." for path in paths.prompts if path not in set(without)}
    texts |= prompts or {}
    defaults: dict[str, Any] = {
        "prompts": {
            path: PromptFile(content, digest_bytes(content.encode()))
            for path, content in texts.items()
        },
        "scripts": {path: {"rules": []} for path in paths.scripts if path not in set(without)},
        "python_files": {
            path: digest_bytes(path.encode())
            for path in paths.python_files
            if path not in set(without)
        },
        "tool_digests": {tool: digest_bytes(tool.encode()) for tool in TOOLS},
        "children": children or {},
    }
    return Bundle(spec=spec, positions=document.positions, **{**defaults, **fields})


def step_of(bundle: Bundle, index: int = 0) -> StepBase:
    """Return a top-level step."""
    return bundle.spec.steps[index]


def problems_of(text: str, **fields: Any) -> tuple[Problem, ...]:
    """Return what the static checks find in a definition."""
    return check_bundle(bundle_of(text, **fields))
