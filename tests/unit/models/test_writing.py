from __future__ import annotations

import math
from typing import Any

import pytest

from agentci.core.digest import digest_bytes
from agentci.core.errors import UsageError
from agentci.core.messages import BlobPart, Message, TextPart, ToolResultPart
from agentci.models import writing

_NAMES = {"max_tokens": "limit", "temperature": "temperature", "stop": "stops"}


def _split(**parameters: Any) -> writing.SplitParameters:
    return writing.split_parameters(parameters, _NAMES, dialect="some-dialect", reserved=("model",))


def test_neutral_names_become_the_dialects_and_others_are_passed_on() -> None:
    split = _split(max_tokens=5, temperature=0, stop="END", effort="high")
    assert split.named == {"limit": 5, "temperature": 0, "stops": ["END"]}
    assert split.passed == {"effort": "high"}


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        ({"top_k": 4}, "ACI-U160", "`some-dialect` has no parameter `top_k`"),
        ({"model": "x"}, "ACI-U161", "`model` is filled by agentci"),
        ({"max_tokens": 0}, "ACI-U162", "`max_tokens` is not a whole number above 0"),
        ({"max_tokens": True}, "ACI-U162", "`max_tokens` is not"),
        ({"max_tokens": 1.5}, "ACI-U162", "`max_tokens` is not"),
        ({"temperature": "hot"}, "ACI-U162", "`temperature` is not a number"),
        ({"stop": [1]}, "ACI-U162", "`stop` is not a text or a list of texts"),
        ({"temperature": math.inf}, "ACI-U165", "`temperature` cannot be written as JSON"),
        ({"extra": {"deep": [math.nan]}}, "ACI-U165", "`extra` cannot be written as JSON"),
        ({"extra": {1, 2}}, "ACI-U165", "`extra` cannot be written as JSON"),
    ],
)
def test_a_parameter_that_cannot_be_sent_is_refused(
    parameters: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        _split(**parameters)
    assert caught.value.code == code
    assert message in caught.value.message
    assert caught.value.hint


def test_passed_on_objects_merge_and_tools_join() -> None:
    body: dict[str, Any] = {"config": {"a": 1, "b": 2}, "tools": [{"name": "ours"}], "store": False}
    passed: dict[str, Any] = {
        "config": {"b": 3, "c": 4},
        "tools": [{"name": "theirs"}],
        "store": True,
        "x": 1,
    }
    assert writing.merged(body, passed) == {
        "config": {"a": 1, "b": 3, "c": 4},
        "tools": [{"name": "ours"}, {"name": "theirs"}],
        "store": True,
        "x": 1,
    }
    assert body["config"] == {"a": 1, "b": 2}


def test_results_and_what_the_user_adds_are_one_turn() -> None:
    one, two = ToolResultPart("a", "t", "1"), ToolResultPart("b", "t", "2")
    turns = writing.turns(
        [
            Message("user", (TextPart("go"),)),
            Message("assistant", (TextPart("going"),)),
            Message("tool", (one,)),
            Message("tool", (two,)),
            Message("user", (TextPart("on"),)),
        ]
    )
    assert [turn.assistant for turn in turns] == [False, True, False]
    assert turns[-1].parts == (one, two, TextPart("on"))


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("text/plain", True),
        ("text/x-python; charset=utf-8", True),
        ("application/json", True),
        ("application/vnd.api+json", True),
        ("image/svg+xml", True),
        ("application/pdf", False),
        ("application/octet-stream", False),
    ],
)
def test_text_files_are_known_by_their_type(media_type: str, expected: bool) -> None:
    assert writing.is_text(media_type) is expected


def test_a_text_file_that_is_not_utf_8_is_refused() -> None:
    part = BlobPart("file", "text/plain", digest_bytes(b"\xff"), "notes.txt")
    with pytest.raises(UsageError, match=r"`notes\.txt`.*is not UTF-8") as caught:
        writing.file_text(part, lambda _: b"\xff")
    assert caught.value.code == "ACI-U164"


def test_arguments_have_one_text() -> None:
    assert writing.arguments_text({"b": 1.0, "a": "ä"}) == '{"a":"ä","b":1}'
