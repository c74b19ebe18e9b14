"""What dialects share when they write a request: parameters, base64 parts, argument texts.

Knows no dialect's fields; a dialect says which neutral names it has and where they go.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import UsageError
from agentci.core.json_types import JsonObject, JsonValue
from agentci.core.messages import BlobPart, Message, Part
from agentci.models.dialect import BlobReader

NEUTRAL_PARAMETERS = ("max_tokens", "temperature", "top_p", "top_k", "stop")


@dataclass(frozen=True, slots=True)
class SplitParameters:
    """The parameters of a request, sorted into those a dialect names and those it passes on."""

    named: Mapping[str, JsonValue]
    """Under the dialect's own names."""
    passed: Mapping[str, JsonValue]
    """For the body, as they are."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Messages in a row that are one turn in a format in which speakers alternate."""

    assistant: bool
    parts: tuple[Part, ...]


def split_parameters(
    parameters: Mapping[str, JsonValue],
    names: Mapping[str, str],
    *,
    dialect: str,
    reserved: Collection[str],
) -> SplitParameters:
    """Sort `parameters`: `names` maps neutral names to the dialect's, `reserved` are refused.

    Raises:
        UsageError: for a neutral name that the dialect has no field for, for a field that agentci
            fills itself, and for neutral values of the wrong type.
    """
    named: dict[str, JsonValue] = {}
    passed: dict[str, JsonValue] = {}
    for name in sorted(parameters):
        value = parameters[name]
        _require_json(name, value)
        if name in reserved:
            raise UsageError(
                f"the parameter `{name}` is filled by agentci and cannot be set",
                code="ACI-U161",
                hint=f"remove `{name}` from the model's `parameters`",
            )
        if name not in NEUTRAL_PARAMETERS:
            passed[name] = value
        elif name in names:
            named[names[name]] = _checked(name, value)
        else:
            raise UsageError(
                f"`{dialect}` has no parameter `{name}`",
                code="ACI-U160",
                hint=f"remove `{name}` from the model's `parameters`",
            )
    return SplitParameters(named=named, passed=passed)


def _require_json(name: str, value: JsonValue) -> None:
    try:
        canonical_bytes({name: value})
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"the parameter `{name}` cannot be written as JSON: {error}",
            code="ACI-U165",
            hint=f"correct `{name}` in the model's `parameters`",
        ) from None


def _checked(name: str, value: JsonValue) -> JsonValue:
    if name == "stop":
        stops = [value] if isinstance(value, str) else value
        if isinstance(stops, list | tuple) and all(isinstance(stop, str) for stop in stops):
            return list(stops)
        wanted = "a text or a list of texts"
    elif name in {"max_tokens", "top_k"}:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        wanted = "a whole number above 0"
    else:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        wanted = "a number"
    raise UsageError(
        f"the parameter `{name}` is not {wanted}",
        code="ACI-U162",
        hint=f"correct `{name}` in the model's `parameters`",
    )


def merged(body: JsonObject, passed: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return `body` with passed-on fields: objects merge, lists of tools join, others replace."""
    result = dict(body)
    for name, value in passed.items():
        ours = result.get(name)
        if isinstance(ours, Mapping) and isinstance(value, Mapping):
            result[name] = {**ours, **value}
        elif name == "tools" and isinstance(ours, list) and isinstance(value, list | tuple):
            result[name] = [*ours, *value]
        else:
            result[name] = value
    return result


def turns(messages: Iterable[Message]) -> tuple[Turn, ...]:
    """Join messages in a row that the model sees as one turn: results and what the user adds."""
    result: list[Turn] = []
    for message in messages:
        assistant = message.role == "assistant"
        if result and result[-1].assistant == assistant:
            result[-1] = Turn(assistant, (*result[-1].parts, *message.parts))
        else:
            result.append(Turn(assistant, message.parts))
    return tuple(result)


def base64_text(part: BlobPart, blob: BlobReader) -> str:
    """Return the bytes of `part` as base64."""
    return base64.b64encode(blob(part.digest)).decode("ascii")


def data_url(part: BlobPart, blob: BlobReader) -> str:
    """Return the bytes of `part` as a `data:` URL."""
    return f"data:{part.media_type};base64,{base64_text(part, blob)}"


def is_text(media_type: str) -> bool:
    """Tell whether a file of this type is text that any model can be shown as such."""
    base = media_type.partition(";")[0].strip().lower()
    texts = {"application/json", "application/xml", "application/yaml", "application/toml"}
    return base.startswith("text/") or base in texts or base.endswith(("+json", "+xml"))


def file_text(part: BlobPart, blob: BlobReader) -> str:
    """Return the text of a text file.

    Raises:
        UsageError: when it is not UTF-8.
    """
    try:
        return blob(part.digest).decode("utf-8")
    except UnicodeDecodeError:
        name = part.name or part.digest
        raise UsageError(
            f"the attachment `{name}` is of type `{part.media_type}` and is not UTF-8",
            code="ACI-U164",
            hint="convert the file to UTF-8, or leave it out of `attachments`",
        ) from None


def quoted_file(part: BlobPart, blob: BlobReader) -> str:
    """Return a text file as text of a prompt, for formats that carry no such files."""
    name = f' name="{part.name}"' if part.name else ""
    return f"<file{name}>\n{file_text(part, blob)}\n</file>"


def cannot_carry(part: BlobPart, dialect: str, *, role: str = "user") -> UsageError:
    """Return the error for a part that the format has no field for."""
    where = "" if role == "user" else f" in a message of role `{role}`"
    return UsageError(
        f"`{dialect}` cannot carry {part.kind} parts of type `{part.media_type}`{where}",
        code="ACI-U163",
        hint="convert the file, leave it out of `attachments`, or choose another provider",
    )


def arguments_text(arguments: JsonObject) -> str:
    """Return a tool call's arguments as JSON text, the same on any machine."""
    return canonical_bytes(arguments).decode("utf-8")
