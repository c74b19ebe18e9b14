"""Jinja2 behind a fence: JSON in, JSON or text out, in bounded time and space.

Only what is listed here exists: statements `for`, `if` and `set`, the filters, tests, methods and
the function `range`. There is no clock, no randomness, no include, no macro, no attribute of a
Python object. Imported by `agentci.spec.expressions` when an expression needs it, since Jinja
takes long to import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, Undefined, nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import SandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.utils import missing

from agentci.core.json_types import JsonValue
from agentci.spec.expression_values import (
    MAX_ITEMS,
    MAX_TEXT,
    Malformed,
    NotThere,
    NoValue,
    checked_size,
    look_up,
    to_json,
    to_text,
)
from agentci.spec.jinja_filters import OWN_FILTERS
from agentci.spec.suggestion import did_you_mean

_FAILURES = (
    TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError,
    RecursionError, MemoryError,
)  # fmt: skip

_THEIR_FILTERS = (
    "abs", "capitalize", "d", "default", "dictsort", "first", "float", "int", "items", "last",
    "length", "count", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse",
    "select", "selectattr", "sort", "title", "trim", "truncate", "unique", "upper", "wordcount",
)  # fmt: skip
_THEIR_TESTS = (
    "boolean", "defined", "divisibleby", "eq", "==", "equalto", "even", "false", "float", "ge",
    ">=", "greaterthan", "gt", ">", "in", "integer", "iterable", "le", "<=", "lessthan", "lower",
    "lt", "<", "mapping", "ne", "!=", "none", "number", "odd", "sequence", "string", "true",
    "undefined", "upper",
)  # fmt: skip
_METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        {
            "capitalize",
            "count",
            "endswith",
            "find",
            "isdigit",
            "lower",
            "lstrip",
            "removeprefix",
            "removesuffix",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "title",
            "upper",
        }
    ),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
}
_LOOP = frozenset(
    {
        "depth",
        "depth0",
        "first",
        "index",
        "index0",
        "last",
        "length",
        "nextitem",
        "previtem",
        "revindex",
        "revindex0",
    }
)
_ALLOWED_NODES = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Tuple,
    nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter, nodes.Test,
    nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Slice, nodes.Concat, nodes.Compare,
    nodes.Operand, nodes.BinExpr, nodes.UnaryExpr, nodes.For, nodes.If, nodes.Assign,
)  # fmt: skip


class Missing(StrictUndefined):
    """A value that is not there; using it is an error that names what is near."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return f"there is no `{self._undefined_name}`{self._owner()}"

    def _owner(self) -> str:
        owner = self._undefined_obj
        if owner is missing:
            owner = _current.get().scope
        if isinstance(owner, Mapping):
            names = [str(name) for name in owner]
            near = did_you_mean(str(self._undefined_name), names)
            shown = ", ".join(f"`{name}`" for name in names[:12]) or "nothing"
            return f" ({near})" if near else f"; there is {shown}"
        kinds = {str: "a text", list: "a list", bool: "true or false", type(None): "null"}
        kind = kinds.get(type(owner))
        if kind is None:
            kind = "a number" if isinstance(owner, int | float) else ""
        return f" in {kind}" if kind else ""


FUNCTIONS = frozenset({"range"})
"""Names that every expression may use."""


@dataclass(slots=True)
class _Rendering:
    """What one evaluation works on, and how much of it its loops have seen."""

    scope: Mapping[str, JsonValue]
    visited: int = 0


_current: ContextVar[_Rendering] = ContextVar("agentci_rendering")


def _counted(values: Iterable[Any]) -> Iterator[Any]:
    rendering = _current.get()
    for value in values:
        rendering.visited += 1
        if rendering.visited > MAX_ITEMS:
            raise ValueError(f"the loops visit more than {MAX_ITEMS:,} items")
        yield value


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > MAX_ITEMS:
        raise ValueError(f"`range` gives more than {MAX_ITEMS:,} numbers")
    return found


class _Sandbox(SandboxedEnvironment):
    """Jinja's sandbox, closed further."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "/", "//", "-"})

    def __init__(self) -> None:
        super().__init__(
            undefined=Missing,
            optimized=False,
            autoescape=False,  # prompts are text, not HTML
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_finalize,
            cache_size=0,
        )
        own: dict[str, Callable[..., Any]] = {"agentci_counted": _counted, **OWN_FILTERS}
        self.filters = {name: FILTERS[name] for name in _THEIR_FILTERS} | own
        self.tests = {name: TESTS[name] for name in _THEIR_TESTS}
        self.globals = {"range": _range}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the entry `attribute` of a mapping, or one of the few methods."""
        try:
            return look_up(obj, attribute)
        except NotThere:
            pass
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        for kind, names in _METHODS.items():
            if isinstance(obj, kind) and attribute in names:
                return getattr(obj, attribute)
        if isinstance(obj, Undefined):
            str(obj)  # raises, and says what is not there
        return Missing(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return the entry `argument` of a mapping, list or text."""
        if isinstance(obj, tuple | str | range) and type(argument) is int:
            return obj[argument]
        try:
            return look_up(obj, argument)
        except NotThere:
            pass
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        return Missing(obj=obj, name=str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        """Say whether `obj` came from `getattr` above or is `range`."""
        owner = getattr(obj, "__self__", None)
        names = _METHODS.get(type(owner), frozenset())
        return obj is _range or getattr(obj, "__name__", "") in names

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call one of the few functions and methods."""
        if isinstance(function, Undefined):
            str(function)  # raises, and says what is not there
        return super().call(context, function, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute what stays small."""
        texts = isinstance(left, str | list | tuple) or isinstance(right, str | list | tuple)
        if operator == "%" and isinstance(left, str):
            raise SecurityError("`%` is for numbers; join texts with `~`")
        if operator == "*" and texts:
            raise SecurityError("`*` is for numbers")
        if operator == "**" and not (_small(left) and _small(right)):
            raise ValueError("the numbers for `**` are too large")
        return checked_size(super().call_binop(context, operator, left, right))

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        _fence(source)
        return super()._generate(source, *args, **kwargs)


def _small(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= 1024


def _finalize(value: Any) -> str:
    return str(value) if isinstance(value, Undefined) else to_text(value)


def _fence(tree: nodes.Template) -> None:
    """Refuse statements that are not on the list, and make loops and `~` count what they use."""
    for node in (tree, *tree.find_all(nodes.Node)):
        allowed = isinstance(node, _ALLOWED_NODES)
        if not allowed or (isinstance(node, nodes.For) and node.recursive):
            name = type(node).__name__.lower()
            raise SecurityError(f"`{name}` is not available; there are `for`, `if` and `set`")
        if isinstance(node, nodes.Const) and isinstance(node.value, float):
            to_json(node.value)  # `1e999` is infinite
    for loop in tree.find_all(nodes.For):
        iterated = loop.iter
        if isinstance(iterated, nodes.Expr):
            loop.iter = _filtered(iterated, "agentci_counted")
    for concat in tuple(tree.find_all(nodes.Concat)):
        concat.nodes = [_filtered(nodes.List(concat.nodes, lineno=concat.lineno), "join")]


def _filtered(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


@lru_cache(maxsize=1)
def _sandbox() -> _Sandbox:
    return _Sandbox()


@lru_cache(maxsize=512)
def _expression(source: str) -> TemplateExpression:
    return _sandbox().compile_expression(source, undefined_to_none=False)


@lru_cache(maxsize=256)
def _template(text: str) -> Template:
    return _sandbox().from_string(text)


def evaluate(source: str, scope: Mapping[str, JsonValue]) -> JsonValue:
    """Return the value of an expression.

    Raises:
        Malformed: for wrong syntax, and for what is not available.
        NoValue: when the evaluation fails.
    """
    with _failures(), _rendering(scope):
        value = _expression(source.strip())(scope)
        if isinstance(value, Undefined):
            str(value)  # raises
        return to_json(value)


def render(text: str, scope: Mapping[str, JsonValue]) -> str:
    """Return a template's text. Raises what `evaluate` raises."""
    pieces: list[str] = []
    size = 0
    with _failures(), _rendering(scope):
        for piece in _template(text).generate(scope):
            size += len(piece)
            if size > MAX_TEXT:
                raise ValueError(f"the text has more than {MAX_TEXT:,} characters")
            pieces.append(piece)
    return "".join(pieces)


def syntax_tree(source: str, *, prompt: bool) -> nodes.Template:
    """Return the syntax tree of an expression or a template.

    Raises:
        Malformed: for wrong syntax, and for what is not available.
    """
    with _failures():
        if prompt:
            _template(source)  # compiled, because only that finds unknown filters and tests
            return _sandbox().parse(source)
        _expression(source.strip())  # `parse` alone would take `a }} text {{ b`
        return _sandbox().parse("{{ (" + source + ") }}")


@contextmanager
def _rendering(scope: Mapping[str, JsonValue]) -> Iterator[None]:
    token = _current.set(_Rendering(scope))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def _failures() -> Iterator[None]:
    """Turn everything that can go wrong in Jinja into our two errors."""
    try:
        yield
    except (TemplateSyntaxError, SecurityError) as error:
        line = getattr(error, "lineno", None) or _line_of(error)
        raise Malformed(_reason(error), line) from None
    except _FAILURES as error:
        raise NoValue(_reason(error), _line_of(error)) from None


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError | MemoryError):
        return "it is nested too deep or too large"
    return str(error)[:300] or type(error).__name__


def _line_of(error: BaseException) -> int | None:
    """Return the line of the template in which `error` was raised, or None."""
    line: int | None = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
