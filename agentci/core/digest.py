"""Content digests: SHA-256, always written with the algorithm's name in front."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NewType

from agentci.core.canonical import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentci.core.json_types import JsonValue

Digest = NewType("Digest", str)
"""`sha256:` and 64 lower-case hexadecimal digits."""

_PATTERN = re.compile(r"sha256:[0-9a-f]{64}")
_PREFIX = "sha256:"


def digest_bytes(data: bytes) -> Digest:
    """Return the digest of `data`, hashed raw, never after a text normalisation."""
    return Digest(_PREFIX + hashlib.sha256(data).hexdigest())


def digest_pieces(pieces: Iterable[bytes | memoryview]) -> Digest:
    """Return the digest of all `pieces` in a row, without putting them together."""
    hashed = hashlib.sha256()
    for piece in pieces:
        hashed.update(piece)
    return Digest(_PREFIX + hashed.hexdigest())


def digest_json(value: JsonValue) -> Digest:
    """Return the digest of the canonical JSON form of `value`."""
    return digest_bytes(canonical_bytes(value))


def parse_digest(text: str) -> Digest:
    """Return `text` as a digest.

    Raises:
        ValueError: when `text` is not `sha256:` followed by 64 lower-case hexadecimal digits.
    """
    if not _PATTERN.fullmatch(text):
        msg = f"`{text[:80]}` is not a digest"
        raise ValueError(msg)
    return Digest(text)


def hex_of(digest: Digest) -> str:
    """Return the 64 hexadecimal digits of `digest`, without the algorithm's name."""
    return digest.removeprefix(_PREFIX)


def short(digest: Digest) -> str:
    """Return the first twelve hexadecimal digits, for people to read."""
    return hex_of(digest)[:12]
