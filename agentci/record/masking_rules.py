"""Masking requests of other programs before they are keyed: declared rules, and nothing else.

Pure: a request, the folders that the program knows of and the rules go in; the masked request and
what was masked come out. Applying it twice changes nothing more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from agentci.core.canonical import canonical_bytes
from agentci.core.errors import UsageError
from agentci.core.json_types import JsonValue
from agentci.record.mask_file import MaskFile, expand
from agentci.record.surroundings import Surroundings

_PART = re.compile(r"([^.\[\]]+)|\[(\*|\d+)\]")


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """What tells which program has sent a request."""

    user_agent: str
    path: str
    text: str
    """The body."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked body."""

    body: JsonValue
    counts: Mapping[str, Mapping[str, int]]
    """By mask (`name/revision`), then by rule: how much was masked. Empty ones are left out."""


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str]], str]
    at: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """One of these is in every match; looking for them is cheaper. Empty where it is not known."""


def find_masks(request: ClientRequest, masks: Iterable[MaskFile]) -> tuple[MaskFile, ...]:
    """Return the masks that apply to a request; those without a sign apply where no other does."""
    known = [mask for mask in masks if mask.applies]
    found = tuple(mask for mask in known if any(_holds(sign, request) for sign in mask.applies))
    return found or tuple(mask for mask in masks if not mask.applies)


def mask_body(
    body: JsonValue,
    masks: Iterable[MaskFile],
    around: Surroundings,
    *,
    rules: tuple[str, ...] = (),
    declared_in: str = "pipeline",
) -> Masked:
    """Return `body` with everything masked that `masks`, and the patterns in `rules`, declare.

    What the patterns mask is counted under the name `declared_in`.

    Raises:
        UsageError: when one of `rules` is not a regular expression.
    """
    counts: dict[str, dict[str, int]] = {}
    for mask in masks:
        found: Counter[str] = Counter()
        for drop in mask.drop:
            body, dropped = _without(body, _parts(drop.path))
            found[drop.path] += dropped
        body = _replaced(body, _compiled(mask, around), (), found)
        for path in mask.unordered:
            body = _sorted(body, _parts(path))
        _note(counts, f"{mask.name}/{mask.revision}", found)
    if rules:
        found = Counter()
        body = _replaced(body, _compiled_rules(rules), (), found)
        _note(counts, declared_in, found)
    return Masked(body, counts)


def check_rules(rules: tuple[str, ...]) -> None:
    """Let patterns pass that can be used.

    Raises:
        UsageError: when one is not a regular expression.
    """
    _compiled_rules(rules)


def _holds(sign: Any, request: ClientRequest) -> bool:
    pairs = (
        (sign.user_agent, request.user_agent),
        (sign.path, request.path),
        (sign.body, request.text),
    )
    given = [(pattern, text) for pattern, text in pairs if pattern is not None]
    return bool(given) and all(re.search(pattern, text) for pattern, text in given)


def _note(counts: dict[str, dict[str, int]], name: str, found: Counter[str]) -> None:
    kept = {rule: count for rule, count in sorted(found.items()) if count}
    if kept:
        counts[name] = kept


@lru_cache(maxsize=256)
def _compiled(mask: MaskFile, around: Surroundings) -> tuple[_Rule, ...]:
    places = {
        name: text
        for name in ("cwd", "home", "cwd_slug", "home_slug")
        if (text := around.first(name))
    }
    if "cwd" in places:
        places["cwd_name"] = places["cwd"].rsplit("/", 1)[-1]
    rules = [
        _Rule(
            each.name,
            re.compile(expand(each.pattern, places), re.MULTILINE),
            _put(each.with_),
            _parts(each.at) if each.at else (),
        )
        for each in mask.replace
    ]
    pattern = around.pattern() if mask.folders else None
    if pattern is not None:
        shown = {each.text: each.shown for each in around.spellings}
        rules.append(_Rule("folder", pattern, lambda match: shown[match[0]], words=tuple(shown)))
    return tuple(rules)


@lru_cache(maxsize=64)
def _compiled_rules(rules: tuple[str, ...]) -> tuple[_Rule, ...]:
    try:
        return tuple(
            _Rule(text, re.compile(text, re.MULTILINE), _put("<masked>")) for text in rules
        )
    except re.error as error:
        raise UsageError(
            f"a pattern under `mask` is not a regular expression: {error.msg}",
            code="ACI-U171",
            hint="correct the pattern under `mask`",
        ) from error


def _put(text: str) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        if "value" not in match.re.groupindex or match["value"] is None:
            return text
        start, end = match.span("value")
        whole = match.string
        return whole[match.start() : start] + text + whole[end : match.end()]

    return replace


def _replaced(
    value: JsonValue, rules: tuple[_Rule, ...], path: tuple[str, ...], found: Counter[str]
) -> JsonValue:
    if isinstance(value, str):
        return _replaced_text(value, rules, path, found)
    if isinstance(value, Mapping):
        return {name: _replaced(item, rules, (*path, name), found) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(item, rules, (*path, str(n)), found) for n, item in enumerate(value)]
    return value


def _replaced_text(
    text: str, rules: tuple[_Rule, ...], path: tuple[str, ...], found: Counter[str]
) -> str:
    for rule in rules:
        if rule.at and not _below(path, rule.at):
            continue
        if rule.words and not any(word in text for word in rule.words):
            continue
        if rule.pattern.search(text) is None:
            continue

        def replace(match: re.Match[str], rule: _Rule = rule) -> str:
            new = rule.replace(match)
            found[rule.name] += new != match[0]
            return new

        text = rule.pattern.sub(replace, text)
    return text


def _below(path: tuple[str, ...], top: tuple[str, ...]) -> bool:
    if len(path) < len(top):
        return False
    return all(want in {"*", have} for want, have in zip(top, path, strict=False))


def _parts(path: str) -> tuple[str, ...]:
    return tuple(name or index for name, index in _PART.findall(path))


def _without(value: JsonValue, path: tuple[str, ...]) -> tuple[JsonValue, int]:
    """Return `value` without what is at `path`, and how many values that were."""
    head, *rest = path
    if isinstance(value, Mapping):
        if head not in value:
            return value, 0
        if not rest:
            return {name: item for name, item in value.items() if name != head}, 1
        inner, count = _without(value[head], tuple(rest))
        return ({**value, head: inner} if count else value), count
    if isinstance(value, list | tuple) and rest:
        pairs = [
            _without(item, tuple(rest)) if head in {"*", str(n)} else (item, 0)
            for n, item in enumerate(value)
        ]
        count = sum(pair[1] for pair in pairs)
        return ([pair[0] for pair in pairs] if count else value), count
    return value, 0


def _sorted(value: JsonValue, path: tuple[str, ...]) -> JsonValue:
    """Return `value` with the list at `path` in canonical order."""
    if not path:
        ordered = isinstance(value, list | tuple)
        return sorted(value, key=canonical_bytes) if ordered else value  # type: ignore[arg-type]
    head, *rest = path
    if isinstance(value, Mapping) and head in value:
        return {**value, head: _sorted(value[head], tuple(rest))}
    if isinstance(value, list | tuple):
        return [
            _sorted(item, tuple(rest)) if head in {"*", str(n)} else item
            for n, item in enumerate(value)
        ]
    return value
