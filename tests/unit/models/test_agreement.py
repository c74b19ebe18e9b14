"""How much two answers agree."""

from __future__ import annotations

import pytest

from agentci.core.messages import (
    FinishReason,
    Message,
    ModelResponse,
    Part,
    TextPart,
    ToolCallPart,
    Usage,
)
from agentci.models.agreement import Agreement, compare


def said(*parts: Part) -> ModelResponse:
    return ModelResponse(Message("assistant", parts), FinishReason.STOP, Usage(), "m")


def call(call_id: str, path: str) -> ToolCallPart:
    return ToolCallPart(call_id, "read_file", {"path": path, "n": 1})


@pytest.mark.parametrize(
    ("recorded", "live", "expected"),
    [
        (said(TextPart("a")), said(TextPart("a")), "exact"),
        (said(TextPart("ab")), said(TextPart("a"), TextPart("b")), "exact"),
        (said(call("1", "x")), said(call("2", "x")), "exact"),
        (said(TextPart("I read"), call("1", "x")), said(call("2", "x")), "same_tool_calls"),
        (said(TextPart('{"a": 1, "b": 2}')), said(TextPart('{"b":2,"a":1}')), "same_json"),
        (said(TextPart("[1]")), said(TextPart("[2]")), "differs"),
        (said(TextPart("1")), said(TextPart("1.0")), "differs"),
        (said(TextPart("{}"), call("1", "x")), said(TextPart("{ }")), "differs"),
        (said(call("1", "x")), said(call("1", "y")), "differs"),
        (said(call("1", "x")), said(call("1", "x"), call("2", "x")), "differs"),
        (said(TextPart("a")), said(TextPart("b")), "differs"),
    ],
)
def test_the_strongest_agreement(
    recorded: ModelResponse, live: ModelResponse, expected: Agreement
) -> None:
    assert compare(recorded, live) == expected
    assert compare(live, recorded) == expected
