"""Remembers that a hook passed, so that asking again in the same state costs little.

A stamp counts only where HEAD, the index, all files and the program are as they were. This module
decides before pydantic is imported, so it must import nothing that does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentci.app.check_stamp import program_digest
from agentci.app.state_folder import STATE_FOLDER, state_folder
from agentci.core.digest import digest_bytes
from agentci.core.errors import AgentciError

if TYPE_CHECKING:
    from agentci.core.effects import Files
    from agentci.core.staging import Staging

_FILE: Final = "hooks-v1.json"
_FORMAT: Final = "agentci/hook-stamp"


@dataclass(frozen=True, slots=True)
class HookCall:
    """A hook that is asked for, in the state that it was asked in."""

    hook: str
    digest: str
    """Of all that the answer depends on."""

    @classmethod
    def now(cls, hook: str, staging: Staging, *, start: Path, settings: str = "") -> HookCall:
        """Look at the checkout; `settings` are what else was asked for."""
        parts = (hook, str(start.resolve()), settings, program_digest(), staging.state())
        return cls(hook, digest_bytes("\0".join(parts).encode("utf-8", "surrogateescape")))


def passed_before(call: HookCall, files: Files, *, start: Path) -> bool:
    """Say whether the hook passed in this very state."""
    here = start.resolve()
    for folder in (here, *here.parents):
        place = folder / STATE_FOLDER / _FILE
        if files.exists(place):
            return _read(place, files).get(call.hook) == call.digest
    return False


def remember(call: HookCall, files: Files, *, root: Path) -> None:
    """Keep in the project at `root` that the hook passed, where that can be written."""
    try:
        place = state_folder(root, files) / _FILE
        passed = {**_read(place, files), call.hook: call.digest}
        content = {"format": _FORMAT, "version": 1, "passed": passed}
        files.write_atomic(place, json.dumps(content, sort_keys=True).encode())
    except AgentciError:
        return  # in a read-only checkout every call looks anew


def _read(place: Path, files: Files) -> dict[str, str]:
    try:
        content = json.loads(files.read(place)) if files.exists(place) else {}
        passed = content["passed"] if content.get("format") == _FORMAT else {}
        return {str(hook): str(digest) for hook, digest in passed.items()}
    except (AgentciError, ValueError, TypeError, KeyError, AttributeError):
        return {}  # damaged: the hooks look anew
