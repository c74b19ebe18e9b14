"""Texts that UTF-8 can carry."""

from __future__ import annotations


def replace_lone_surrogates(text: str) -> str:
    """Return `text` with halves of characters joined or replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
