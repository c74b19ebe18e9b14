"""Whether a text of the right shape is a secret, or what somebody typed in place of one.

Judges single values; knows no shapes and no places.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final, Literal

from agentci.record.secrets.rules import Check

_TYPED: Final = re.compile(
    r"redacted|example|placeholder|your[_-]|[_-]here|changeme|replace[_-]?me|dummy|xxxx|\*\*\*\*"
    r"|\.\.\.|sanitized|filtered|scrubbed|fake[_-]|mock[_-]|test[_-](?:api|key|token|secret)",
    re.IGNORECASE,
)
_REFERENCE: Final = re.compile(
    r"\$[{(A-Za-z_]|\{\{|%[A-Z_]{2,}%|(?:os|sys|self|process|config|settings|env|args|this|ctx)\."
    r"|[A-Z][A-Z0-9]*_[A-Z0-9_]+$|(?:str|int|bool|none|null|true|false|string|optional)\b",
    re.IGNORECASE,
)
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_PATH: Final = re.compile(r"(?:https?|file)://|\.{0,2}/[\w.-]+/|[A-Za-z_]+(?:\.[A-Za-z_]+)+$")
_COMMON: Final = frozenset(
    {
        "pass", "password", "passwd", "pwd", "secret", "token", "user", "username", "postgres",
        "root", "admin", "guest", "string", "foo", "bar", "baz", "abc",
    }
)  # fmt: skip
_SPECIAL: Final = frozenset("!@#$%^*+?~")
_FEW: Final = 6
_BITS: Final = 3.0
"""Shannon bits for a character, from which on a text of 16 or more characters looks drawn."""


def is_plausible(value: str, check: Check) -> bool:
    """Say whether `value` may be a real secret."""
    if check == "none":
        return True
    if check == "basic":
        return _is_basic(value)
    if "<redacted:" in value or "EXAMPLE" in value:
        return False
    if check == "typed":
        return len(set(value)) > _FEW
    return _CHECKS[check](value)


def _is_token(value: str) -> bool:
    if _TYPED.search(value) or len(set(value[4:].lower())) <= _FEW:
        return False
    if _REFERENCE.match(value) and not any(char.isdigit() for char in value):
        return False
    if _PATH.match(value) or _VARIABLE.fullmatch(value):
        return False
    return _looks_drawn(value)


def _looks_drawn(value: str) -> bool:
    """Say whether a text is not written in words: digits among letters, or cases mixed at random.

    A text without digits has to have no separators, and small and capital letters that follow one
    another more often than in names.
    """
    if any(char.isdigit() for char in value):
        letters = any(char.isalpha() for char in value) or len(value) > 30
        return letters and entropy(value) >= _BITS and not _is_phrase(value)
    if any(not char.isalnum() for char in value[8:]):
        return entropy(value) > 4.2 and _changes(value) > len(value) // 4
    return _changes(value) > len(value) // 5


def _is_phrase(value: str) -> bool:
    """Say whether it is words with a number or two, as in `claude-3-5-sonnet-20241022`."""
    parts = re.split(r"[-_./:=+]", value)
    words = [part for part in parts if part]
    mixed = [part for part in words if not part.isalpha() and not part.isdigit()]
    longest = max((len(part) for part in words), default=0)
    return len(words) >= 3 and longest <= 12 and all(len(part) <= 6 for part in mixed)


def _changes(value: str) -> int:
    return sum(a.islower() and b.isupper() for a, b in pairwise(value))


def _is_password(value: str) -> bool:
    if value.lower() in _COMMON or _TYPED.search(value) or len(set(value)) <= 2:
        return False
    if value.startswith(("$", "{", "%", "<", "*")) or _VARIABLE.fullmatch(value):
        return False
    if _PATH.match(value) or value.isdigit():
        return False
    strange = any(char.isdigit() or char in _SPECIAL for char in value)
    return strange and any(char.isalpha() for char in value)


def _is_password_in_url(value: str) -> bool:
    """Judge what stands where a password stands: it need not look like one."""
    if value.lower() in _COMMON or _TYPED.search(value) or len(set(value)) <= 2:
        return False
    return not value.startswith(("$", "{", "%", "<", "*")) and not value.isdigit()


def _is_basic(value: str) -> bool:
    try:
        text = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return False
    user, colon, password = text.partition(":")
    return bool(colon) and text.isprintable() and len(user) + len(password) >= 6


def entropy(value: str) -> float:
    """Return Shannon bits for a character of `value`."""
    total = len(value)
    counts = Counter(value).values()
    return -sum(count / total * math.log2(count / total) for count in counts) if total else 0.0


_CHECKS: Final[Mapping[Literal["token", "password", "in-url"], Callable[[str], bool]]] = {
    "token": _is_token,
    "password": _is_password,
    "in-url": _is_password_in_url,
}
