"""The part of Jinja's expressions that is also Python: names, fields, comparisons, and/or/not.

Filters are read as Python's `|`, where only a name or another filter stands before it.

Nearly all expressions of a pipeline are of this kind, and reading them here spares the import of
Jinja. Whatever is not plainly the same in both languages is `NotSimple`, and so is every failure:
`agentci.spec.jinja_sandbox` then decides, and its errors are what the user sees.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from agentci.core.json_types import JsonValue
from agentci.spec.expression_values import NotThere, checked_size, look_up, to_json
from agentci.spec.simple_filters import filter_of

_TOKENS = re.compile(
    r"""(?>\s++|[A-Za-z_]\w*+(?!["'])|[0-9]++(?:\.[0-9]++)?(?![\w.])"""
    r"""|"[^"\\\n]*+"(?!")|'[^'\\\n]*+'(?!')|[=!]=|[<>]=?|\.(?![0-9])|[\[\](),+|-])*+""",
    re.ASCII,
)
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "none": None}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_MAX_LENGTH = 2_000


class NotSimple(Exception):
    """The expression is for Jinja."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A name with fields behind it."""

    path: tuple[str, ...]
    offset: int
    """Where it begins in the expression."""
    optional: bool = False
    """Whether `default` stands behind it."""


@lru_cache(maxsize=1024)
def parse(source: str) -> ast.expr:
    """Return the syntax tree of `source`.

    Raises:
        NotSimple: when it is not in the common part of both languages.
    """
    if len(source) > _MAX_LENGTH or not source.isascii() or not _TOKENS.fullmatch(source):
        raise NotSimple
    try:
        # the parentheses allow line breaks, as Jinja does
        tree = ast.parse(f"({source})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotSimple from None
    _check(tree)
    return tree


def _check(node: ast.expr) -> None:
    for child in _operands(node):
        _check(child)


def _operands(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what `node` is made of; refuse what Jinja could read in another way."""
    match node:
        case ast.Name() | ast.Constant():
            pass
        case ast.Attribute(value=value):
            yield value
        case ast.Subscript(value=value, slice=ast.Constant(value=str() | int())):
            yield value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BoolOp(values=values):
            yield from values
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield from (test, body, orelse)
        case ast.BinOp():
            yield from _sides(node)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            type(op) in _COMPARE for op in ops
        ):
            yield from (left, *others)
        case _:
            raise NotSimple


def _sides(node: ast.BinOp) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            yield from (left, right)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right) if filter_of(
            right
        ) is not None and _binds_tightly(left):
            yield left
        case _:
            raise NotSimple


def _binds_tightly(node: ast.expr) -> bool:
    """Say whether Jinja, too, would apply a filter behind `node` to all of it."""
    return bool(_path(node)) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr))


def is_chain(source: str) -> bool:
    """Say whether `source` is a name with fields behind it, and nothing else.

    Raises:
        NotSimple: when it is not in the common part of both languages.
    """
    return bool(_path(parse(source)))


def evaluate(source: str, scope: Mapping[str, JsonValue]) -> JsonValue:
    """Return the value of `source`.

    Raises:
        NotSimple: also when the evaluation fails.
    """
    tree = parse(source)
    try:
        return to_json(_value(tree, scope))
    except (NotThere, TypeError, ValueError, ArithmeticError, RecursionError):
        raise NotSimple from None


def _value(node: ast.expr, scope: Mapping[str, JsonValue]) -> Any:
    match node:
        case ast.Name(id=name):
            return _WORDS[name] if name in _WORDS else look_up(scope, name)
        case ast.Constant(value=value):
            return value
        case ast.Attribute(value=owner, attr=name):
            return look_up(_value(owner, scope), name)
        case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
            return look_up(_value(owner, scope), key)
        case _:
            return _computed(node, scope)


def _computed(node: ast.expr, scope: Mapping[str, JsonValue]) -> Any:
    match node:
        case ast.UnaryOp(operand=operand):
            return not _value(operand, scope)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _value(test, scope) else orelse, scope)
        case ast.BinOp():
            return _binary(node, scope)
        case ast.BoolOp():
            return _bool_op(node, scope)
        case ast.Compare():
            return _compare(node, scope)
        case _:
            raise NotSimple


def _binary(node: ast.BinOp, scope: Mapping[str, JsonValue]) -> Any:
    left = _value(node.left, scope)
    match node.op:
        case ast.BitOr():
            found = filter_of(node.right)
            return found.apply(left) if found is not None else None
        case ast.Add():
            return checked_size(left + _value(node.right, scope))
        case _:
            return left - _value(node.right, scope)


def _bool_op(node: ast.BoolOp, scope: Mapping[str, JsonValue]) -> Any:
    stop_at = isinstance(node.op, ast.Or)
    result: Any = None
    for operand in node.values:
        result = _value(operand, scope)
        if bool(result) is stop_at:
            break
    return result


def _compare(node: ast.Compare, scope: Mapping[str, JsonValue]) -> bool:
    left = _value(node.left, scope)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, scope)
        if not _COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def chains(source: str) -> tuple[Chain, ...]:
    """Return the names of `source` with the fields behind each, in the order of the text.

    Raises:
        NotSimple: when it is not in the common part of both languages.
    """
    lines = source.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:index]) for index in range(len(lines))]
    found: list[Chain] = []

    def walk(node: ast.expr, *, optional: bool = False) -> None:
        path = _path(node)
        if path is None:
            default = _is_default(node)
            for child in _operands(node):
                walk(child, optional=optional or default)
        elif path:
            before = 1 if node.lineno == 1 else 0
            offset = starts[node.lineno - 1] + node.col_offset - before
            found.append(Chain(path, offset, optional))

    walk(parse(source))
    return tuple(sorted(found, key=lambda chain: chain.offset))


def _is_default(node: ast.expr) -> bool:
    found = filter_of(node.right) if isinstance(node, ast.BinOp) else None
    return found is not None and found.name == "default"


def _path(node: ast.expr) -> tuple[str, ...] | None:
    """Return the path of a chain, empty for a constant, None for anything else."""
    match node:
        case ast.Constant():
            return ()
        case ast.Name(id=name):
            return () if name in _WORDS else (name,)
        case ast.Attribute(value=owner, attr=name):
            front = _path(owner)
            return (*front, name) if front else None
        case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
            front = _path(owner)
            return (*front, str(key)) if front else None
        case _:
            return None
