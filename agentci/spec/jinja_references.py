"""Which names a Jinja syntax tree reads, with the fields behind each. Evaluates nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes
from jinja2.meta import TrackingCodeGenerator


@dataclass(frozen=True, slots=True)
class Found:
    """A chain of names, for example `steps.review.output`."""

    path: tuple[str, ...]
    line: int
    """Counted from 1."""
    optional: bool
    """Whether the text itself provides for its absence."""


def found_in(tree: nodes.Template, functions: frozenset[str]) -> tuple[Found, ...]:
    """Return the chains that `tree` reads from outside, in the order of its nodes."""
    assert tree.environment is not None
    tracker = TrackingCodeGenerator(tree.environment)
    tracker.optimizer = None  # it would take branches that are never reached out of the tree
    tracker.visit(tree)
    outside = tracker.undeclared_identifiers - functions
    return tuple(found for found in _walk(tree, optional=False) if found.path[0] in outside)


def _walk(node: nodes.Node, *, optional: bool) -> Iterator[Found]:
    if isinstance(node, nodes.Expr) and (path := _path(node)):
        yield Found(path, node.lineno, optional)
        return
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        yield from _walk(node.node.node, optional=optional)
        for child in node.iter_child_nodes(exclude=("node",)):
            yield from _walk(child, optional=optional)
        return
    guards = (isinstance(node, nodes.Filter) and node.name in {"default", "d"}) or (
        isinstance(node, nodes.Test) and node.name in {"defined", "undefined"}
    )
    for child in node.iter_child_nodes():
        yield from _walk(child, optional=optional or guards)


def _path(node: nodes.Expr) -> tuple[str, ...]:
    """Return the chain that `node` is, or nothing."""
    if isinstance(node, nodes.Name):
        return (node.name,) if node.ctx == "load" else ()
    if isinstance(node, nodes.Getattr):
        front = _path(node.node)
        return (*front, node.attr) if front else ()
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        front = _path(node.node)
        return (*front, str(node.arg.value)) if front else ()
    return ()


def offset_of(text: str, found: Found) -> int:
    """Return about where `found` stands in `text`: its first name in its line or after it."""
    start = 0
    for _ in range(found.line - 1):
        start = text.find("\n", start) + 1
    name = re.compile(rf"\b{re.escape(found.path[0])}\b")
    match = name.search(text, start)
    return match.start() if match else start
