"""Did-you-mean: the nearest name that exists. Knows nothing of what the names are for."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(wrong: str, names: Iterable[str]) -> str | None:
    """Return a hint that names the candidate nearest to `wrong`, or None where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    candidates = {name.lower(): name for name in sorted(names, reverse=True)}
    near = get_close_matches(wrong.lower(), sorted(candidates), n=1, cutoff=0.6)
    return f"did you mean `{candidates[near[0]]}`?" if near else None
