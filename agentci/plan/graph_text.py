"""The plan as a picture: Mermaid for Markdown, DOT for Graphviz. The same plan, the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from agentci.plan.planner import Plan, PlanNode
from agentci.spec.pipeline import (
    AgentStep,
    CommandStep,
    LoopStep,
    PipelineStep,
    PythonStep,
)

_MERMAID_SHAPES = {
    "agent": ('(["', '"])'),
    "approve": ('{{"', '"}}'),
    "commit": ('[["', '"]]'),
}
_DOT_SHAPES = {"agent": "ellipse", "approve": "hexagon", "commit": "folder"}
_INDENT = "  "

_Ids: TypeAlias = Mapping[str, str]
"""The id of each lane pattern."""


def to_mermaid(plan: Plan) -> str:
    """Return a Mermaid flowchart; steps that contain others are boxes around them."""
    ids = _ids(plan)
    lines = ["flowchart TD", *_mermaid_block(plan.nodes, ids=ids, depth=1)]
    lines += [f"{_INDENT}{edge.start} --> {edge.end}" for edge in _edges(plan.nodes, ids)]
    return "\n".join(lines) + "\n"


def to_dot(plan: Plan) -> str:
    """Return a Graphviz graph; steps that contain others are clusters."""
    ids = _ids(plan)
    lines = [
        f"digraph {_dot_text(plan.name)} {{",
        f"{_INDENT}compound=true;",
        f"{_INDENT}node [shape=box, style=rounded];",
        *_dot_block(plan.nodes, ids=ids, depth=1),
    ]
    ends = _Ends(ids)
    lines.extend(f"{_INDENT}{ends.line(plan, edge)};" for edge in _edges(plan.nodes, ids))
    return "\n".join([*lines, "}"]) + "\n"


@dataclass(frozen=True, slots=True)
class _Edge:
    start: str
    end: str


def _ids(plan: Plan) -> dict[str, str]:
    """Give each lane a short id; lanes have characters that neither language takes."""
    return {node.lane_pattern: f"s{index}" for index, node in enumerate(plan.walk(), start=1)}


def _edges(nodes: Sequence[PlanNode], ids: _Ids) -> Iterator[_Edge]:
    for block in _branches(nodes):
        by_step = {node.step.id: node for node in block.nodes}
        for node in block.nodes:
            for need in node.needs:
                yield _Edge(ids[by_step[need].lane_pattern], ids[node.lane_pattern])
            yield from _edges(node.children, ids)


@dataclass(frozen=True, slots=True)
class _Block:
    branch: str
    nodes: tuple[PlanNode, ...]


def _branches(nodes: Sequence[PlanNode]) -> Iterator[_Block]:
    names = dict.fromkeys(node.branch for node in nodes)
    for name in names:
        yield _Block(name, tuple(node for node in nodes if node.branch == name))


def _words(node: PlanNode) -> tuple[str, ...]:
    """Return the lines of a node's label."""
    return (node.step.id, *(line for line in (_detail(node),) if line))


def _detail(node: PlanNode) -> str:
    step = node.step
    if isinstance(step, AgentStep):
        return f"agent {step.agent}" + (f", {step.samples} samples" if step.samples > 1 else "")
    if isinstance(step, CommandStep):
        words = step.run if isinstance(step.run, str) else " ".join(step.run)
        return "run " + _shortened(words)
    if isinstance(step, LoopStep):
        return f"loop, at most {step.loop.max}: until {_condition(step.loop.until)}"
    if isinstance(step, PythonStep | PipelineStep):
        return f"{node.kind} {step.python if isinstance(step, PythonStep) else step.pipeline}"
    if node.kind == "foreach":
        return f"foreach, {len(node.items)} items" if node.items else "foreach"
    return node.kind


def _condition(text: str) -> str:
    return _shortened(text.strip().removeprefix("${{").removesuffix("}}"))


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."


def _mermaid_block(nodes: Sequence[PlanNode], *, ids: _Ids, depth: int) -> Iterator[str]:
    space = _INDENT * depth
    for node in nodes:
        name = ids[node.lane_pattern]
        label = "<br/>".join(_mermaid_text(line) for line in _words(node))
        if not node.children:
            opening, closing = _MERMAID_SHAPES.get(node.kind, ('["', '"]'))
            yield f"{space}{name}{opening}{label}{closing}"
            continue
        yield f'{space}subgraph {name}["{label}"]'
        for block in _branches(node.children):
            if not block.branch:
                yield from _mermaid_block(block.nodes, ids=ids, depth=depth + 1)
                continue
            inner = ids[block.nodes[0].lane_pattern]
            yield f'{space}{_INDENT}subgraph {inner}b["{_mermaid_text(block.branch)}"]'
            yield from _mermaid_block(block.nodes, ids=ids, depth=depth + 2)
            yield f"{space}{_INDENT}end"
        yield f"{space}end"


def _mermaid_text(text: str) -> str:
    """Write what Mermaid or its HTML labels would read as their own, as entity codes."""
    special = '"#%&<>`\\'
    return "".join(f"#{ord(c)};" if c in special or not c.isprintable() else c for c in text)


def _dot_block(nodes: Sequence[PlanNode], *, ids: _Ids, depth: int) -> Iterator[str]:
    space = _INDENT * depth
    for node in nodes:
        name = ids[node.lane_pattern]
        label = _dot_text("\n".join(_words(node)))
        if not node.children:
            yield f"{space}{name} [label={label}, shape={_DOT_SHAPES.get(node.kind, 'box')}];"
            continue
        yield f"{space}subgraph cluster_{name} {{"
        yield f"{space}{_INDENT}label={label};"
        for block in _branches(node.children):
            if not block.branch:
                yield from _dot_block(block.nodes, ids=ids, depth=depth + 1)
                continue
            inner = ids[block.nodes[0].lane_pattern]
            yield f"{space}{_INDENT}subgraph cluster_{inner}b {{"
            yield f"{space}{_INDENT * 2}label={_dot_text(block.branch)};"
            yield from _dot_block(block.nodes, ids=ids, depth=depth + 2)
            yield f"{space}{_INDENT}}}"
        yield f"{space}}}"


def _dot_text(text: str) -> str:
    shown = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    return '"' + shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@dataclass(frozen=True, slots=True)
class _Ends:
    """DOT draws edges between nodes only; those of a cluster go to a step inside it."""

    ids: _Ids

    def line(self, plan: Plan, edge: _Edge) -> str:
        by_id = {self.ids[node.lane_pattern]: node for node in plan.walk()}
        start, end = by_id[edge.start], by_id[edge.end]
        first, last = self._inner(start, last=True), self._inner(end, last=False)
        marks = [f"ltail=cluster_{edge.start}"] if first != edge.start else []
        marks += [f"lhead=cluster_{edge.end}"] if last != edge.end else []
        return f"{first} -> {last}" + (f" [{', '.join(marks)}]" if marks else "")

    def _inner(self, node: PlanNode, *, last: bool) -> str:
        while node.children:
            node = node.children[-1 if last else 0]
        return self.ids[node.lane_pattern]
