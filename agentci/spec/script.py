"""Scripted model replies, `agentci/script` version 1: for users' own tests and demonstrations.

A script is an ordered list of rules. The first rule whose conditions all hold gives the reply.
Everything that a condition sees is in the request itself, so the same conversation always gets
the same answer, whichever call comes first. What a reply means is in `agentci.models.scripted`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from agentci.spec.format_header import check_format
from agentci.spec.pipeline import Model
from agentci.spec.validation import validate
from agentci.spec.yaml_document import parse_document

SCRIPT_FORMAT = "agentci/script"
SCRIPT_VERSION = 1


class ScriptCondition(Model):
    """What must hold for a rule to apply. A condition that is left out always holds."""

    lane: str | None = Field(
        None,
        description="Pattern for the lane: `*` is any text without `/`, `**` is any text. Known "
        "only to the provider `scripted`; over HTTP there is no lane.",
    )
    model: str | None = Field(None, description="Pattern for the model id, as for `lane`.")
    system_contains: str | tuple[str, ...] = Field(
        (), description="Texts that the instructions contain, all of them."
    )
    first_contains: str | tuple[str, ...] = Field(
        (), description="Texts that the first message contains, all of them."
    )
    last_contains: str | tuple[str, ...] = Field(
        (), description="Texts that the last message, or tool result, contains, all of them."
    )
    any_contains: str | tuple[str, ...] = Field(
        (), description="Texts that some message or tool result contains, each of them."
    )
    turn: int | None = Field(
        None, ge=1, description="1 for the first answer of the conversation, and so on."
    )


class ScriptToolCall(Model):
    """A tool that the scripted model asks for."""

    name: str = Field(min_length=1)
    arguments: dict[str, Any] = Field(default_factory=dict)


class ScriptUsage(Model):
    """Token counts to report instead of the estimate of one token for four characters."""

    input: int | None = Field(None, ge=0)
    output: int | None = Field(None, ge=0)
    cached: int = Field(0, ge=0, description="Part of the input that came from a prompt cache.")


class ScriptReply(Model):
    """One answer. It needs at least one of `text`, `json`, `tool_calls`, `thinking`."""

    text: str | None = Field(None, description="The answer's text.")
    json_: Any = Field(None, alias="json", description="The answer's text, as this JSON value.")
    tool_calls: tuple[ScriptToolCall, ...] = Field((), description="Tools to call, in this order.")
    thinking: str | None = Field(None, description="Reasoning shown before the answer.")
    finish: Literal["stop", "length", "refused"] | None = Field(
        None, description="Why the answer ended; found from the answer when left out."
    )
    usage: ScriptUsage = Field(default_factory=ScriptUsage)

    @model_validator(mode="after")
    def _has_one_content(self) -> ScriptReply:
        if self.text is not None and self.has_json:
            msg = "give `text` or `json`, not both"
            raise ValueError(msg)
        filled = self.text is not None or self.has_json or self.thinking is not None
        if not (filled or self.tool_calls or self.finish):
            msg = "an empty reply; give `text`, `json` or `tool_calls`"
            raise ValueError(msg)
        return self

    @property
    def has_json(self) -> bool:
        """Whether `json` is given; `null` is a value."""
        return "json_" in self.model_fields_set


class ScriptRule(Model):
    """A reply, or one for each turn, and when it applies."""

    when: ScriptCondition = Field(default_factory=ScriptCondition)
    reply: ScriptReply | None = Field(None, description="The answer, in whatever turn.")
    replies: tuple[ScriptReply, ...] = Field(
        (), description="One answer for each turn; after the last one the rule does not apply."
    )

    @model_validator(mode="after")
    def _has_one_form(self) -> ScriptRule:
        if (self.reply is None) == (not self.replies):
            msg = "give either `reply` or `replies`"
            raise ValueError(msg)
        return self


class Script(Model):
    """A file of scripted replies."""

    format: Literal["agentci/script"]
    version: Literal[1]
    description: str = ""
    rules: tuple[ScriptRule, ...] = Field(min_length=1)


def read_script(data: bytes, name: str) -> Script:
    """Return the script in `data`; `name` is how errors call the file.

    Raises:
        SpecError: with all problems and their places.
        FormatError: when it is another format, or a newer version.
    """
    document = parse_document(data, name)
    check_format(document, SCRIPT_FORMAT, SCRIPT_VERSION)
    return validate(document, Script)
