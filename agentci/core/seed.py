"""Seeds: one run seed derives every other by lane, so no draw depends on the schedule."""

from __future__ import annotations

from agentci.core.digest import digest_json, hex_of

SEED_BITS = 31
"""Derived seeds are non-negative and fit a signed 32-bit field, the narrowest on any wire."""


def derive_seed(run_seed: int, *path: str) -> int:
    """Return the seed of `path` (a lane and a purpose) under `run_seed`, in [0, 2**31)."""
    digest = digest_json({"run_seed": run_seed, "path": list(path)})
    return int(hex_of(digest)[:16], 16) & ((1 << SEED_BITS) - 1)


def unit_interval(seed: int) -> float:
    """Map a derived seed to [0, 1), for jitter and for breaking ties."""
    return seed / (1 << SEED_BITS)
