"""The canonical log of a run and its digest: the same whatever finished first.

The journal has events as they happened. The canonical log has one line for the run's identity and
one for each step, in plan order, with nothing in it that depends on a schedule, a machine or the
time. The run digest is the SHA-256 of these lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from agentci.core.canonical import canonical_bytes
from agentci.core.digest import Digest, digest_bytes

if TYPE_CHECKING:
    from agentci.core.json_types import JsonObject
    from agentci.steps.results import StepRecord

LOG_VERSION = 1


def canonical_lines(identity: JsonObject, records: Sequence[StepRecord]) -> Iterator[bytes]:
    """Yield the lines of the canonical log: the run's identity, then each step, inner ones first.

    `identity` is what was asked for: definition, inputs, seed, base commit.
    """
    yield canonical_bytes({"log": LOG_VERSION, "run": identity}) + b"\n"
    for record in records:
        yield from _lines(record)


def _lines(record: StepRecord) -> Iterator[bytes]:
    for child in record.children:
        yield from _lines(child)
    yield canonical_bytes(record.canonical()) + b"\n"


def run_digest(identity: JsonObject, records: Sequence[StepRecord]) -> Digest:
    """Return the run digest."""
    return digest_bytes(b"".join(canonical_lines(identity, records)))
