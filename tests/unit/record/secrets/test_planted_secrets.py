"""No planted secret survives, wherever it stands and however it is written."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any
from urllib.parse import unquote

import pytest

from agentci.record.secrets.redactor import Redactor
from agentci.record.secrets.scan import spot
from tests.support.planted_secrets import PLANTED, POSITIONS, Planted


def readings(value: object) -> str:
    """Return all texts in `value`, and what is inside them, by means other than the scanner's."""
    if isinstance(value, dict):
        return "\n".join(map(readings, (*value, *value.values())))
    if isinstance(value, list):
        joined = "".join(item for item in value if isinstance(item, str))
        deltas = "".join(
            json.loads(line[6:])["choices"][0]["delta"]["content"]
            for line in joined.split("\n")
            if line.startswith("data: ")
        )
        return "\n".join([*map(readings, value), joined, deltas])
    text = str(value)
    found = [text, unquote(text), text.encode().decode("unicode_escape", "replace")]
    for run in re.findall(r"[A-Za-z0-9+/]{40,}", text):
        data = base64.b64decode(run[: len(run) // 4 * 4])
        if data.startswith(b"\x1f\x8b"):
            data = zlib.decompressobj(31).decompress(data)
        found.append(data.decode("utf-8", "replace"))
    return "\n".join(found)


CASES = [(planted, name) for planted in PLANTED for name in POSITIONS]


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60
    assert len({planted.kind for planted in PLANTED}) >= 20


@pytest.mark.parametrize(
    ("planted", "position"), CASES, ids=[f"{case.kind}-{name}" for case, name in CASES]
)
def test_a_planted_secret_is_found_and_redacted(planted: Planted, position: str) -> None:
    recording: dict[str, Any] = POSITIONS[position](planted.text)
    assert any(line in readings(recording) for line in planted.secret.split("\n"))
    found = list(spot(recording))
    assert found, "not found"
    assert planted.kind in {each.kind for each in found}
    assert all(planted.secret not in f"{each.path} {each!r}" for each in found)
    redacted = Redactor().redact(recording)
    after = readings(redacted)
    for line in planted.secret.split("\n")[1:-1] or [planted.secret]:
        assert line not in after
    assert f"<redacted:{planted.kind}:" in after
    assert not list(spot(redacted))


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.kind)
def test_a_secret_has_one_placeholder_wherever_it_is_repeated(planted: Planted) -> None:
    texts = [planted.text, f"and {planted.text}", planted.secret]
    redacted = json.dumps(Redactor().redact({"a": texts, "b": f"({planted.secret})"}))
    placeholders = re.findall(r"<redacted:[a-z0-9-]+:\d+>", redacted)
    assert len(placeholders) == 4
    assert len(set(placeholders)) == 1
