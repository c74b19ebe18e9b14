"""Secrets that must not be stored: the shapes of common API keys, and the refusal to write them.

Request headers are never part of an interaction, so this looks at prompts, tool results and
answers. Knows the shapes only; it never repeats what it found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from agentci.core.errors import Location, SafetyRefusal

_SHAPES: Final = (
    ("anthropic_key", r"sk-ant-[A-Za-z0-9_-]{20,}"),
    ("openai_key", r"sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}"),
    ("openrouter_key", r"sk-or-v1-[A-Za-z0-9]{20,}"),
    ("aws_key_id", r"(?:AKIA|ASIA)[0-9A-Z]{16}"),
    ("github_token", r"gh[pousr]_[A-Za-z0-9]{36,}"),
    ("github_fine_grained_token", r"github_pat_[A-Za-z0-9_]{22,}"),
    ("gitlab_token", r"glpat-[A-Za-z0-9_-]{20,}"),
    ("google_key", r"AIza[0-9A-Za-z_-]{35}"),
    ("groq_key", r"gsk_[A-Za-z0-9]{32,}"),
    ("hugging_face_token", r"hf_[A-Za-z0-9]{30,}"),
    ("slack_token", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    ("stripe_key", r"[rs]k_live_[A-Za-z0-9]{16,}"),
    ("private_key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"),
    ("bearer_token", r"[Bb]earer [A-Za-z0-9_\-.=+/]{24,}"),
    ("json_web_token", r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
)
_ANY = re.compile("|".join(rf"(?<![A-Za-z0-9])(?P<{name}>{shape})" for name, shape in _SHAPES))
_FEW = 6  # different characters in what somebody typed as a placeholder


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that has the shape of a secret."""

    shape: str
    """For example `openai key`."""
    line: int
    """Counted from 1 in the text that was looked at."""


def find_secrets(text: str) -> tuple[Finding, ...]:
    """Return what has the shape of a secret and does not look like a placeholder."""
    return tuple(
        Finding(str(match.lastgroup).replace("_", " "), text.count("\n", 0, match.start()) + 1)
        for match in _ANY.finditer(text)
        if not _is_placeholder(match[0])
    )


def refuse_secrets(text: str, *, lane: str) -> None:
    """Let `text` pass only where no secret is in it.

    Raises:
        SafetyRefusal: naming the shape, never the secret.
    """
    found = find_secrets(text)
    if found:
        shapes = ", ".join(sorted({f"`{finding.shape}`" for finding in found}))
        raise SafetyRefusal(
            f"the request or the answer holds what looks like a secret ({shapes}); "
            "it was not recorded",
            code="ACI-P120",
            hint="take the secret out of prompts, files and tool output, revoke it, record again",
            location=Location(lane=lane),
        )


def _is_placeholder(secret: str) -> bool:
    if secret.startswith("-----"):
        return False
    tail = secret[8:]
    typed = len(set(tail.lower())) <= _FEW or not any(char.isdigit() for char in tail)
    return typed or "EXAMPLE" in secret.upper()
