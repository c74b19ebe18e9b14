"""Folders in answers: marked when recorded, filled in when replayed, chunks as they came."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentci.record.response_marks import fill, mark
from agentci.record.surroundings import surroundings

ONE = surroundings(Path("/tmp/first/work"), Path("/tmp/first/home"))
TWO = surroundings(Path("/var/second"), Path("/home/bob"))


def delta(text: str, index: int = 0) -> str:
    """Return an event with a piece of a text."""
    data = {"type": "content_block_delta", "index": index, "delta": {"text": text}}
    return f"event: content_block_delta\ndata: {json.dumps(data)}\n\n"


def joined(chunks: tuple[bytes, ...], index: int = 0) -> str:
    """Return the text of a stream of such events."""
    lines = b"".join(chunks).decode().splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    return "".join(each["delta"]["text"] for each in events if each["index"] == index)


def test_a_folder_in_json_is_marked_and_filled_in() -> None:
    chunks = (b'{"text": "in /tmp/first/work/a.py\\n/tmp/first/home"}',)
    marked = mark(chunks, ONE)
    assert marked.chunks == (b'{"text": "in {agentci:cwd}/a.py\\n{agentci:home}"}',)
    assert marked.counts == {"cwd": 1, "home": 1}
    assert fill(marked.chunks, TWO) == (b'{"text": "in /var/second/a.py\\n/home/bob"}',)


def test_a_folder_in_several_events_is_one_mark_in_the_first() -> None:
    text = "it is in /tmp/first/work/out.txt, done"
    pieces = [text[start : start + 5] for start in range(0, len(text), 5)]
    chunks = tuple(delta(piece).encode() for piece in pieces)
    marked = mark(chunks, ONE)
    assert len(marked.chunks) == len(chunks)
    assert joined(marked.chunks) == "it is in {agentci:cwd}/out.txt, done"
    assert joined(fill(marked.chunks, TWO)) == "it is in /var/second/out.txt, done"


def test_texts_that_come_at_the_same_time_are_kept_apart() -> None:
    chunks = tuple(
        event.encode()
        for event in (delta("/tmp/first"), delta("/tmp/fir", 1), delta("/work"), delta("st/x", 1))
    )
    marked = mark(chunks, ONE)
    assert joined(marked.chunks) == "{agentci:cwd}"
    assert joined(marked.chunks, 1) == "/tmp/first/x"


def test_a_longer_folder_that_is_cut_is_no_match() -> None:
    chunks = (delta("/tmp/first/work").encode(), delta("2/x").encode())
    assert mark(chunks, ONE).chunks == chunks


def test_boundaries_of_chunks_may_be_anywhere() -> None:
    whole = (delta("see /tmp/fi") + delta("rst/work and ") + delta("/tmp/first/home")).encode()
    for size in (1, 3, 7, 40):
        chunks = tuple(whole[start : start + size] for start in range(0, len(whole), size))
        marked = mark(chunks, ONE)
        assert len(marked.chunks) == len(chunks)
        assert joined(marked.chunks) == "see {agentci:cwd} and {agentci:home}"


@pytest.mark.parametrize(
    "data", [b"\xff\xfe/tmp/first/work", b'{"x": "{agentci:cwd} /tmp/first/work"}']
)
def test_what_cannot_be_told_apart_stays(data: bytes) -> None:
    marked = mark((data,), ONE)
    assert (marked.chunks, marked.counts) == ((data,), {})


def test_a_mark_of_an_unknown_folder_stays() -> None:
    assert fill((b"{agentci:other}",), TWO) == (b"{agentci:other}",)


PARTS = st.sampled_from(
    ["/tmp/first/work", "/tmp/first/home", "/tmp/first", "/work", "x", " ", "\n", "é", '"', "/"]
)


@given(st.lists(PARTS, max_size=12), st.integers(1, 9), st.integers(1, 60))
def test_filling_in_the_same_folders_gives_the_same_text(
    parts: list[str], piece: int, size: int
) -> None:
    text = "".join(parts)
    pieces = [text[start : start + piece] for start in range(0, len(text), piece)]
    whole = "".join(delta(each) for each in pieces).encode()
    chunks = tuple(whole[start : start + size] for start in range(0, len(whole), size))
    marked = mark(chunks, ONE)
    assert len(marked.chunks) == len(chunks)
    assert joined(fill(marked.chunks, ONE)) == text
