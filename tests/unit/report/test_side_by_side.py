"""Two texts beside each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agentci.report.side_by_side import Piece, Row, side_by_side

LINES = st.lists(st.text("abc _", max_size=6), max_size=25).map("\n".join)


def _text(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)


@given(LINES, LINES)
def test_every_line_that_is_shown_is_a_line_of_its_text(base: str, head: str) -> None:
    old, new = base.split("\n"), head.split("\n")
    found = side_by_side(base, head)
    skipped = 0
    for row in found.rows:
        skipped += row.skipped
        if row.base_line is not None:
            assert _text(row.base) == old[row.base_line - 1]
        if row.head_line is not None:
            assert _text(row.head) == new[row.head_line - 1]
    shown = sum(row.base_line is not None for row in found.rows)
    assert shown + skipped == len(old) - (old[-1] == "")
    assert found.is_equal is (base == head)


def test_words_that_changed_are_marked_within_their_line() -> None:
    (row,) = side_by_side("kind: bug, urgent", "kind: question, urgent").rows
    assert row.base == (Piece("kind: "), Piece("bug", changed=True), Piece(", urgent"))
    assert row.head == (Piece("kind: "), Piece("question", changed=True), Piece(", urgent"))


def test_equal_lines_far_from_a_change_are_counted() -> None:
    lines = [f"line {i}" for i in range(40)]
    changed = [*lines[:20], "other", *lines[21:]]
    rows = side_by_side("\n".join(lines), "\n".join(changed)).rows
    assert [row.skipped for row in rows if row.kind == "gap"] == [17, 16]
    assert [row.kind for row in rows].count("equal") == 6


def test_lines_on_one_side_stand_alone() -> None:
    assert side_by_side("a\n", "a\nb\n").rows[-1] == Row(
        "added", head_line=2, head=(Piece("b", changed=True),)
    )
    assert side_by_side("a\nb\n", "a\n").rows[-1].kind == "removed"


def test_what_is_too_long_is_cut_and_told() -> None:
    assert side_by_side("x\n" * 9_000, "y").is_cut
    assert side_by_side("x" * 9_000, "y").is_cut
    assert not side_by_side("x", "y").is_cut
