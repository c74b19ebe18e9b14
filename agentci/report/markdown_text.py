"""Texts of others inside Markdown: shown as they are, whatever marks they hold.

GitHub reads Markdown, then HTML, then looks for mentions, issues and addresses, and leaves the
content of `code` and `pre` alone in that last pass. So texts of others always stand in one of them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Final

from agentci.report.characters import legible, one_line

_MARKS: Final = re.compile(
    r"[\\`*_\[\]<>&#@|~!$^]"  # of Markdown, HTML, mathematics, mentions
    r"|:(?=[/A-Za-z:])|(?<=www)\.",  # addresses and names of pictures
    re.IGNORECASE | re.ASCII,
)


def code(text: str, limit: int = 200) -> str:
    """Return `text` on one line as code, every mark of Markdown and HTML as a character reference.

    It can stand in a table and beside any other text.
    """
    shown = _MARKS.sub(_reference, one_line(text, limit))
    return f"<code>{shown}</code>" if shown else ""


def plain(text: str, limit: int = 400) -> str:
    """Return words of our own that quote others, on one line: `names` become code."""
    parts = one_line(text, limit).split("`")
    if len(parts) % 2 == 0:  # a quote without an end
        return code(text, limit)
    return "".join(
        code(part) if index % 2 else _MARKS.sub(_reference, part)
        for index, part in enumerate(parts)
    )


def block(text: str, limit: int = 2_000) -> str:
    """Return `text` as a block with its line breaks, cut at `limit` characters.

    A blank line would end a block of HTML inside a list or a table, so none is left blank.
    """
    shown = legible(text)
    if len(shown) > limit:
        shown = f"{shown[:limit]}\n... cut; {len(shown)} characters in all"
    lines = html.escape(shown, quote=False).replace("@", "&#64;").split("\n")
    return f"<pre>{'&#10;'.join(lines)}</pre>"


def table_row(cells: Sequence[str]) -> str:
    """Return a row of a table, of cells that are Markdown already."""
    return f"| {' | '.join(cells)} |\n"


def table_head(titles: Sequence[str], *, right: Iterable[int] = ()) -> str:
    """Return the head of a table; the columns `right` are numbers."""
    numbers = frozenset(right)
    rule = ["---:" if index in numbers else "---" for index in range(len(titles))]
    return table_row(titles) + table_row(rule)


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"
