"""YAML of artifacts: a comment on top, then values in the order in which they are given.

The text is made by the writer of recordings, whose form every YAML reader understands alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from agentci.core.json_types import JsonObject
from agentci.record.yaml_text import emit


def yaml_text(value: JsonObject, *, notice: Sequence[str] = ()) -> bytes:
    """Return one document; `notice` are lines of the comment above it."""
    return (comment_lines(notice) + _document(value)).encode()


def yaml_stream(values: Sequence[JsonObject], *, notice: Sequence[str] = ()) -> bytes:
    """Return several documents in one file."""
    return (comment_lines(notice) + "---\n".join(map(_document, values))).encode()


def comment_lines(notice: Sequence[str]) -> str:
    """Return `notice` as comment lines, for all formats in which `#` begins one.

    Raises:
        ValueError: when a line would end the comment.
    """
    if any(len(line.splitlines()) > 1 or not line.isprintable() for line in notice):
        raise ValueError("a line of a comment has to be one line")
    return "".join(f"# {line}".rstrip() + "\n" for line in notice)


def _document(value: JsonObject) -> str:
    return emit(value) or "{}\n"
