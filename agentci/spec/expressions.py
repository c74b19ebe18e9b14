"""`${{ expressions }}` in definitions and the templates in prompt files, both sandboxed Jinja2.

Values are JSON; what is not there is an error; a condition has to be true or false. Jinja itself
is imported only for what `agentci.spec.simple_expressions` cannot decide. Knows nothing of steps:
the caller gives the scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

from agentci.core.errors import Location, Problem, SpecError, StepFailed
from agentci.core.json_types import JsonValue
from agentci.spec import simple_expressions as simple
from agentci.spec import simple_templates
from agentci.spec.expression_values import MAX_TEXT, Malformed, NoValue, to_text

Scope = Mapping[str, JsonValue]

_OPEN, _CLOSE = "${{", "}}"
_MAX_SOURCE = 20_000
_DASHED = re.compile(r"\b([a-z_]\w*)\.([a-z]\w*(?:-[a-z]\w*)+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that a text reads, with the fields behind it: `("steps", "review", "output")`."""

    path: tuple[str, ...]
    offset: int
    """Where it stands in the text, in characters; exact for common expressions, else nearby."""
    optional: bool = False
    """Whether the text provides for its absence (`default`, `is defined`)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: one `${{ expression }}`, or what stands between two."""

    text: str
    """As written, with `${{` and `}}` around an expression."""
    offset: int
    """Of `text` in the whole text, in characters."""
    is_expression: bool

    @property
    def source(self) -> str:
        """What stands between `${{` and `}}`."""
        return self.text[len(_OPEN) : -len(_CLOSE)]

    @property
    def quoted(self) -> str:
        """The expression for messages, in one line, in backticks."""
        shown = " ".join(self.source.split())
        return f"`${{{{ {shown if len(shown) <= 200 else shown[:200] + '...'} }}}}`"


def is_expression(text: str) -> bool:
    """Say whether `text` is exactly one `${{ expression }}`.

    Raises:
        SpecError: when an expression in it does not end.
    """
    pieces = split_expressions(text)
    return len(pieces) == 1 and pieces[0].is_expression


def evaluate(text: str, scope: Scope) -> JsonValue:
    """Return the value of `text`: of its expression, if it is exactly one, else the text itself.

    Raises:
        SpecError: when an expression is not well formed, or uses what is not available.
        StepFailed: when it has no value: something is not there, or does not fit.
    """
    pieces = split_expressions(text)
    if len(pieces) == 1 and pieces[0].is_expression:
        return _evaluate(pieces[0], scope)
    texts = [
        to_text(_evaluate(piece, scope)) if piece.is_expression else piece.text for piece in pieces
    ]
    if sum(map(len, texts)) > MAX_TEXT:
        raise StepFailed(f"the text has more than {MAX_TEXT:,} characters", code="ACI-S122")
    return "".join(texts)


def resolve(value: JsonValue, scope: Scope) -> JsonValue:
    """Return `value` with every text in it evaluated, at any depth. Keys stay as they are.

    Raises:
        SpecError, StepFailed: as `evaluate`.
    """
    if isinstance(value, str):
        return evaluate(value, scope)
    if isinstance(value, Mapping):
        return {key: resolve(item, scope) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [resolve(item, scope) for item in value]
    return value


def truth(condition: str | bool, scope: Scope) -> bool:  # noqa: FBT001 - it is the condition
    """Return whether `condition`, a constant or one `${{ expression }}`, holds.

    Nothing but true and false counts, so that a forgotten comparison does not pass.

    Raises:
        SpecError: as `evaluate`.
        StepFailed: also when the value is neither true nor false.
    """
    if isinstance(condition, bool):
        return condition
    value = evaluate(condition, scope)
    if isinstance(value, bool):
        return value
    kind = "null" if value is None else _KINDS.get(type(value), "a list")
    message = f"the condition `{condition.strip()[:200]}` is {kind}, not true or false"
    hint = "compare it with something, for example `${{ steps.test.exit_code == 0 }}`"
    raise StepFailed(message, code="ACI-S123", hint=hint)


_KINDS: dict[type, str] = {str: "a text", int: "a number", float: "a number", dict: "a mapping"}


def render_prompt(text: str, scope: Scope, *, name: str) -> str:
    """Return the prompt template `text` with `scope` filled in. `name` is the file's name.

    Raises:
        SpecError: when the template is not well formed, or uses what is not available.
        StepFailed: when something is not there, does not fit or is too large.
    """
    try:
        return simple_templates.render(text, scope)
    except simple.NotSimple:
        pass
    from agentci.spec import jinja_sandbox  # noqa: PLC0415 - takes long to import

    try:
        return jinja_sandbox.render(text, scope)
    except Malformed as error:
        _malformed(str(error), name=name, line=error.line)
    except NoValue as error:
        message = f"the prompt cannot be rendered: {error}"
        place = Location(name, error.line)
        raise StepFailed(message, code="ACI-S121", location=place) from None


def references(text: str, *, prompt: bool = False) -> tuple[Reference, ...]:
    """Return what `text` reads from its scope: a text with `${{ }}`, or a prompt template.

    Raises:
        SpecError: when `text` is not well formed, or uses what is not available.
    """
    if prompt:
        return _prompt_references(text)
    found: list[Reference] = []
    for piece in split_expressions(text):
        if piece.is_expression:
            found.extend(_expression_references(piece))
    return tuple(found)


@lru_cache(maxsize=1024)
def split_expressions(text: str) -> tuple[Piece, ...]:
    """Take `text` apart into expressions and what stands between them; joined, they give `text`.

    Raises:
        SpecError: when an expression does not end.
    """
    pieces: list[Piece] = []
    position = 0
    while (start := text.find(_OPEN, position)) >= 0:
        end = _end_of(text, start + len(_OPEN)) + len(_CLOSE)
        if start > position:
            pieces.append(Piece(text[position:start], position, is_expression=False))
        pieces.append(Piece(text[start:end], start, is_expression=True))
        position = end
    if position < len(text) or not pieces:
        pieces.append(Piece(text[position:], position, is_expression=False))
    return tuple(pieces)


def _end_of(text: str, start: int) -> int:
    """Return where the `}}` stands that ends the expression; braces and quotes are respected."""
    end = _scan(text, start)
    if end is None:
        shown = text[start - len(_OPEN) :][:60].splitlines()[0]
        _malformed(f"the expression `{shown}` does not end with `}}}}`")
    return end


def _scan(text: str, start: int) -> int | None:
    depth = 0
    quote: str | None = None
    position = start
    limit = min(len(text), start + _MAX_SOURCE)
    while position < limit:
        char = text[position]
        if quote is not None:
            position += char == "\\"
            quote = None if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}" and depth:
            depth -= 1
        elif text.startswith(_CLOSE, position):
            return position
        position += 1
    return None


def _evaluate(expression: Piece, scope: Scope) -> JsonValue:
    try:
        return simple.evaluate(expression.source, scope)
    except simple.NotSimple:
        pass
    from agentci.spec import jinja_sandbox  # noqa: PLC0415 - takes long to import

    try:
        return jinja_sandbox.evaluate(expression.source, scope)
    except Malformed as error:
        _malformed(f"{expression.quoted}: {error}")
    except NoValue as error:
        message = f"{expression.quoted} has no value: {error}"
        dashed = _DASHED.search(expression.source)
        hint = f'a name with `-` is written `{dashed[1]}["{dashed[2]}"]`' if dashed else None
        raise StepFailed(message, code="ACI-S120", hint=hint) from None


def _expression_references(expression: Piece) -> Iterator[Reference]:
    start = expression.offset + len(_OPEN)
    try:
        for chain in simple.chains(expression.source):
            yield Reference(chain.path, start + chain.offset, chain.optional)
    except simple.NotSimple:
        pass
    else:
        return
    for found in _jinja_references(expression.source, prompt=False, quoted=expression.quoted):
        yield Reference(found.path, start + found.offset, found.optional)


def _prompt_references(text: str) -> tuple[Reference, ...]:
    try:
        found = simple_templates.chains(text)
    except simple.NotSimple:
        return _jinja_references(text, prompt=True)
    return tuple(Reference(chain.path, chain.offset, chain.optional) for chain in found)


def _jinja_references(text: str, *, prompt: bool, quoted: str = "") -> tuple[Reference, ...]:
    from agentci.spec import jinja_references, jinja_sandbox  # noqa: PLC0415 - as above

    try:
        tree = jinja_sandbox.syntax_tree(text, prompt=prompt)
    except (Malformed, NoValue) as error:
        message = f"{quoted}: {error}" if quoted else str(error)
        _malformed(message, line=error.line if prompt else None)
    return tuple(
        Reference(item.path, jinja_references.offset_of(text, item), item.optional)
        for item in jinja_references.found_in(tree, jinja_sandbox.FUNCTIONS)
    )


def _malformed(reason: str, *, name: str | None = None, line: int | None = None) -> NoReturn:
    place = Location(name, line)
    raise SpecError((Problem("ACI-D120", reason, place),)) from None
