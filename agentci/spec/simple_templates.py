"""Prompt templates of the common kind: `{{ value }}`, `{% if %}` and `{% for %}`, without Jinja.

As in `agentci.spec.simple_expressions`, whatever is not plainly the same as in Jinja is
`NotSimple`, and so is every failure. White space is treated as Jinja does with `trim_blocks` and
`lstrip_blocks`: a line with nothing but a statement leaves nothing behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias, assert_never

from agentci.core.json_types import JsonValue
from agentci.spec import simple_expressions as simple
from agentci.spec.expression_values import MAX_ITEMS, MAX_TEXT, to_text
from agentci.spec.simple_expressions import Chain, NotSimple

_EXPRESSION = r"""((?:[^{}"'%#\\]|"[^"{}%\#\\\n]*"|'[^'{}%\#\\\n]*')*+)"""
_TAG = re.compile(
    r"\{\{(?![-+])" + _EXPRESSION + r"(?<![-+])\}\}"
    r"|\{%(?![-+])\s*(if|elif|else|endif|for|endfor)\b" + _EXPRESSION + r"(?<![-+])%\}"
)
_MARKS = ("{{", "{%", "{#", "}}", "%}", "#}")
_LOOP = re.compile(r"\s*([A-Za-z_]\w*)\s+in\s", re.ASCII)
_RESERVED = frozenset(
    {"loop", "true", "false", "none", "True", "False", "None", "not", "if", "in", "is", "and", "or"}
)
_LINE_BREAK = re.compile(r"\r\n|\r")


@dataclass(frozen=True, slots=True)
class _Expression:
    source: str
    offset: int


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


@dataclass(frozen=True, slots=True)
class _Output:
    value: _Expression


@dataclass(frozen=True, slots=True)
class _Branch:
    condition: _Expression | None
    """None for `else`."""
    body: list[_Node]


@dataclass(frozen=True, slots=True)
class _If:
    branches: list[_Branch]


@dataclass(frozen=True, slots=True)
class _For:
    name: str
    items: _Expression
    body: list[_Node]


_Node: TypeAlias = "_Text | _Output | _If | _For"


def render(text: str, scope: Mapping[str, JsonValue]) -> str:
    """Return the text of a template.

    Raises:
        NotSimple: also when the rendering fails.
    """
    rendering = _Rendering()
    rendering.run(_parse(_LINE_BREAK.sub("\n", text)), scope)
    return "".join(rendering.pieces)


def chains(text: str) -> tuple[Chain, ...]:
    """Return what a template reads from outside, in the order of the text.

    Raises:
        NotSimple: when it is not of the common kind.
    """
    found = _chains(_parse(text), frozenset())
    return tuple(sorted(found, key=lambda chain: chain.offset))


@dataclass(slots=True)
class _Rendering:
    pieces: list[str] = field(default_factory=list)
    size: int = 0
    visited: int = 0

    def run(self, nodes: list[_Node], scope: Mapping[str, JsonValue]) -> None:
        for node in nodes:
            match node:
                case _Text(text):
                    self._add(text)
                case _Output(value):
                    self._add(to_text(simple.evaluate(value.source, scope)))
                case _If(branches):
                    self._if(branches, scope)
                case _For():
                    self._for(node, scope)
                case _:
                    assert_never(node)

    def _add(self, text: str) -> None:
        self.size += len(text)
        if self.size > MAX_TEXT:
            raise NotSimple
        self.pieces.append(text)

    def _if(self, branches: list[_Branch], scope: Mapping[str, JsonValue]) -> None:
        for branch in branches:
            condition = branch.condition
            if condition is None or simple.evaluate(condition.source, scope):
                self.run(branch.body, scope)
                return

    def _for(self, node: _For, scope: Mapping[str, JsonValue]) -> None:
        items = simple.evaluate(node.items.source, scope)
        if not isinstance(items, list):
            raise NotSimple
        for item in items:
            self.visited += 1
            if self.visited > MAX_ITEMS:
                raise NotSimple
            self.run(node.body, {**scope, node.name: item})


def _chains(nodes: list[_Node], local: frozenset[str]) -> Iterator[Chain]:
    for node in nodes:
        match node:
            case _Text():
                pass
            case _Output(value):
                yield from _read(value, local)
            case _If(branches):
                for branch in branches:
                    if branch.condition is not None:
                        yield from _read(branch.condition, local)
                    yield from _chains(branch.body, local)
            case _For(name, items, body):
                yield from _read(items, local)
                yield from _chains(body, local | {name})
            case _:
                assert_never(node)


def _read(expression: _Expression, local: frozenset[str]) -> Iterator[Chain]:
    for chain in simple.chains(expression.source):
        if chain.path[0] not in local:
            yield Chain(chain.path, expression.offset + chain.offset, chain.optional)


@lru_cache(maxsize=256)
def _parse(text: str) -> list[_Node]:
    return _Parser(text).parse()


class _Parser:
    """Takes a template apart, and checks that every expression is simple."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root: list[_Node] = []
        self.bodies = [self.root]
        """Where nodes go; the innermost last."""
        self.open: list[_If | _For] = []
        self.position = 0
        self.line_starts = True

    def parse(self) -> list[_Node]:
        for match in _TAG.finditer(self.text):
            self._text(match.start(), before_statement=match[2] is not None)
            self.position = match.end()
            if match[2] is None:
                self.line_starts = False
                self.bodies[-1].append(_Output(self._simple(match[1], match.start(1))))
            else:
                self._skip_line_break()
                self._statement(match[2], _Expression(match[3], match.start(3)))
        self._text(len(self.text), before_statement=False)
        if self.open:
            raise NotSimple
        return self.root

    def _text(self, end: int, *, before_statement: bool) -> None:
        text = self.text[self.position : end]
        if text.endswith("{") or any(mark in text for mark in _MARKS):
            raise NotSimple
        if before_statement:
            start = text.rfind("\n") + 1
            if (start or self.line_starts) and text[start:].isspace():
                text = text[:start]
        if text:
            self.bodies[-1].append(_Text(text))

    def _skip_line_break(self) -> None:
        self.line_starts = self.text.startswith("\n", self.position)
        self.position += self.line_starts

    def _statement(self, word: str, rest: _Expression) -> None:
        if word in {"if", "for"}:
            self._begin(word, rest)
            return
        top = self.open[-1] if self.open else None
        if isinstance(top, _If) and word in {"elif", "else"}:
            if top.branches[-1].condition is None or (word == "else") != (not rest.source.strip()):
                raise NotSimple
            condition = self._simple(rest.source, rest.offset) if word == "elif" else None
            top.branches.append(_Branch(condition, []))
            self.bodies[-1] = top.branches[-1].body
            return
        expected = "endif" if isinstance(top, _If) else "endfor" if top is not None else ""
        if word != expected or rest.source.strip():
            raise NotSimple
        self.open.pop()
        self.bodies.pop()

    def _begin(self, word: str, rest: _Expression) -> None:
        node: _If | _For
        if word == "if":
            node = _If([_Branch(self._simple(rest.source, rest.offset), [])])
            body = node.branches[0].body
        else:
            match = _LOOP.match(rest.source)
            if match is None or match[1] in _RESERVED:
                raise NotSimple
            items = self._simple(rest.source[match.end() :], rest.offset + match.end())
            if not simple.is_chain(items.source):  # `for a in b if c` has a meaning of its own
                raise NotSimple
            body = []
            node = _For(match[1], items, body)
        if len(self.open) >= 20:
            raise NotSimple
        self.bodies[-1].append(node)
        self.open.append(node)
        self.bodies.append(body)

    def _simple(self, source: str, offset: int) -> _Expression:
        for chain in simple.chains(source):
            if chain.path[0] == "loop":
                raise NotSimple
        return _Expression(source, offset)
