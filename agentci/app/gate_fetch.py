"""Fetches what a shallow clone lacks of the base, as little as will do.

Only where a CI system has made the clone and asks for it: a judgement by itself never goes out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agentci.app import wiring
from agentci.app.gate_base import known_commit, revisions_wanted

if TYPE_CHECKING:
    from pathlib import Path

    from agentci.core.history import History
    from agentci.core.origin import Origin

_STEPS: Final = (1, 30, 300, None)
"""Commits to fetch in turn, before both sides, until they meet; None for all."""


def fetch_base(asked: str | None, root: Path) -> str | None:
    """Fetch the base and what lies between it and HEAD, and say what was done, if anything was.

    What cannot be had is no error here: whoever looks for the base says what is missing.
    """
    history, origin = wiring.history(root), wiring.origin(root)
    head = history.commit("HEAD")
    if head is None:
        return None
    for revision in revisions_wanted(asked, history, env=wiring.env(), files=wiring.files()):
        known = known_commit(revision, history)
        base = known
        if base is None and origin.fetch(revision):
            base = known_commit(revision, history)
        if base is None:
            continue
        met = _meet(history, origin, (head, base))
        if known is not None and not met:
            return None
        return f"fetched what the clone did not have of the base `{revision}`"
    return None


def _meet(history: History, origin: Origin, commits: tuple[str, str]) -> bool:
    """Fetch until two commits have one in common, and say whether anything was fetched."""
    fetched = False
    for by in _STEPS:
        if not history.is_shallow() or history.merge_base(*commits) is not None:
            break
        fetched = origin.deepen(commits, by=by) or fetched
    return fetched
