"""`.agentci/`, the folder of what this machine knows of a project. Nothing in it is committed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agentci.core.effects import Files

STATE_FOLDER: Final = ".agentci"


def state_folder(project: Path, files: Files) -> Path:
    """Return the folder of a project, for writing: with a file that keeps it out of git.

    Raises:
        StorageError: when it cannot be written.
    """
    folder = project / STATE_FOLDER
    ignore = folder / ".gitignore"
    if not files.exists(ignore):
        files.write_atomic(ignore, b"*\n")
    return folder
