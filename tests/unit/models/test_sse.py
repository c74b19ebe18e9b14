from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.models.sse import SseEvent, SseParser, parse_sse


def _events(body: bytes) -> list[SseEvent]:
    return list(parse_sse([body]))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_of_the_standard_ends_a_line(end: str) -> None:
    body = f"event: note{end}data: one{end}{end}data: two{end}{end}".encode()
    assert _events(body) == [SseEvent("one", "note"), SseEvent("two")]


def test_data_lines_of_one_event_are_joined_by_a_line_feed() -> None:
    assert _events(b"data: a\ndata:\ndata: b\n\n") == [SseEvent("a\n\nb")]


def test_one_space_after_the_colon_is_not_data() -> None:
    assert _events(b"data:a\n\ndata:  b\n\n") == [SseEvent("a"), SseEvent(" b")]


def test_comments_unknown_fields_and_events_without_data_are_dropped() -> None:
    body = b": ping\nid: 7\nretry: 10\nother\n\nevent: lonely\n\ndata: x\n\n"
    assert _events(body) == [SseEvent("x")]


def test_a_byte_order_mark_is_no_part_of_the_first_field() -> None:
    assert _events(b"\xef\xbb\xbfdata: x\n\n") == [SseEvent("x")]


def test_the_last_event_is_kept_without_its_empty_line() -> None:
    assert _events(b"data: x") == [SseEvent("x")]
    assert _events(b"data: x\r") == [SseEvent("x")]


def test_bytes_that_are_not_utf_8_become_replacement_characters() -> None:
    assert _events(b"data: a\xff\n\n") == [SseEvent("a\N{REPLACEMENT CHARACTER}")]


def test_line_separators_of_unicode_do_not_end_a_line() -> None:
    assert _events("data: a\u2028b\x85c\n\n".encode()) == [SseEvent("a\u2028b\x85c")]


def test_an_event_is_given_as_soon_as_it_is_complete() -> None:
    parser = SseParser()
    assert parser.feed(b"data: x\n") == ()
    assert parser.feed(b"\nda") == (SseEvent("x"),)
    assert parser.feed(b"ta: y\n\n") == (SseEvent("y"),)
    assert parser.close() == ()


_lines = st.sampled_from([b"data: x", b"data: \xc3\xa4\xf0\x9f\x98\x80", b"event: e", b":c", b""])
_ends = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(lines=st.lists(st.tuples(_lines, _ends), max_size=12), bom=st.booleans(), data=st.data())
def test_how_a_stream_was_cut_changes_nothing(
    lines: list[tuple[bytes, bytes]], bom: bool, data: st.DataObject
) -> None:
    body = (b"\xef\xbb\xbf" if bom else b"") + b"".join(a + b for a, b in lines)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(body)))))
    chunks = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert list(parse_sse(chunks)) == _events(body)


@given(body=st.binary(max_size=80), size=st.integers(1, 5))
def test_any_bytes_give_the_same_events_however_they_are_cut(body: bytes, size: int) -> None:
    chunks = [body[i : i + size] for i in range(0, len(body), size)]
    assert list(parse_sse(chunks)) == _events(body)


def test_a_long_line_in_small_chunks_takes_linear_time() -> None:
    body = b"data: " + b"x" * 400_000 + b"\n\n"
    chunks = (body[i : i + 16] for i in range(0, len(body), 16))
    assert [len(event.data) for event in parse_sse(chunks)] == [400_000]
