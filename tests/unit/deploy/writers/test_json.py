from __future__ import annotations

import json

import pytest
from hypothesis import given

from agentci.deploy.writers.json import json_text
from tests.support.hostile_texts import texts


@given(texts())
def test_any_text_comes_back_from_ascii(text: str) -> None:
    data = json_text({"key": text, "list": [text]})
    assert json.loads(data) == {"key": text, "list": [text]}
    assert data.isascii()
    assert data.endswith(b"}\n")


def test_keys_keep_their_order() -> None:
    assert json_text({"b": 1, "a": {}}) == b'{\n  "b": 1,\n  "a": {}\n}\n'


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_does_not_have_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_text({"a": number})
