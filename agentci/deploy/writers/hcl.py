"""HCL of artifacts: typed blocks, attributes and values, laid out as `terraform fmt` lays them out.

Texts are always quoted and can never start a template; what is to be evaluated is a `Reference`
or a `Call`. No heredocs. Keys keep the order in which they are given.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from agentci.deploy.writers.yaml import comment_lines

_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TRAVERSAL: Final = re.compile(
    r"[A-Za-z_][A-Za-z0-9_-]*(?:\.(?:[A-Za-z_][A-Za-z0-9_-]*|[0-9]+|\*)|\[(?:[0-9]+|\*|each\.key)\]"
    r"|\[\"[A-Za-z0-9_.-]+\"\])*"
)
_WORDS: Final = frozenset({"true", "false", "null", "for", "if", "in"})
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Reference:
    """A path to a value, such as `var.image` or `aws_ecs_cluster.main.id`."""

    path: str

    def __post_init__(self) -> None:
        if not _TRAVERSAL.fullmatch(self.path):
            message = f"`{self.path[:80]}` is not a reference"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, such as `jsonencode({...})`."""

    name: str
    arguments: tuple[HclValue, ...]

    def __post_init__(self) -> None:
        _identifier(self.name)


@dataclass(frozen=True, slots=True)
class Template:
    """A text with references in it: `"arn:aws:iam::${local.account}:role/x"`."""

    parts: tuple[str | Reference, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """Operands with one operator between them, such as `var.score >= 0.9 && var.ok`."""

    operator: str
    operands: tuple[HclValue, ...]

    def __post_init__(self) -> None:
        if self.operator not in {"==", "!=", ">", ">=", "<", "<=", "&&", "||", "+", "-", "*", "/"}:
            message = f"`{self.operator[:20]}` is not an operator"
            raise ValueError(message)


HclValue: TypeAlias = (
    "str | int | float | bool | Reference | Call | Template | Operation "
    "| Sequence[HclValue] | Mapping[str, HclValue] | None"
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """`name = value`."""

    name: str
    value: HclValue


@dataclass(frozen=True, slots=True)
class Block:
    """`type "label" { ... }`."""

    type: str
    labels: tuple[str, ...] = ()
    body: tuple[Attribute | Block, ...] = field(default=())


def hcl_text(blocks: Sequence[Attribute | Block], *, notice: Sequence[str] = ()) -> bytes:
    """Return a file. Blocks are set apart by empty lines.

    Raises:
        ValueError: for names that are none, numbers that HCL does not have, and texts that are not
            in normal form C, into which Terraform would change them.
    """
    head = comment_lines(notice)
    body = "".join(f"{line}\n" for line in _body(blocks, ""))
    return (head + ("\n" if head and body else "") + body).encode()


def quoted(text: str) -> str:
    """Return `text` as a quoted literal that Terraform reads back as exactly `text`."""
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    if not unicodedata.is_normalized("NFC", text):
        raise ValueError("Terraform would change this text: it is not in normal form C")
    out: list[str] = []
    for index, char in enumerate(text):
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char in "$%" and text[index + 1 : index + 2] == "{":
            # doubled it means itself; but after another one the reader would pair them otherwise
            before = text[index - 1 : index] == char
            out.append(f"\\u{ord(char):04x}" if before else char * 2)
        elif char.isascii() and char.isprintable():
            out.append(char)
        else:
            code = ord(char)
            out.append(f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")
    return "".join(out)


def _body(items: Sequence[Attribute | Block], pad: str) -> list[str]:
    lines: list[str] = []
    group: list[tuple[str, str]] = []
    for index, item in enumerate(items):
        if isinstance(item, Block):
            lines += _aligned(group, pad)
            group = []
            if index:
                lines.append("")
            lines += _block(item, pad)
            continue
        if index and isinstance(items[index - 1], Block):
            lines.append("")
        value = _value(item.value, pad)
        if "\n" in value:
            lines += _aligned(group, pad)
            group = []
            lines += f"{pad}{_identifier(item.name)} = {value}".split("\n")
        else:
            group.append((_identifier(item.name), value))
    return lines + _aligned(group, pad)


def _aligned(group: Sequence[tuple[str, str]], pad: str) -> list[str]:
    width = max((len(name) for name, _ in group), default=0)
    return [f"{pad}{name:<{width}} = {value}" for name, value in group]


def _block(block: Block, pad: str) -> list[str]:
    head = " ".join([_identifier(block.type), *map(quoted, block.labels)])
    if not block.body:
        return [f"{pad}{head} {{}}"]
    return [f"{pad}{head} {{", *_body(block.body, pad + _INDENT), f"{pad}}}"]


def _value(value: HclValue, pad: str) -> str:
    """Return a value; its further lines are indented for one that starts at `pad`."""
    match value:
        case str():
            text = quoted(value)
        case None | bool():
            text = {None: "null", True: "true", False: "false"}[value]
        case int() | float():
            text = _number(value)
        case Reference(path):
            text = path
        case Template():
            text = f'"{_template(value)}"'
        case Operation(operator, operands):
            text = f" {operator} ".join(_operand(each, pad) for each in operands)
        case Call(name, arguments):
            text = f"{name}({', '.join(_value(each, pad) for each in arguments)})"
        case Mapping():
            text = _object(value, pad)
        case _:
            text = _list(value, pad)
    return text


def _template(template: Template) -> str:
    out: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            out.append(_escaped(part))
            continue
        if out and out[-1].endswith(("$", "%")):
            out[-1] = f"{out[-1][:-1]}\\u{ord(out[-1][-1]):04x}"  # else it would escape the next
        out.append(f"${{{part.path}}}")
    return "".join(out)


def _operand(value: HclValue, pad: str) -> str:
    text = _value(value, pad)
    return f"({text})" if isinstance(value, Operation) else text


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError("HCL has no such number")
    return json.dumps(value)


def _object(value: Mapping[str, HclValue], pad: str) -> str:
    if not value:
        return "{}"
    inner = pad + _INDENT
    lines: list[str] = []
    group: list[tuple[str, str]] = []
    for name, item in value.items():
        text = _value(item, inner)
        if "\n" in text:
            lines += _aligned(group, inner)
            group = []
            lines.append(f"{inner}{_key(name)} = {text}")
        else:
            group.append((_key(name), text))
    lines += _aligned(group, inner)
    return "\n".join(["{", *lines, f"{pad}}}"])


def _list(value: Sequence[HclValue], pad: str) -> str:
    if not value:
        return "[]"
    inner = pad + _INDENT
    texts = [_value(item, inner) for item in value]
    line = f"[{', '.join(texts)}]"
    if len(line) + len(pad) <= 80 and "\n" not in line:
        return line
    return "\n".join(["[", *(f"{inner}{text}," for text in texts), f"{pad}]"])


def _key(name: str) -> str:
    plain = _IDENTIFIER.fullmatch(name) and name not in _WORDS
    return name if plain else quoted(name)


def _identifier(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        message = f"`{name[:80]}` is not a name"
        raise ValueError(message)
    return name
