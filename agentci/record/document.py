"""One interaction as the text of a cassette document.

Chooses what the request continues, so that a message is stored once. Knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agentci.core.json_types import JsonObject, JsonValue
from agentci.record.blob_refs import Put, move_out
from agentci.record.delta import Delta, Overlap, arrange, items, overlap, shrink
from agentci.record.interaction import Address, Interaction
from agentci.record.yaml_text import emit_field


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recording that a new one may continue."""

    address: Address
    request: JsonObject


@dataclass(frozen=True, slots=True)
class Continuation:
    """A request as what it adds to a parent."""

    parent: Address
    delta: Delta


def choose_parent(request: JsonObject, candidates: Iterable[Candidate]) -> Continuation | None:
    """Return `request` as a continuation of the candidate that has most of it already.

    Of equals the first candidate wins. None where no candidate saves enough.
    """
    best: Candidate | None = None
    most = Overlap()
    for candidate in candidates:
        if best is not None and items(candidate.request) < most.kept:
            continue  # a shorter conversation cannot have more; comparing long ones takes time
        found = overlap(request, candidate.request)
        if best is None or found > most:
            best, most = candidate, found
    if best is None:
        return None
    delta = shrink(request, best.request)
    return Continuation(best.address, delta) if delta is not None else None


def encode(interaction: Interaction, put: Put, *, parent: Continuation | None = None) -> bytes:
    """Return the document of `interaction`, from its `---` line to its `...` line.

    Large and binary texts go to `put`, which stores them under their digest.
    """
    address = interaction.address
    fields: dict[str, JsonValue] = {"key": address.key}
    if address.occurrence != 1:
        fields["occurrence"] = address.occurrence
    fields["kind"] = interaction.kind
    request = interaction.request
    if parent is not None:
        fields["continues"] = pointer(parent.parent)
        if parent.delta.keeps:
            fields["keeps"] = dict(sorted(parent.delta.keeps.items()))
        if parent.delta.drops:
            fields["drops"] = list(parent.delta.drops)
        request = parent.delta.request
    fields["request"] = move_out(arrange(request), put)
    fields["response"] = move_out(dict(interaction.response), put)
    for name, value in (("notes", interaction.notes), ("provenance", interaction.provenance)):
        if value:
            fields[name] = dict(value)
    body = "".join(emit_field(name, value) for name, value in fields.items())
    return f"---\n{body}...\n".encode()


def pointer(address: Address) -> str:
    """Return how a document names another one of its file."""
    return address.key if address.occurrence == 1 else f"{address.key}/{address.occurrence}"
