"""Cases that do not block for the time being."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentci.gate.decision import Quarantine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentci.spec.suite import QuarantineSpec


def quarantined(entries: Iterable[QuarantineSpec], *, today: str) -> Mapping[str, Quarantine]:
    """Return the quarantined cases by id.

    `today` is a day as `2026-11-23`; a quarantine holds through its last day.
    """
    return {
        entry.case: Quarantine(
            owner=entry.owner,
            reason=entry.reason,
            expires=entry.expires,
            expired=today > entry.expires,
        )
        for entry in entries
    }
