"""The environment that commands run in: the same on every machine.

Nothing is inherited from the caller; what a command needs besides is given by name in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""`PATH` where the caller has no better one."""

_FIXED: Final = {
    "CI": "true",
    "COLUMNS": "80",
    "GIT_AUTHOR_EMAIL": "agentci@localhost",
    "GIT_AUTHOR_NAME": "agentci",
    "GIT_COMMITTER_EMAIL": "agentci@localhost",
    "GIT_COMMITTER_NAME": "agentci",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "LINES": "24",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "TERM": "dumb",
    "TZ": "UTC",
}


def fixed_environment(
    home: Path | str,
    source_date_epoch: int,
    *,
    path: str = DEFAULT_PATH,
    extra: Mapping[str, str] | None = None,
) -> Mapping[str, str]:
    """Return the complete environment of a command, sorted by name.

    `source_date_epoch` is the logical clock of the run, in seconds since the Unix epoch. `extra`
    wins over everything else, since a user wrote it.
    """
    date = f"@{source_date_epoch} +0000"
    variables = {
        **_FIXED,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_DATE": date,
        "HOME": str(home),
        "PATH": path,
        "SOURCE_DATE_EPOCH": str(source_date_epoch),
        **(extra or {}),
    }
    return dict(sorted(variables.items()))
