"""The provider `scripted`: answers from a file of rules instead of a model.

`reply` is pure: the answer depends on the script, the request and the lane alone. The model
server of the tests uses it too, so a script means the same over HTTP. Scripted calls are recorded
like any other; their wire format is `agentci.models.providers.scripted`.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import assert_never

from agentci.core.digest import digest_json, hex_of
from agentci.core.errors import Location, Problem, SpecError
from agentci.core.lane import Lane
from agentci.core.messages import (
    BlobPart,
    FinishReason,
    Message,
    ModelRequest,
    ModelResponse,
    Part,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)
from agentci.models.providers.scripted import request_json
from agentci.spec.script import Script, ScriptCondition, ScriptReply, ScriptRule

_CHARACTERS_PER_TOKEN = 4
_TOKENS_PER_BLOB = 256


def reply(script: Script, request: ModelRequest, lane: Lane | None) -> ModelResponse:
    """Return the answer of the first rule that applies; `lane` is None where it is not known.

    Raises:
        SpecError: when no rule applies.
    """
    turn = turn_of(request)
    for rule in script.rules:
        chosen = _reply_of(rule, turn)
        if chosen is not None and _holds(rule.when, request, turn=turn, lane=lane):
            return _response(chosen, request)
    last = request.messages[-1] if request.messages else None
    seen = _shorten(_text_of((last,))) if last is not None else ""
    problem = Problem(
        code="ACI-D150",
        message=f"no rule of the script applies to turn {turn} of model `{request.model}`; the "
        f"last message is `{seen}`",
        location=Location(lane=lane),
        hint="add a rule for it, or a last one without `when`",
    )
    raise SpecError((problem,))


def turn_of(request: ModelRequest) -> int:
    """Return which answer of the conversation is asked for, counted from 1."""
    return 1 + sum(message.role == "assistant" for message in request.messages)


def _reply_of(rule: ScriptRule, turn: int) -> ScriptReply | None:
    if rule.reply is not None:
        return rule.reply
    return rule.replies[turn - 1] if turn <= len(rule.replies) else None


def _holds(when: ScriptCondition, request: ModelRequest, *, turn: int, lane: Lane | None) -> bool:
    if when.turn is not None and when.turn != turn:
        return False
    if when.lane is not None and (lane is None or not _pattern(when.lane).fullmatch(lane)):
        return False
    if when.model is not None and not _pattern(when.model).fullmatch(request.model):
        return False
    messages = request.messages
    return (
        _contains(when.system_contains, request.system)
        and _contains(when.first_contains, _text_of(messages[:1]))
        and _contains(when.last_contains, _text_of(messages[-1:]))
        and (not when.any_contains or _contains(when.any_contains, _text_of(messages)))
    )


def _contains(wanted: str | tuple[str, ...], text: str) -> bool:
    return all(piece in text for piece in ((wanted,) if isinstance(wanted, str) else wanted))


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """Compile a pattern in which only `*` and `**` are special; lanes are full of brackets."""
    pieces = re.split(r"(\*\*|\*)", glob)
    special = {"**": ".*", "*": "[^/]*"}
    return re.compile("".join(special.get(p) or re.escape(p) for p in pieces), re.DOTALL)


def _text_of(messages: tuple[Message, ...]) -> str:
    texts: list[str] = []
    for message in messages:
        for part in message.parts:
            if isinstance(part, TextPart):
                texts.append(part.text)
            elif isinstance(part, ToolResultPart):
                texts.append(part.content)
    return "\n".join(texts)


def _shorten(text: str, limit: int = 80) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def _response(chosen: ScriptReply, request: ModelRequest) -> ModelResponse:
    identity = hex_of(digest_json(request_json(request)))
    parts: list[Part] = []
    if chosen.thinking is not None:
        parts.append(ThinkingPart(chosen.thinking))
    text = chosen.text
    if chosen.has_json:
        text = json.dumps(chosen.json_, ensure_ascii=False, indent=2)
    if text is not None:
        parts.append(TextPart(text))
    for index, call in enumerate(chosen.tool_calls):
        parts.append(ToolCallPart(f"call_{identity[:20]}{index:02d}", call.name, call.arguments))
    usage = chosen.usage
    return ModelResponse(
        message=Message("assistant", tuple(parts)),
        finish_reason=_finish_reason(chosen),
        usage=Usage(
            input_tokens=_input_estimate(request) if usage.input is None else usage.input,
            output_tokens=_tokens(parts) if usage.output is None else usage.output,
            cached_tokens=usage.cached,
            calls=1,
        ),
        model=request.model,
    )


def _finish_reason(chosen: ScriptReply) -> FinishReason:
    if chosen.finish is not None:
        return FinishReason(chosen.finish)
    return FinishReason.TOOL_CALLS if chosen.tool_calls else FinishReason.STOP


def _input_estimate(request: ModelRequest) -> int:
    parts = [part for message in request.messages for part in message.parts]
    tools = json.dumps(request_json(request).get("tools", []), ensure_ascii=False)
    return _tokens(parts) + _count(request.system) + (_count(tools) if request.tools else 0)


def _tokens(parts: list[Part]) -> int:
    return sum(_part_tokens(part) for part in parts)


def _part_tokens(part: Part) -> int:
    match part:
        case TextPart() | ThinkingPart():
            return _count(part.text)
        case ToolCallPart():
            return _count(part.name + json.dumps(part.arguments, ensure_ascii=False))
        case ToolResultPart():
            return _count(part.content)
        case BlobPart():
            return _TOKENS_PER_BLOB
        case _:
            assert_never(part)


def _count(text: str) -> int:
    return -(-len(text) // _CHARACTERS_PER_TOKEN)
