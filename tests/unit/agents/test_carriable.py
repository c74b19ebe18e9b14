"""Halves of characters never become part of a conversation."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agentci.agents.carriable import carriable
from agentci.core.canonical import canonical_bytes
from agentci.core.messages import Message, TextPart, ThinkingPart, ToolCallPart
from agentci.core.text import replace_lone_surrogates

HALVES = st.text(alphabet="a\ud83d\ude00\udfff\u00e9", max_size=6)
JSON: st.SearchStrategy[Any] = st.recursive(
    HALVES | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(HALVES, inner, max_size=2),
    max_leaves=5,
)


@given(HALVES, st.dictionaries(HALVES, JSON, max_size=2))
def test_what_comes_out_can_be_hashed(text: str, arguments: dict[str, Any]) -> None:
    parts = (TextPart(text), ThinkingPart(text, "s"), ToolCallPart("c", text, arguments))
    first, second, third = carriable(Message("assistant", parts)).parts
    assert isinstance(first, TextPart)
    assert isinstance(second, ThinkingPart)
    assert isinstance(third, ToolCallPart)
    canonical_bytes([first.text, second.text, third.name, third.arguments]).decode()


def test_whole_characters_stay_and_halves_that_meet_are_joined() -> None:
    message = Message("assistant", (TextPart("\U0001f600 \u00e9"),))
    assert carriable(message) is message
    assert replace_lone_surrogates("\ud83d\ude00") == "\U0001f600"
    assert replace_lone_surrogates("a\ud83d") == "a\ufffd"
