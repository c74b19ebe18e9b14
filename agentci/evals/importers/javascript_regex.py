r"""Regular expressions of JavaScript as ones of Python that match the same texts.

Both are close, and where they differ the expression is rewritten (classes such as `\d` are ASCII,
`$` is the very end, `.` leaves out four line ends) or refused. Texts are compared by characters,
where JavaScript without the flag `u` counts UTF-16 code units: an expression that counts characters
beyond U+FFFF may differ.
Source: ECMA-262, 22.2 with annex B.1.2; `re` of Python 3.11.
"""

from __future__ import annotations

import re
from typing import Final

from agentci.evals.importers.findings import NotImportable

_SPACE: Final = r"\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NO_SPACE: Final = (
    r"\x00-\x08\x0e-\x1f!-\u009f\u00a1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e"
    r"\u2030-\u205e\u2060-\u2fff\u3001-\ufefe\uff00-\U0010ffff"
)
_SETS: Final = {
    "d": "0-9",
    "D": r"\x00-/:-\U0010ffff",
    "w": "0-9A-Z_a-z",
    "W": r"\x00-/:-@\[-\^`{-\U0010ffff",
    "s": _SPACE,
    "S": _NO_SPACE,
}
_ANY: Final = r"[\x00-\U0010ffff]"
_NONE: Final = r"(?!)"
_ESCAPE: Final = re.compile(
    r"\\(?:x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|c(?P<c>[A-Za-z])|(?P<one>[\s\S]))"
)
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "f": "\f", "0": "\0"}
_GROUP: Final = re.compile(r"\((?:\?(?::|=|!|<=|<!|<(?P<name>[A-Za-z_][A-Za-z0-9_]*)>))?")
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})(?P<lazy>\??)")


def python_pattern(source: str) -> str:
    """Return the expression of Python.

    Raises:
        NotImportable: when there is none that is sure to match the same.
    """
    pattern = "(?a)" + "".join(_Translation(source).pieces())
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise NotImportable(f"the regular expression has no equal in Python: {error}") from None
    return pattern


class _Translation:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

    def pieces(self) -> list[str]:
        found = []
        while self.at < len(self.source):
            found.append(self._next())
        return found

    def _next(self) -> str:
        char = self.source[self.at]
        quantifier = _QUANTIFIER.match(self.source, self.at)
        if quantifier:
            self.at = quantifier.end()
            if self.source[self.at : self.at + 1] in {"*", "+", "?"}:
                raise NotImportable("a repetition directly after a repetition")
            return quantifier.group()
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._class()
        if char == "(":
            return self._group()
        self.at += 1
        return {
            ".": r"[^\n\r\u2028\u2029]",
            "$": r"\Z",
            "{": r"\{",
            "}": r"\}",
            "]": r"\]",
        }.get(char, char)

    def _group(self) -> str:
        found = _GROUP.match(self.source, self.at)
        unknown = self.source.startswith("(?", self.at)
        if found is None or (found.group() == "(" and unknown):
            raise NotImportable("a group that older versions of JavaScript do not have")
        self.at = found.end()
        name = found["name"]
        return found.group() if name is None else f"(?P<{name}>"

    def _escape(self) -> str:
        found = self._escaped()
        letter = found["one"]
        if letter is None:
            return re.escape(_character(found))
        if letter in _SETS:
            return f"[{_SETS[letter]}]"
        if letter in {"b", "B"}:
            return f"\\{letter}"
        if letter in "123456789" or letter == "k":
            raise NotImportable("a reference to a group")
        return re.escape(_plain(letter))

    def _class(self) -> str:
        self.at += 1
        negated = self.source.startswith("^", self.at)
        self.at += negated
        parts = []
        while True:
            if self.at >= len(self.source):
                raise NotImportable("a set `[` without its end")
            char = self.source[self.at]
            if char == "]":
                break
            parts.append(self._member(char))
        self.at += 1
        if not parts:
            return _ANY if negated else _NONE
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def _member(self, char: str) -> str:
        if char != "\\":
            self.at += 1
            plain = char.isalnum() or char in "-_" or char > "~"
            return char if plain else f"\\{char}"
        before = self.source[self.at - 2 : self.at]
        found = self._escaped()
        letter = found["one"]
        if letter is None:
            return _in_class(_character(found))
        if letter in _SETS:
            if before.endswith("-") and before not in {"[-", "^-"}:
                raise NotImportable("a range that ends with a class")
            if self.source.startswith("-", self.at) and not self.source.startswith("-]", self.at):
                raise NotImportable("a range that begins with a class")
            return _SETS[letter]
        if letter == "b":
            return r"\x08"
        if letter in "123456789":
            raise NotImportable("an octal number")
        return _in_class(_plain(letter))

    def _escaped(self) -> re.Match[str]:
        found = _ESCAPE.match(self.source, self.at)
        if found is None:
            raise NotImportable("a `\\` at its end")
        self.at = found.end()
        return found


def _character(found: re.Match[str]) -> str:
    if found["c"] is not None:
        return chr(ord(found["c"]) % 32)
    code = int(found["x"] or found["u"], 16)
    if 0xD800 <= code <= 0xDFFF:
        raise NotImportable("half of a surrogate pair")
    return chr(code)


def _plain(letter: str) -> str:
    if letter in {"c", "p", "P"}:
        raise NotImportable(f"`\\{letter}`, which has another meaning in Python")
    return _CONTROLS.get(letter, letter)


def _in_class(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 0x80 else char
