"""Templates of Nunjucks that only name values: `{{ name }}`, `{{ name.part[0] }}`.

Anything else in a template (filters, statements, comments, arithmetic) is refused, since nothing
here could promise that it means the same. Texts come out as JavaScript writes values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentci.core.json_types import JsonValue
from agentci.evals.importers.findings import NotImportable
from agentci.evals.scorers.foreign_rules import javascript_text

_TAG: Final = re.compile(r"\{\{(-?)(.*?)(-?)\}\}|\{%|\{#", re.DOTALL)
_PATH: Final = re.compile(
    r"\s*([A-Za-z_]\w*)"
    r"((?:\.[A-Za-z_]\w*|\[(?:[0-9]{1,6}|'[^'\\]*'|\"[^\"\\]*\")\])*)\s*",
    re.ASCII,
)
_PART: Final = re.compile(r"\.(\w+)|\[([0-9]+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]", re.ASCII)
_PARTIAL: Final = re.compile(r"\{%[^%]*$|\{\{[^}]*$|\{#[^#]*$", re.MULTILINE)
_WORDS: Final = frozenset({"true", "false", "none", "null", "undefined", "not", "loop", "super"})


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that a template names."""

    name: str
    path: tuple[str | int, ...] = ()


def pieces(template: str) -> tuple[str | Reference, ...]:
    """Return the texts and references of a template.

    Raises:
        NotImportable: when it has anything else.
    """
    if _PARTIAL.search(template):
        return (template,)  # promptfoo takes a template with a tag that is cut off for plain text
    found: list[str | Reference] = []
    at = 0
    for tag in _TAG.finditer(template):
        found.append(template[at : tag.start()])
        if tag[2] is None:
            raise NotImportable(f"a template with `{tag.group()}`")
        if tag[1] or tag[3]:
            raise NotImportable("a template that strips white space")
        found.append(_reference(tag[2]))
        at = tag.end()
    found.append(template[at:])
    return tuple(piece for piece in found if piece != "")


def _reference(source: str) -> Reference:
    match = _PATH.fullmatch(source)
    if match is None or match[1] in _WORDS:
        raise NotImportable(f"the template `{{{{{source[:60]}}}}}`: only names of values are read")
    if match[1] == "env":
        raise NotImportable("a template with environment variables")
    parts: list[str | int] = [
        int(part[2]) if part[2] is not None else part[1] or part[3] or part[4] or ""
        for part in _PART.finditer(match[2])
    ]
    return Reference(match[1], tuple(parts))


def render(template: str, values: Mapping[str, JsonValue]) -> str:
    """Return the template with its values, as Nunjucks does without escaping.

    Raises:
        NotImportable: when it has more than references.
    """
    return "".join(
        piece if isinstance(piece, str) else written(looked_up(piece, values))
        for piece in pieces(template)
    )


def looked_up(reference: Reference, values: Mapping[str, JsonValue]) -> JsonValue:
    """Return the value; None where there is none, as Nunjucks does."""
    value: JsonValue = values.get(reference.name)
    for part in reference.path:
        if isinstance(value, Mapping):
            value = value.get(str(part))
        elif isinstance(value, Sequence) and isinstance(part, int):
            value = value[part] if part < len(value) else None
        elif isinstance(value, str | Sequence) and part == "length":
            value = len(value)
        else:
            return None
    return value


def written(value: JsonValue) -> str:
    """Return a value as JavaScript makes text of it; nothing for null."""
    if value is None:
        return ""
    if isinstance(value, str | bool | int | float):
        return javascript_text(value)
    if isinstance(value, Mapping):
        return "[object Object]"
    return ",".join(written(each) for each in value)


def mapped(template: str, name_of: Callable[[Reference], str]) -> str:
    """Return the template for agentci's prompts, with a name for each reference.

    Raises:
        NotImportable: when it has more than references.
    """
    return "".join(
        _literal(piece) if isinstance(piece, str) else f"{{{{ {name_of(piece)} }}}}"
        for piece in pieces(template)
    )


def _literal(text: str) -> str:
    return re.sub(r"\{[{%#]", lambda match: f'{{{{ "{match.group()}" }}}}', text)
