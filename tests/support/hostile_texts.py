"""Texts that break writers of formats: templates, quotes, line ends, words that mean something."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

HOSTILE: Final = (
    "", " ", "a ", " a", "\t", "a\tb", "a\nb", "a\n", "\na", "\n", "a\r\nb", "a\rb",
    "$", "$$", "$$$", "${x}", "$${x}", "$$${x}", "${", "$VAR", "a$", "%", "%%", "%{if}", "%%{x}",
    "%%%{", "$%{", "%${", "{{ x }}", "{% x %}", "#{x}", "\\", "\\\\", "\\n", "\\${x}", "\\u0024{",
    '"', "'", '"a"', "'a'", "''", "a'b\"c", "`x`", "$(x)", "<<EOT", "<<-EOF", "<<<", "EOT",
    "yes", "no", "on", "off", "y", "n", "true", "False", "null", "~", "NULL", ".inf", ".nan",
    "1", "-1", "007", "0x1F", "0o7", "1e3", "1_000", "12:30:45", "2026-11-23", "+1", ".5", "1.",
    "-", "- a", "a: b", "a:", ":", "? a", "a #b", "#", "# a", "&a", "*a", "!a", "|", ">", "@a",
    "%a", "[", "]", "{", "}", "[a]", "{a: b}", ",", "---", "...", "--- a", "=", "<<", "//", "/*",
    "*/", "é", "日本語", "\U0001f600", "e\u0301", "\u00a0", "\u200b", "\u202e", "\u2028", "\u2029",
    "\u0085", "\ufeff", "\x7f", "\u00ad", "a" * 300, "x\n" * 50, "end\\",
)  # fmt: skip
"""Every one has to come back as it was."""

_PIECES = st.sampled_from([*"${}%\\\"'#:-\n\t<>=&*!|@`,[]?~ ", "${", "%{", "$${", "é", "\u2028"])


def texts() -> st.SearchStrategy[str]:
    """Return texts, more hostile than chance would make them; none with half a surrogate pair."""
    plain = st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20
    )
    return st.lists(_PIECES | plain, max_size=6).map("".join) | st.sampled_from(HOSTILE)
