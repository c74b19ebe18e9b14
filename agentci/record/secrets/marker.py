"""The note beside redacted recordings: which version of the rules they are keyed with.

Where it lies, live requests are redacted the same way before they are keyed. It holds nothing of
any secret. Knows nothing of cassettes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from agentci.core.effects import Files
from agentci.core.errors import FormatError, Location
from agentci.record.secrets.rules import RULES_VERSION

MARKER_NAME: Final = "redaction.json"
FORMAT: Final = "agentci/redaction"
VERSION: Final = 1


def write_marker(files: Files, folder: Path) -> None:
    """Note that the recordings in `folder` are redacted, with the present rules."""
    value = {"format": FORMAT, "version": VERSION, "rules": RULES_VERSION}
    files.write_atomic(folder / MARKER_NAME, (json.dumps(value, indent=2) + "\n").encode())


def read_marker(files: Files, folder: Path) -> int:
    """Return the version of the rules that the recordings in `folder` are keyed with.

    Raises:
        FormatError: when the note cannot be read, or is of a newer version.
    """
    path = folder / MARKER_NAME
    try:
        value = json.loads(files.read(path))
    except (ValueError, RecursionError):
        raise _unreadable(path, "it is no JSON") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise _unreadable(path, f"its format is not `{FORMAT}`")
    version, rules = value.get("version"), value.get("rules")
    if version != VERSION or isinstance(version, bool):
        raise _unreadable(path, f"this release reads version {VERSION}")
    if not isinstance(rules, int) or isinstance(rules, bool) or not 1 <= rules <= RULES_VERSION:
        raise _unreadable(path, f"this release knows the rules up to version {RULES_VERSION}")
    return rules


def _unreadable(path: Path, reason: str) -> FormatError:
    name = "/".join(path.parts[-3:])
    return FormatError(
        f"`{name}` cannot be read: {reason}",
        code="ACI-F125",
        hint="restore the file from version control, or update agentci",
        location=Location(file=name),
    )
