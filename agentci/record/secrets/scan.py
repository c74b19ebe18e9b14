"""Secrets in a JSON value, each with its place. Knows nothing of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.interaction import Interaction
from agentci.record.secrets.leaves import Path, leaves_of, shown_path
from agentci.record.secrets.search import Searcher

_SHOWN = 120
_SHORT = 64
_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Spotted:
    """A secret and where it stands. For use in memory: never print or store the secret."""

    kind: str
    """For example `openai-key`."""
    path: str
    """For example `request.body.messages[2].content`. Free of secrets."""
    secret: str = field(repr=False)


class CleanTexts:
    """Texts in which nothing was found: names of fields and whole prompts come again and again.

    Belongs to one version of the rules. Keeps no long text, and none with a secret in it.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        """Know none yet."""
        self._known: set[tuple[str, str | bytes]] = set()

    def __contains__(self, leaf: tuple[str, str]) -> bool:
        return self._name(*leaf) in self._known

    def add(self, field: str, text: str) -> None:
        """Remember that the value `text` of a field has no secret."""
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known.add(self._name(field, text))

    @staticmethod
    def _name(field: str, text: str) -> tuple[str, str | bytes]:
        short = len(text) <= _SHORT
        return field, text if short else sha256(text.encode("utf-8", "surrogatepass")).digest()


def spot(
    value: JsonValue,
    *,
    path: Path = (),
    searcher: Searcher | None = None,
    clean: CleanTexts | None = None,
) -> Iterator[Spotted]:
    """Yield the secrets in `value`, in its fixed order; texts in `clean` are not searched again."""
    searcher = searcher or Searcher()
    for leaf in leaves_of(value, path):
        text = leaf.text
        if clean is not None and (leaf.field, text) in clean:
            continue
        hits = searcher.search(text, field_name=leaf.field)
        for hit in hits:
            yield Spotted(hit.kind, _safe_path(leaf.path, searcher), hit.secret)
        if clean is not None and not hits and searcher.has_room:
            clean.add(leaf.field, text)


def spot_in(
    interaction: Interaction,
    request: JsonObject,
    *,
    keeps: Mapping[str, int] | None = None,
    clean: CleanTexts | None = None,
) -> Iterator[Spotted]:
    """Yield the secrets of a recording whose stored part of the request is `request`.

    `keeps` counts the items of lists in its `body` that stand in an earlier recording.
    """
    searcher = Searcher()
    for found in spot(request, path=("request",), searcher=searcher, clean=clean):
        yield _moved(found, keeps or {})
    rest: JsonObject = {
        "response": interaction.response,
        "notes": interaction.notes,
        "provenance": interaction.provenance,
    }
    yield from spot(rest, searcher=searcher, clean=clean)


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
