"""What differs between two texts, word by word, on a few short lines. Pure."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_CONTEXT: Final = 32  # characters shown on both sides of a change
_LONGEST: Final = 160  # characters shown of one changed piece
_MOST_WORDS: Final = 3_000  # beyond that a change is shown whole, since comparing is quadratic
_MOST_CHANGES: Final = 3


def word_diff(old: str, new: str) -> str:
    """Return the changes from `old` to `new`, as `[-removed-]{+added+}` with a little around them.

    Line breaks and other control characters are shown as escapes, so the result is one line.
    """
    start = _common_start(old, new)
    end = _common_end(old[start:], new[start:])
    before, after = old[:start], old[len(old) - end :] if end else ""
    removed = _WORDS.findall(old[start : len(old) - end])
    added = _WORDS.findall(new[start : len(new) - end])
    if len(removed) + len(added) > _MOST_WORDS:
        middle = _change("".join(removed), "".join(added))
    else:
        middle = _changes(removed, added)
    return f"{_tail(before)}{middle}{_head(after)}"


def shown(text: str, limit: int = _LONGEST) -> str:
    """Return `text` on one line, its middle left out where it is long."""
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]} ... {text[-half:]}"
    return text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text


def _changes(removed: list[str], added: list[str]) -> str:
    out: list[str] = []
    count = 0
    matcher = SequenceMatcher(None, removed, added, autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        old, new = "".join(removed[i1:i2]), "".join(added[j1:j2])
        if kind == "equal":
            out.append(_middle(old))
            continue
        count += 1
        if count > _MOST_CHANGES:
            out.append("...")
            break
        out.append(_change(old, new))
    return "".join(out)


def _change(old: str, new: str) -> str:
    removed = f"[-{shown(old)}-]" if old else ""
    return removed + (f"{{+{shown(new)}+}}" if new else "")


def _tail(text: str) -> str:
    return shown(text) if len(text) <= _CONTEXT else f"...{shown(text[-_CONTEXT:])}"


def _head(text: str) -> str:
    return shown(text) if len(text) <= _CONTEXT else f"{shown(text[:_CONTEXT])}..."


def _middle(text: str) -> str:
    if len(text) <= 2 * _CONTEXT:
        return shown(text)
    return f"{shown(text[:_CONTEXT])}...{shown(text[-_CONTEXT:])}"


def _common_start(old: str, new: str) -> int:
    """Return how many characters both begin with, up to the start of a word."""
    count = _common_length(old, new)
    while 0 < count < max(len(old), len(new)) and old[count - 1].isalnum():
        count -= 1
    return count


def _common_end(old: str, new: str) -> int:
    """Return how many characters both end with, from the end of a word."""
    count = _common_length(old[::-1], new[::-1])
    while 0 < count < max(len(old), len(new)) and old[len(old) - count].isalnum():
        count -= 1
    return count


def _common_length(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
