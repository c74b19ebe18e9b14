"""Secrets that stand in a deploy spec itself, which is refused before anything is made of it."""

from __future__ import annotations

from agentci.core.errors import SafetyRefusal
from agentci.record.secrets.scan import spot
from agentci.spec.yaml_document import Document, PathParts


def refuse_literal_secrets(document: Document) -> None:
    """Look for known shapes of keys, and for drawn values of fields named like secrets.

    Raises:
        SafetyRefusal: with the place, and never the secret.
    """
    found = next(spot(document.value), None)
    if found is None:
        return
    path = _parts(found.path)
    raise SafetyRefusal(
        f"`{found.path}` holds a secret ({found.kind}), which must not stand in a file",
        code="ACI-P601",
        hint="name it in `secrets` with where it comes from, and revoke this one",
        location=document.positions.locate(path),
    )


def _parts(shown: str) -> PathParts:
    """Return the parts of a path as `spot` shows it, as far as they can be told apart."""
    parts: list[str | int] = []
    for piece in shown.replace("]", "").split("."):
        name, *numbers = piece.split("[")
        parts.append(name)
        parts += [int(number) for number in numbers if number.isdecimal()]
    return tuple(parts)
