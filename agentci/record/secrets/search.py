"""Secrets in one text: in the text itself, behind escapes, in base64, compressed, streamed.

The work is linear in the text: each rule looks at each way to read it once. `steps` counts the
characters that were looked at, so that a test can tell. Knows nothing of recordings.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from agentci.record.secrets.fields import check_of_field, is_cookie_header, is_header_of_secrets
from agentci.record.secrets.placeholder import MARK, PLACEHOLDER
from agentci.record.secrets.plausible import is_plausible
from agentci.record.secrets.rules import RULES, RULES_VERSION, Check, Rule
from agentci.record.secrets.stream import streams_of
from agentci.record.secrets.views import Segment, View, views_of
from agentci.record.secrets.wrappings import MAX_LEVELS, Unwrapped, runs_in

_SHORTEST: Final = 6
_MOST_UNWRAPPED: Final = 32_000_000
"""Characters that one searcher takes out of base64 and compression, so that nothing that was packed
many times over keeps it busy."""
_BEFORE: Final = re.compile(
    r"(?:next|page|continuation|sync|cancel|prompt|completion|max|stop|eos|bos|pad)[ _-]?$"
)
_BODY: Final = re.compile(r"[A-Za-z0-9+/=]{12}")
_COOKIE: Final = re.compile(r"(?P<name>[^=;,\s]{1,100}+)=(?P<secret>[^;,\s<]{8,4000}+)")
_ATTRIBUTES: Final = frozenset({"path", "domain", "expires", "max-age", "samesite", "priority"})
_SCHEME: Final = re.compile(r"(?:bearer|basic|token|key|apikey)[ \t]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """A secret in a text."""

    kind: str
    secret: str = field(repr=False)
    """As a program would read it: escapes undone, unpacked."""
    segments: tuple[Segment, ...]
    """Where it stands; of a secret that is wrapped, where the wrapping does."""
    wrapped: Unwrapped | None = field(default=None, repr=False)
    """What the place holds, where it is not the secret itself."""

    @property
    def size(self) -> int:
        """Characters that it takes."""
        return sum(end - start for start, end in self.segments)


@dataclass(frozen=True, slots=True)
class _Words:
    """Which rules are worth trying: most texts have the word of none."""

    exact: Mapping[str, tuple[int, ...]]
    any_case: Mapping[str, tuple[int, ...]]

    def rules_for(self, text: str) -> list[Rule]:
        """Return the rules that have one of their words in `text`, in their order."""
        numbers = [number for word in self.exact if word in text for number in self.exact[word]]
        text = text.lower()
        numbers += [
            number for word in self.any_case if word in text for number in self.any_case[word]
        ]
        return [RULES[number] for number in sorted(set(numbers))]


@cache
def _words(version: int) -> _Words:
    exact: dict[str, tuple[int, ...]] = {}
    any_case: dict[str, tuple[int, ...]] = {}
    for number, rule in enumerate(RULES):
        for word in rule.words if rule.since <= version else ():
            words = any_case if rule.any_case else exact
            words[word] = (*words.get(word, ()), number)
    return _Words(exact, any_case)


class Searcher:
    """Looks for secrets with one version of the rules."""

    def __init__(
        self, version: int = RULES_VERSION, *, known: Mapping[str, str] | None = None
    ) -> None:
        """Use the rules that `version` had; `known` are secrets, with their kinds."""
        self._words = _words(version)
        self._known = dict(known or {})
        self._room = _MOST_UNWRAPPED
        self.steps = 0
        """Characters looked at so far, counted once for each reader of them."""

    @property
    def has_room(self) -> bool:
        """Whether everything so far was unpacked and looked at to its end."""
        return self._room >= 0

    def start_again(self) -> None:
        """Allow as much to be unpacked as at the beginning."""
        self._room = _MOST_UNWRAPPED

    def search(self, text: str, *, field_name: str = "", level: int = 0) -> tuple[Hit, ...]:
        """Return the secrets in `text`, the value of a field, in order; none overlaps another."""
        if len(text) < _SHORTEST:
            return ()
        hits: list[Hit] = []
        for view in (*views_of(text), *streams_of(text)):
            hits += self._in_view(view, level)
        if field_name and len(text) <= 20_000:
            hits += _in_field(text, field_name)
        return _chosen(hits, text) if hits else ()

    def _in_view(self, view: View, level: int) -> Iterator[Hit]:
        text = view.text
        self.steps += len(text)
        for rule in self._words.rules_for(text):
            self.steps += len(text)
            yield from _matches(rule, view)
        for secret, kind in self._known.items():
            for start in _places(secret, text):
                yield Hit(kind, secret, view.segments(start, start + len(secret)))
        if level >= MAX_LEVELS:
            return
        for run in runs_in(text):
            inside = run.inside
            self.steps += len(inside.text)
            self._room -= len(inside.text)
            if self._room < 0:
                return
            segments = view.segments(run.start, run.end)
            for hit in self.search(inside.text, level=level + 1):
                if inside.is_text or hit.kind not in _WEAK:
                    yield Hit(hit.kind, hit.secret, segments, inside)


_GENERAL: Final = frozenset(
    {"password", "assigned-secret", "bearer-token", "cookie", "connection-string"}
    | {"header-credential"}
)
"""Kinds that tell of a secret by what is around it."""
_WEAK: Final = frozenset(
    {"password", "assigned-secret", "twilio-key", "connection-string", "basic-credentials"}
)
"""Kinds that random bytes may look like."""


def _matches(rule: Rule, view: View) -> Iterator[Hit]:
    text = view.text
    for match in rule.shape.finditer(text):
        group = "secret" if "secret" in rule.shape.groupindex else 0
        secret = match[group]
        if rule.kind == "private-key" and not _BODY.search(match["body"]):
            continue
        if rule.kind == "assigned-secret" and _BEFORE.search(
            text[max(match.start() - 14, 0) : match.start()].lower()
        ):
            continue
        if is_plausible(secret, rule.check):
            yield Hit(rule.kind, secret, view.segments(match.start(group), match.end(group)))


def _in_field(text: str, name: str) -> Iterator[Hit]:
    """Yield what is secret because of the name of its field."""
    if is_cookie_header(name):
        for match in _COOKIE.finditer(text):
            if match["name"].lower() not in _ATTRIBUTES and _may_be_cookie(match["secret"]):
                yield Hit("cookie", match["secret"], (match.span("secret"),))
        return
    check = check_of_field(name)
    if check is None:
        return
    scheme = _SCHEME.match(text)
    start = scheme.end() if scheme is not None and is_header_of_secrets(name) else 0
    value = text[start:].rstrip()
    fits = len(value) >= (_SHORTEST if check == "password" else 16) and " " not in value
    if fits and is_plausible(value, check):
        yield Hit(_kind(check, name), value, ((start, start + len(value)),))


def _kind(check: Check, name: str) -> str:
    if check == "password":
        return "password"
    return "header-credential" if is_header_of_secrets(name) else "assigned-secret"


def _may_be_cookie(value: str) -> bool:
    return is_plausible(value, "typed") and not value.isdigit()


def _places(secret: str, text: str) -> Iterator[int]:
    start = text.find(secret)
    while start >= 0:
        yield start
        start = text.find(secret, start + len(secret))


def _chosen(hits: list[Hit], text: str) -> tuple[Hit, ...]:
    """Return hits that do not overlap: of two that do, the more specific one, else the longer one.

    Wrapped ones come last, and all that stand in one wrapping are kept. A placeholder is none.
    """
    taken = [match.span() for match in PLACEHOLDER.finditer(text)] if MARK in text else []
    kept: list[Hit] = []
    wrapped: dict[tuple[Segment, ...], bool] = {}
    seen: set[tuple[str, str, tuple[Segment, ...]]] = set()
    for hit in sorted(hits, key=_rank):
        identity = (hit.kind, hit.secret, hit.segments)
        if identity in seen or not hit.segments:
            continue
        seen.add(identity)
        free = wrapped.get(hit.segments) if hit.wrapped is not None else None
        if free is None:
            free = not any(_overlaps(segment, taken) for segment in hit.segments)
            for segment in hit.segments if free else ():
                insort(taken, segment)
            if hit.wrapped is not None:
                wrapped[hit.segments] = free
        if free:
            kept.append(hit)
    return tuple(sorted(kept, key=lambda hit: hit.segments))


def _rank(hit: Hit) -> tuple[bool, bool, int]:
    return (hit.wrapped is not None, hit.kind in _GENERAL, -hit.size)


def _overlaps(segment: Segment, taken: list[Segment]) -> bool:
    index = bisect_left(taken, segment)
    after = index < len(taken) and taken[index][0] < segment[1]
    return after or (index > 0 and taken[index - 1][1] > segment[0])
