"""Puts placeholders in place of the secrets of one cassette.

Secrets are numbered in the order in which the requests and answers of a lane show them, so a replay
that goes the same way gives the same numbers to whatever secrets it has. Nothing of a secret is
kept beyond the object's life. Knows nothing of files or sessions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.secrets.leaves import Leaf, changed, leaves_of
from agentci.record.secrets.placeholder import MARK, PLACEHOLDER, placeholder
from agentci.record.secrets.rules import RULES_VERSION
from agentci.record.secrets.search import Hit, Searcher
from agentci.record.secrets.views import Segment
from agentci.record.secrets.wrappings import wrap

_ROUNDS: Final = 4
_HIDDEN: Final = "text"
_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Edit:
    segments: tuple[Segment, ...]
    text: str


class Redactor:
    """Redacts the requests and answers of one lane, in the order in which they were made."""

    def __init__(
        self, version: int = RULES_VERSION, *, known: Mapping[str, str] | None = None
    ) -> None:
        """Use the rules of `version`; `known` are secrets, with their kinds, found elsewhere."""
        self._version = version
        self._kinds: dict[str, str] = dict(known or {})
        self._numbers: dict[str, int] = {}
        self._last = 0
        self._searcher = Searcher(version, known=self._kinds)
        self._found: dict[tuple[str, str], tuple[Hit, ...]] = {}

    def redact(self, value: JsonObject) -> JsonObject:
        """Return `value` without its secrets; the same object where it has none."""
        self._searcher.start_again()
        for _ in range(_ROUNDS):
            new = self._once(value)
            if new is value:
                return value
            value = new
        return self._hidden(value)

    @property
    def has_redacted(self) -> bool:
        """Whether any secret was found so far."""
        return bool(self._numbers)

    def pass_over(self, value: JsonObject) -> None:
        """Keep the numbers of the placeholders in `value` from being given to other secrets."""
        for leaf in leaves_of(value):
            self._pass_placeholders(leaf.text)

    def redact_text(self, text: str) -> str:
        """Return a text without its secrets."""
        return str(self.redact({"text": text})["text"])

    def _once(self, value: JsonObject) -> JsonObject:
        if not self._learn(value):
            return value
        new = changed(value, self._rewritten)
        assert isinstance(new, Mapping)
        return new

    def _learn(self, value: JsonObject) -> bool:
        """Remember the secrets in `value` and say whether there are any, or known ones."""
        any_hit = False
        before = len(self._kinds)
        for leaf in leaves_of(value):
            text = leaf.text
            self._pass_placeholders(text)
            for hit in self._hits(leaf.field, text):
                self._number(hit)
                any_hit = True
        if len(self._kinds) != before:
            self._searcher = Searcher(self._version, known=self._kinds)
            self._found.clear()
        return any_hit

    def _hits(self, field: str, text: str) -> tuple[Hit, ...]:
        """Return the secrets in a text; a conversation has most of its texts again and again."""
        hits = self._found.get((field, text))
        if hits is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            hits = self._found[field, text] = self._searcher.search(text, field_name=field)
        return hits

    def _pass_placeholders(self, text: str) -> None:
        if MARK in text:
            for match in PLACEHOLDER.finditer(text):
                self._last = max(self._last, int(match["number"]))

    def _number(self, hit: Hit) -> int:
        self._kinds.setdefault(hit.secret, hit.kind)
        number = self._numbers.get(hit.secret)
        if number is None:
            self._last += 1
            number = self._numbers[hit.secret] = self._last
        return number

    def _rewritten(self, leaf: Leaf) -> Sequence[str]:
        hits = self._hits(leaf.field, leaf.text)
        return _edited(leaf.parts, self._edits(hits)) if hits else leaf.parts

    def _edits(self, hits: Sequence[Hit]) -> list[_Edit]:
        edits: dict[tuple[Segment, ...], _Edit] = {}
        for hit in hits:
            if hit.wrapped is None:
                text = placeholder(self._kinds[hit.secret], self._number(hit))
                edits[hit.segments] = _Edit(hit.segments, text)
            elif hit.segments not in edits:
                inner = self._searcher.search(hit.wrapped.text, level=1)
                whole = (hit.wrapped.text,)
                for each in inner:
                    self._number(each)
                new = _edited(whole, self._edits(inner))[0]
                edits[hit.segments] = _Edit(hit.segments, wrap(new, hit.wrapped.codecs))
        return list(edits.values())

    def _hidden(self, value: JsonObject) -> JsonObject:
        """Return `value` with each text left out whole in which something is found again."""

        def hide(leaf: Leaf) -> Sequence[str]:
            if not self._hits(leaf.field, leaf.text):
                return leaf.parts
            self._last += 1
            return [placeholder(_HIDDEN, self._last), *("" for _ in leaf.parts[1:])]

        new: JsonValue = changed(value, hide)
        assert isinstance(new, Mapping)
        return new


def _edited(parts: Sequence[str], edits: Sequence[_Edit]) -> list[str]:
    """Return `parts` with the first segment of each edit replaced and the others left out."""
    flat = sorted(
        (start, end, edit.text if index == 0 else "")
        for edit in edits
        for index, (start, end) in enumerate(edit.segments)
    )
    out: list[str] = []
    offset = 0
    at = 0
    for part in parts:
        stop = offset + len(part)
        pieces: list[str] = []
        cursor = offset
        while at < len(flat) and flat[at][0] < stop:
            start, end, text = flat[at]
            if start >= offset:
                pieces += (part[cursor - offset : start - offset], text)
            cursor = max(cursor, min(end, stop))
            if end > stop:
                break
            at += 1
        pieces.append(part[cursor - offset :])
        out.append("".join(pieces))
        offset = stop
    return out
