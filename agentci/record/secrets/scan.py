"""Secrets in a JSON value, each with its place. Knows nothing of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.interaction import Interaction
from agentci.record.secrets.leaves import Path, leaves_of, shown_path
from agentci.record.secrets.search import Searcher

_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Spotted:
    """A secret and where it stands. For use in memory: never print or store the secret."""

    kind: str
    """For example `openai-key`."""
    path: str
    """For example `request.body.messages[2].content`. Free of secrets."""
    secret: str = field(repr=False)


def spot(
    value: JsonValue, *, path: Path = (), searcher: Searcher | None = None
) -> Iterator[Spotted]:
    """Yield the secrets in `value`, in its fixed order."""
    searcher = searcher or Searcher()
    for leaf in leaves_of(value, path):
        for hit in searcher.search(leaf.text, field_name=leaf.field):
            yield Spotted(hit.kind, _safe_path(leaf.path, searcher), hit.secret)


def spot_in(
    interaction: Interaction, request: JsonObject, *, keeps: Mapping[str, int] | None = None
) -> Iterator[Spotted]:
    """Yield the secrets of a recording whose stored part of the request is `request`.

    `keeps` counts the items of lists in its `body` that stand in an earlier recording.
    """
    searcher = Searcher()
    for found in spot(request, path=("request",), searcher=searcher):
        yield _moved(found, keeps or {})
    rest: JsonObject = {
        "response": interaction.response,
        "notes": interaction.notes,
        "provenance": interaction.provenance,
    }
    yield from spot(rest, searcher=searcher)


def _moved(found: Spotted, keeps: Mapping[str, int]) -> Spotted:
    """Return the place as it is in the whole request."""
    for name, count in keeps.items():
        head = f"request.body.{name}["
        if found.path.startswith(head):
            index, bracket, rest = found.path[len(head) :].partition("]")
            path = f"{head}{int(index) + count}{bracket}{rest}"
            return Spotted(found.kind, path, found.secret)
    return found


def _safe_path(path: Path, searcher: Searcher) -> str:
    """Return a path whose names hold no secret themselves."""
    names = ("..." if isinstance(part, str) and searcher.search(part) else part for part in path)
    text = shown_path(tuple(names))
    return text if len(text) <= _SHOWN else f"{text[:60]}...{text[-50:]}"
