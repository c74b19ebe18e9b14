"""What may stand in a report."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from agentci.report.characters import legible, one_line

ANY = st.text(st.characters(exclude_categories=()))


@given(ANY)
def test_any_text_can_be_written_and_read_as_xml(text: str) -> None:
    shown = legible(text)
    shown.encode()
    element = ET.Element("e")
    element.text = shown
    assert (ET.fromstring(ET.tostring(element, encoding="unicode")).text or "") == shown


def test_what_steers_a_terminal_or_turns_text_around_becomes_visible() -> None:
    assert legible("a\x1b[31m\u202eb\r\nc\td\ud800") == "a\\x1b[31m\\u202eb\nc\td\\ud800"


def test_letters_of_all_scripts_stay() -> None:
    text = "naïve 你好 עברית 👩\u200d🔬 \u00a0!"
    assert legible(text) == text


@given(ANY, st.integers(min_value=10, max_value=50))
def test_one_line_is_one_and_short(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert "\n" not in line
